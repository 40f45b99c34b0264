"""Public names that are imported on first use, so that a package answers before it loads much."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazy_names(
    package: str, home: Mapping[str, Sequence[str]], public: Sequence[str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` of a package (PEP 562).

    Parameters
    ----------
    package
        Name of the package.
    home
        The lazy names by the module of the package that defines them.
    public
        All public names, lazy or not.
    """
    module_of = {name: module for module, names in home.items() for name in names}

    def getattr_(name: str) -> Any:
        """Import a public name on first use."""
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{module_of[name]}"), name)

    def dir_() -> list[str]:
        """List the public names, lazy ones included."""
        return sorted(public)

    return getattr_, dir_
