"""What is built, installed and tracked: the wheel, its imports, sizes and words."""

import ast
import os
import statistics
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("market_sim", "agents", "scenarios", "analysis")
MODULES = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]


def run(*command: str, path: Path = ROOT, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run Python with `path` as the only place where our packages are looked for."""
    return subprocess.run(
        [sys.executable, *command],
        env={**os.environ, "PYTHONPATH": str(path)},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done = run("-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installation(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    target = ["--target", str(folder), "--no-deps", "--no-index", "--no-compile"]
    done = run("-m", "pip", "install", "--quiet", *target, str(wheel))
    assert done.returncode == 0, done.stderr
    return folder


def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_top_level_is_the_four_packages(wheel: Path) -> None:
    top = {name.split("/")[0] for name in names(wheel)}
    assert {name for name in top if not name.endswith(".dist-info")} == set(PACKAGES)


def test_wheel_holds_all_modules_and_scenarios_and_no_test(wheel: Path) -> None:
    held = set(names(wheel))
    library = sorted((ROOT / "scenarios" / "library").glob("*.toml"))
    networks = sorted((ROOT / "market_sim/mechanisms/networks/shipped").glob("*.safetensors"))
    assert library, "no scenario files found"
    assert networks, "no trained networks found"
    expected = [file.relative_to(ROOT).as_posix() for file in MODULES + library + networks]
    expected += [f"{package}/py.typed" for package in PACKAGES]
    assert not set(expected) - held
    tests = [
        name for name in held if any(p.startswith(("test", "conftest")) for p in name.split("/"))
    ]
    assert not tests
    assert not [name for name in held if name.endswith(".pyc")]


def test_installed_wheel_answers(installation: Path, tmp_path: Path) -> None:
    start = "from market_sim._command import main; main()"
    done = run("-P", "-c", start, "list", path=installation, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "demo" in done.stdout


def test_import_is_light() -> None:
    heavy = {"torch", "mesa", "pandas", "scipy", "matplotlib", "seaborn", "sklearn", "pydantic"}
    heavy |= {"networkx", "dp_accounting", "pooch", "pyarrow", "typer", "rich"}
    done = run("-c", "import market_sim, sys; print(*{m.split('.')[0] for m in sys.modules})")
    assert done.returncode == 0, done.stderr
    assert not heavy & set(done.stdout.split())


def lines(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


def test_modules_stay_small() -> None:
    sizes = {file.relative_to(ROOT).as_posix(): lines(file) for file in MODULES}
    assert not {name: size for name, size in sizes.items() if size > 400}
    assert statistics.median(sizes.values()) <= 150


def test_folders_stay_flat() -> None:
    assert not [file for file in MODULES if len(file.relative_to(ROOT).parts) > 4]


def test_functions_stay_short() -> None:
    sizes = [
        (node.end_lineno or node.lineno) - node.body[0].lineno + 1
        for file in MODULES
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    ]
    assert sum(size < 60 for size in sizes) >= 0.95 * len(sizes)


def tracked() -> list[Path]:
    """Return the files git would commit; in an unpacked source distribution there is no git."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_machine_or_leaves_work_undone() -> None:
    # put together here, so that this file does not hold them
    places = ["/" + "work/", "/" + "tmp/", "/" + "opt/", "/" + "root/"]
    hosts = ["py" + "pi.org", "python" + "hosted.org", "download.py" + "torch.org"]
    undone = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error"]
    binary = {".gz", ".npz", ".png", ".pdf", ".parquet", ".safetensors"}
    found = []
    for file in tracked():
        if file.suffix in binary:
            continue
        text = file.read_text(encoding="utf-8")
        found += [(str(file), word) for word in places + hosts + undone if word in text]
    assert not found


def test_constraints_hold_what_the_project_needs() -> None:
    pinned = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, version = line.split("==")
            pinned[name.lower().replace("_", "-")] = version
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    needed = [Requirement(line) for group in groups for line in group]
    for requirement in needed:
        version = pinned[requirement.name.lower()]
        assert requirement.specifier.contains(version), requirement
        assert "+" not in version, "a build that other machines may not find"


def imported(file: Path) -> set[str]:
    """Return the top-level names that a module imports anywhere."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def test_everything_imported_is_a_declared_dependency() -> None:
    """Whatever another package happens to bring along may be gone with its next version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {Requirement(line).name.replace("-", "_") for line in project["dependencies"]}
    renamed = {"PIL": "pillow", "sklearn": "scikit_learn"}
    renamed["pydantic_core"] = "pydantic"  # which pins its core
    used = set().union(*map(imported, MODULES)) - set(sys.stdlib_module_names) - set(PACKAGES)
    assert not {renamed.get(name, name) for name in used} - declared


def test_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"\nversion: {project['version']}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"## [{project['version']}]" in (ROOT / "CHANGELOG.md").read_text()
