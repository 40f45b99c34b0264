"""Entry point of the command `market-sim`: makes sure that our packages are ours, then hands over.

The names `agents`, `analysis` and `scenarios` are used by other distributions too (openai-agents
installs an `agents`). The check lives here because `market_sim` is the one name nobody else uses.
"""

import base64
import hashlib
import importlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

PACKAGES = ("agents", "analysis", "scenarios")
EXIT_BAD_INPUT = 2


def foreign_package() -> str | None:
    """Say in one sentence which of our packages would not be ours when imported; None if all are.

    A package is ours if it lies beside `market_sim` and no other distribution wrote over it.
    """
    home = Path(__file__).resolve().parent.parent
    for name in PACKAGES:
        found = _location(name)
        if found is None:
            return (
                f"market-sim: the package '{name}' is missing beside {home / 'market_sim'}; "
                "install market-sim again."
            )
        if found.parent != home / name or _overwritten(found):
            return (
                f"market-sim: the package '{name}' in {found.parent} belongs to {_owner(name)} "
                "and hides ours; install market-sim into a virtual environment of its own."
            )
    return None


def _location(name: str) -> Path | None:
    """Return the file that `import name` would run (for a namespace package: any file in it)."""
    try:
        spec = importlib.util.find_spec(name)
    except ValueError:  # somebody put a module without a specification under this name
        return Path(f"<{name}>/__init__.py")
    if spec is None:
        return None
    if spec.origin is not None:
        return Path(spec.origin).resolve()
    return Path(next(iter(spec.submodule_search_locations or ["."]))).resolve() / "__init__.py"


def _overwritten(file: Path) -> bool:
    """Tell whether another distribution claims `file`, which lies where ours should be.

    Both lie in the same site-packages then, and the one installed last has won. Our own record of
    installed files holds a hash of what we wrote; an editable installation records none and cannot
    be overwritten.
    """
    try:
        distribution = importlib.metadata.distribution("market-sim")
    except importlib.metadata.PackageNotFoundError:  # run from a checkout
        return False
    for entry in distribution.files or []:
        if entry.hash and entry.name == file.name and Path(str(entry.locate())).resolve() == file:
            digest = hashlib.new(entry.hash.mode, file.read_bytes()).digest()
            return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != entry.hash.value
    return False


def _owner(name: str) -> str:
    """Name the distributions other than ours that install a package of this name."""
    owners = set(importlib.metadata.packages_distributions().get(name, [])) - {"market-sim"}
    if not owners:
        return "another project"
    return "the distribution " + " and ".join(repr(owner) for owner in sorted(owners))


def main() -> None:
    """Run the command `market-sim`; exit with code 2 if a foreign package hides one of ours."""
    problem = foreign_package()
    if problem is not None:
        sys.stderr.write(problem + "\n")
        sys.exit(EXIT_BAD_INPUT)
    # By name, at the last moment: the economics depend on nothing above them, and this doorway is
    # no part of the economics.
    command = cast("Callable[[], None]", importlib.import_module("scenarios.cli").main)
    command()


if __name__ == "__main__":
    main()
