"""The full-information bound beside two judges that share nothing with it: grids and scipy."""

import numpy as np
import pytest
from scipy.optimize import minimize

import market_sim as ms

GRIDS = {2: 200, 3: 40}


def random_market(rng, owners):
    kind, rate = rng.integers(0, 4, owners), rng.uniform(0.5, 1.5, owners)
    size = rng.lognormal(1.0, 1.0, owners) if rng.random() < 0.5 else None
    told = ms.Reports(ms.Valuations(kind, rate), rng.uniform(0.3, 4.0, owners), size)
    return told, rng.uniform(0.05, 0.95) * float(told.value.sum())


def error_of(told, epsilon):
    weights = ms.ErrorOpt().weights(epsilon, told.data_size)
    return ms.error_bound(weights, epsilon, told.data_size)


@pytest.mark.parametrize("owners", GRIDS)
def test_every_purchase_on_a_grid(owners):
    rng = np.random.default_rng(owners)
    for _ in range(4):
        told, budget = random_market(rng, owners)
        bound = ms.full_information_bound(told, budget, method="exact")
        axes = [np.linspace(0.0, cap, GRIDS[owners]) for cap in told.cap]
        grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, owners)
        many = ms.Reports(told.valuations[None], told.cap, told.data_size)
        paid = grid[many.cost(grid).sum(axis=1) <= budget]
        error = error_of(told, paid)
        assert error.min() >= bound.lower
        assert error.min() <= 1.3 * bound.upper  # a grid comes near
        assert bound.upper <= error.min() * (1 + 1.1e-3)


def local_optimum(told, budget, start):
    """Return the error that SLSQP reaches from a start, infinite where it overspends."""

    def objective(epsilon):
        return float(np.log(error_of(told, np.maximum(epsilon, 1e-9))))

    def left(epsilon):
        return 1.0 - float(told.cost(np.maximum(epsilon, 0.0)).sum()) / budget

    found = minimize(
        objective,
        start,
        method="SLSQP",
        bounds=[(1e-6, cap) for cap in told.cap],
        constraints=[{"type": "ineq", "fun": left}],
        options={"maxiter": 100, "ftol": 1e-9},
    )
    sold = np.clip(found.x, 1e-6, told.cap)
    return float(error_of(told, sold)) if left(sold) >= -1e-7 else np.inf


@pytest.mark.parametrize("starts", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_local_optimization_from_many_starts(starts):
    rng = np.random.default_rng(7)
    ratios = []
    for owners in (2, 4, 6) if starts == 3 else (2, 3, 4, 5, 6) * 8:
        told, budget = random_market(rng, owners)
        bound = ms.full_information_bound(told, budget, method="exact")
        first = rng.uniform(0.02, 1.0, (starts, owners)) * told.cap
        best = min(local_optimum(told, budget, start) for start in first)
        assert best >= bound.lower * (1 - 1e-6)
        ratios.append(float(bound.upper) / best)
    assert max(ratios) <= 1 + 1.1e-3
