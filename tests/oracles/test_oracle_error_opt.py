"""ErrorOpt and WaterFilling against a general solver, to 1e-9 of the objective."""

import numpy as np
import pytest
from least_error import lower_bound, objective, slsqp
from scipy.optimize import LinearConstraint, minimize

import market_sim as ms


def instance(rng, owners, losers=True):
    epsilon = rng.uniform(0.5, 5.0, owners)
    if losers and owners > 1:
        epsilon *= rng.random(owners) < 0.6
        epsilon[0] = max(epsilon[0], 0.5)
    size = 10.0 + rng.pareto(1.2, owners) * 20
    return epsilon, size, size / size.sum()


@pytest.mark.parametrize("dim", [1, 20])
@pytest.mark.parametrize("owners", [1, 2, 3, 5, 10, 20])
def test_sequential_least_squares(owners, dim):
    rng = np.random.default_rng(owners)
    for _ in range(15):
        epsilon, size, share = instance(rng, owners)
        ours = objective(ms.ErrorOpt(dim=dim).weights(epsilon, size), epsilon, share, dim)
        theirs = objective(slsqp(epsilon, share, dim), epsilon, share, dim)
        assert ours == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("owners", [3, 8])
def test_interior_point(owners):
    rng = np.random.default_rng(owners)
    epsilon, size, share = instance(rng, owners, losers=False)
    cost = 8.0 / epsilon**2

    def value(z):
        x = share + z[:owners] - z[owners:]
        return np.sum(cost * x**2) + z.sum() ** 2

    def slope(z):
        pull = 2 * cost * (share + z[:owners] - z[owners:])
        return np.concatenate([pull, -pull]) + 2 * z.sum()

    zero_sum = LinearConstraint(np.r_[np.ones(owners), -np.ones(owners)][None], 0, 0)
    bounds = [(0, None)] * owners + [(0, w) for w in share]
    answer = minimize(
        value,
        np.full(2 * owners, 0.01),
        jac=slope,
        hess=lambda _: curvature(cost),
        method="trust-constr",
        bounds=bounds,
        constraints=[zero_sum],
        options={"gtol": 1e-10, "xtol": 1e-14, "barrier_tol": 1e-10, "maxiter": 3000},
    )
    ours = objective(ms.ErrorOpt().weights(epsilon, size), epsilon, share)
    assert ours <= answer.fun * (1 + 1e-9)
    assert ours == pytest.approx(answer.fun, rel=1e-4)


def curvature(cost):
    """Second derivative in (a, b) of sum c (w + a - b)^2 + (sum a + sum b)^2."""
    side = 2 * np.diag(cost)
    return np.block([[side, -side], [-side, side]]) + 2.0


@pytest.mark.parametrize("owners", [2, 4, 9])
def test_water_filling(owners):
    rng = np.random.default_rng(owners)
    for _ in range(15):
        epsilon, size, share = instance(rng, owners)
        won = epsilon > 0
        cost = 1.0 / epsilon[won] ** 2
        answer = minimize(
            lambda x, cost=cost: np.sum(cost * x**2),
            share[won] + share[~won].sum() / won.sum(),
            jac=lambda x, cost=cost: 2 * cost * x,
            method="SLSQP",
            bounds=[(w, 1.0) for w in share[won]],
            constraints=[LinearConstraint(np.ones((1, won.sum())), 1, 1)],
            options={"ftol": 1e-16, "maxiter": 1000},
        )
        weights = ms.WaterFilling().weights(epsilon, size)
        assert np.sum(cost * weights[won] ** 2) == pytest.approx(answer.fun, rel=1e-9)
        assert (weights[won] >= share[won] * (1 - 1e-12)).all()


def test_the_lower_bound_sees_what_is_not_optimal():
    rng = np.random.default_rng(3)
    epsilon, size, share = instance(rng, 6)
    weights = ms.ErrorOpt().weights(epsilon, size)
    value = objective(weights, epsilon, share)
    assert value - lower_bound(weights, epsilon, share) <= 1e-9 * value
    for rival in (ms.DataSize(), ms.VarOpt(), ms.BiasOpt()):
        other = rival.weights(epsilon, size)
        reached = objective(other, epsilon, share)
        bound = lower_bound(other, epsilon, share)
        assert bound <= value * (1 + 1e-12)
        assert reached - bound > 1e-3 * reached
