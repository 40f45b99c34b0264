"""Markets for tests: hypothesis strategies, and families of random instances as arrays."""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import market_sim as ms


class Market(NamedTuple):
    """Single-minded owners and a buyer: arrays of one shape, and one number a profile."""

    value: np.ndarray
    cap: np.ndarray
    budget: np.ndarray

    def reports(self, families=ms.KINDS):
        """Single-minded owners of these values, or linear ones where a rule takes only these."""
        if "step" in families:
            return ms.Reports.single_minded(value=self.value, cap=self.cap)
        return ms.Reports(ms.Valuations.linear(self.value / self.cap), self.cap)


profile_shapes = st.sampled_from([(), (), (1,), (3,), (2, 2)])


def floats(low, high, shape):
    """Arrays of ordinary, tiny and huge numbers within bounds."""
    ordinary = st.floats(max(low, min(0.1, high)), min(high, 10.0), allow_subnormal=False)
    return hnp.arrays(
        np.float64, shape, elements=st.floats(low, high, allow_subnormal=False) | ordinary
    )


@st.composite
def exact_markets(draw, max_owners=7, max_number=12):
    """Whole unit values, masses and money, with many ties: every comparison is exact in floats."""
    owners = draw(st.integers(1, max_owners))
    whole = st.integers(0, max_number)
    unit = draw(hnp.arrays(np.int64, owners, elements=whole))
    mass = draw(hnp.arrays(np.int64, owners, elements=st.integers(1, max_number)))
    money = draw(st.integers(1, max(2, int((unit * mass).sum()) + 3)))
    return Market((unit * mass).astype(float), mass.astype(float), np.float64(money))


@st.composite
def markets(draw, max_owners=8):
    """Single-minded owners of any size, tiny to huge, with any leading axes."""
    shape = (*draw(profile_shapes), draw(st.integers(1, max_owners)))
    value = draw(floats(0.0, 1e9, shape))
    cap = draw(floats(1e-6, 1e3, shape))
    return Market(value, cap, draw(floats(1e-6, 1e9, shape[:-1])))


@st.composite
def valuations(draw, max_owners=8, families=ms.KINDS):
    """Any of some families for any owner."""
    shape = (*draw(profile_shapes), draw(st.integers(1, max_owners)))
    codes = [ms.KINDS.index(name) for name in families]
    kind = draw(hnp.arrays(np.int8, shape, elements=st.sampled_from(codes)))
    return ms.Valuations(kind, draw(floats(0.0, 1e6, shape)))


@st.composite
def reports(draw, max_owners=8, families=ms.KINDS):
    """Reports of any valuations of some families, with and without sizes."""
    told = draw(valuations(max_owners, families))
    cap = draw(floats(1e-3, 50.0, told.shape))
    size = draw(st.none() | floats(1.0, 1e4, told.shape))
    return ms.Reports(told, cap, size)


def budgets(told):
    """Money for given reports: next to nothing, something in between, more than enough."""
    asked = np.maximum(told.value.sum(axis=-1), 1e-3)
    return st.sampled_from([1e-6, 0.1, 0.4, 1.0, 3.0]).map(lambda rate: rate * asked)


@st.composite
def sales(draw, max_owners=8, losers=True):
    """Privacy sold (0 for losers) and data sizes."""
    shape = (*draw(profile_shapes), draw(st.integers(1, max_owners)))
    epsilon = draw(floats(1e-3, 1e3, shape))
    if losers:
        epsilon = np.where(draw(hnp.arrays(np.bool_, shape)), epsilon, 0.0)
    return epsilon, draw(st.none() | floats(1.0, 1e4, shape))


FAMILIES = (
    "uniform",
    "lognormal",
    "pareto",
    "whole numbers",
    "equal unit values",
    "some for free",
    "nobody fits",
    "all fit",
)


def random_market(family, rng, profiles, owners):
    """Return `profiles` random markets of a family."""
    shape = (profiles, owners)
    cap = rng.uniform(0.5, 5.0, shape)
    value = rng.uniform(0.5, 1.5, shape) * cap * rng.uniform(0.5, 3.0, shape)
    if family == "lognormal":
        cap = rng.lognormal(0.0, 2.0, shape)
        value = cap * rng.lognormal(0.0, 1.0, shape)
    elif family == "pareto":
        cap = 1.0 + rng.pareto(1.1, shape)
        value = cap * (1.0 + rng.pareto(1.5, shape))
    elif family == "whole numbers":
        cap = rng.integers(1, 6, shape).astype(float)
        value = cap * rng.integers(0, 5, shape)
    elif family == "equal unit values":
        cap = rng.integers(1, 9, shape).astype(float)
        value = 2.0 * cap
    elif family == "some for free":
        value = value * (rng.random(shape) < 0.5)
    budget = value.sum(axis=1) * rng.uniform(0.02, 1.2, profiles) + 1e-3
    if family in ("whole numbers", "equal unit values"):
        budget = np.ceil(budget)
    if family == "nobody fits":
        budget = value.min(axis=1) * 0.99
    if family == "all fit":
        budget = (value / cap).max(axis=1) * cap.sum(axis=1) * 1.01
    return Market(value, cap, budget)
