"""The import contracts of pyproject.toml hold, and each of them is able to fail."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("market_sim", "agents", "scenarios", "analysis")
# what one module imports, and the contract that must object
VIOLATIONS = [
    ("market_sim/valuation.py", "import agents", "layers"),
    ("analysis/tables.py", "import agents", "layers"),
    ("agents/market.py", "import analysis", "layers"),
    ("agents/market.py", "import scenarios", "layers"),
    ("market_sim/valuation.py", "import pandas", "economics-plain"),
    ("market_sim/learning/tasks.py", "import mesa", "economics-plain"),
    ("market_sim/valuation.py", "import torch", "torch-in-learning"),
    ("market_sim/mechanisms/all_in.py", "def late():\n    import torch", "torch-in-learning"),
    ("agents/market.py", "import torch", "agents-compute-nothing"),
    ("agents/market.py", "from pandas import DataFrame", "agents-compute-nothing"),
    ("analysis/tables.py", "import mesa", "analysis-runs-nothing"),
    ("market_sim/mechanisms/all_in.py", "import market_sim.solvers", "mechanisms-and-solvers"),
    ("market_sim/solvers/pure.py", "import market_sim.mechanisms", "mechanisms-and-solvers"),
]
ALLOWED = [
    ("scenarios/run.py", "import agents, analysis, market_sim, pandas, mesa"),
    ("agents/market.py", "import market_sim.learning.tasks, mesa"),
    ("analysis/tables.py", "import market_sim, pandas, seaborn"),
    ("market_sim/learning/tasks.py", "import torch, market_sim.valuation"),
    ("market_sim/mechanisms/networks/menu.py", "import torch"),
]


def lint(folder: Path, *contract: str) -> subprocess.CompletedProcess[str]:
    """Check the contracts in `folder`, in a process of its own because grimp imports by name."""
    chosen = [part for name in contract for part in ("--contract", name)]
    code = "import sys; from importlinter.cli import lint_imports_command as c; c(sys.argv[1:])"
    return subprocess.run(
        [sys.executable, "-c", code, "--no-cache", *chosen],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Lay out empty packages of our names, under our contracts."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    modules = [file for file, *_ in VIOLATIONS + ALLOWED] + [f"{name}/x.py" for name in PACKAGES]
    for name in modules:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        for folder in file.relative_to(tmp_path).parents[:-1]:
            (tmp_path / folder / "__init__.py").touch()
    return tmp_path


def test_the_layers_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("file", "line", "contract"), VIOLATIONS)
def test_a_violation_is_found(tree: Path, file: str, line: str, contract: str) -> None:
    assert lint(tree, contract).returncode == 0
    (tree / file).write_text(line + "\n")
    done = lint(tree, contract)
    assert done.returncode == 1, done.stdout
    assert "BROKEN" in done.stdout


def test_what_the_layers_are_for_is_allowed(tree: Path) -> None:
    for file, line in ALLOWED:
        (tree / file).write_text(line + "\n")
    done = lint(tree)
    assert done.returncode == 0, done.stdout
