"""Shared by all tests. Imports nothing of ours: the shape checks are installed after this file."""

import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path

# Before numpy and torch are imported anywhere: one thread, so that nothing depends on the cores.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import pytest  # noqa: E402 - the threads come first
from hypothesis import HealthCheck, settings  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent

# `ci` draws the same examples each time; `explore` (HYPOTHESIS_PROFILE=explore) looks for new ones
settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "explore", max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data: $MARKET_SIM_DATA, else ../shared/data; skip without it."""
    folder = Path(os.environ.get("MARKET_SIM_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("the real data sets are not here: set MARKET_SIM_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def shared_reference() -> Path:
    """Return the folder with reference results, ../shared/reference; skip where it is not."""
    folder = ROOT.parent / "shared" / "reference"
    if not folder.is_dir():
        pytest.skip("the reference results are not here")
    return folder


@pytest.fixture(autouse=True)
def start_method() -> Iterator[None]:
    """Undo what `import mesa` does to the whole process: every new process is then spawned."""
    before = multiprocessing.get_start_method(allow_none=True)
    yield
    if multiprocessing.get_start_method(allow_none=True) != before:
        multiprocessing.set_start_method(before, force=True)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their argument: packed ones hold a time, and workers must agree on names."""
    return argname if isinstance(val, bytes) else None
