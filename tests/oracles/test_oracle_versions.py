"""Owners' noise and versions' guarantees against dp-accounting; contests against scipy."""

import dp_accounting
import numpy as np
import pytest
from dp_accounting import gaussian_mechanism
from dp_accounting.pld import PLDAccountant
from scipy.optimize import brentq, minimize_scalar

import market_sim as ms
from market_sim.versions import OwnerNoise, VersionLabels, zcdp_budget


@pytest.mark.parametrize("method", ["zcdp", "analytic", "classic"])
@pytest.mark.parametrize(("epsilon", "rounds"), [(0.3, 1), (0.8, 10)])
def test_what_an_owner_spends_by_the_pld_accountant(method, epsilon, rounds):
    noise = OwnerNoise(clip=0.5, delta=1e-5, rounds=rounds, method=method)
    scale = noise.scale([epsilon], [25])
    accountant = PLDAccountant()
    multiplier = float(scale[0] / noise.sensitivity(25))
    accountant.compose(dp_accounting.GaussianDpEvent(multiplier), rounds)
    theirs = accountant.get_epsilon(1e-5)
    assert float(noise.spent(scale, [25])[0]) == pytest.approx(theirs, rel=2e-3)
    assert theirs <= epsilon * (1 + 2e-3)
    if method == "analytic":
        assert theirs == pytest.approx(epsilon, rel=2e-3)


@pytest.mark.parametrize("epsilon", [0.2, 1.0, 8.0])
def test_zcdp_noise_by_the_renyi_accountant(epsilon):
    """rho-zCDP is order * rho at every Renyi order; its conversion is the looser one."""
    rho, delta = float(zcdp_budget(epsilon, 1e-5)), 1e-5
    orders = 1.0 + np.logspace(-2, 3, 2000)
    bounds = orders * rho + np.log(1 / delta) / (orders - 1.0)
    assert bounds.min() == pytest.approx(epsilon, rel=1e-4)
    accountant = dp_accounting.rdp.RdpAccountant(orders)
    accountant.compose(dp_accounting.GaussianDpEvent(1 / np.sqrt(2 * rho)))
    assert accountant.get_epsilon(delta) <= epsilon


@pytest.mark.parametrize("label", [0.1, 0.9, 2.4])
def test_the_guarantee_of_a_version(label):
    labels = VersionLabels(samples=500, clip=2.0, delta=1e-6)
    multiplier = float(labels.noise(label)) / (2 * 2.0 / 500)
    theirs = gaussian_mechanism.get_epsilon_gaussian(multiplier, 1e-6)
    assert float(labels.guarantee(label)) == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize(("q", "p"), [(1, 1), (1, 1.3), (0.7, 2.0)])
def test_the_equilibrium_by_nested_root_finding(q, p):
    """Shares of one owner at a time by brentq, and their sum by brentq again."""
    rng = np.random.default_rng(6)
    cost, size, pool, a = np.exp(rng.standard_normal(7)), rng.integers(1, 9, 7), 12.0, p / q
    unit = cost / size**a

    def share(total, kappa):
        def gap(z):
            return (1 - z) * pool / total - a * kappa * (z * total) ** (a - 1)

        return brentq(gap, 0.0, 1.0, xtol=1e-15) if gap(0.0) > 0 else 0.0

    total = brentq(lambda y: sum(share(y, k) for k in unit) - 1.0, 1e-6, 1e3, xtol=1e-14)
    found = ms.RewardContest(cost, size, q, p).equilibrium(pool)
    assert found.total == pytest.approx(total, rel=1e-10)
    np.testing.assert_allclose(found.share, [share(total, k) for k in unit], atol=1e-10)


def test_regret_by_scalar_maximization():
    contest = ms.RewardContest([1.0, 2.0, 0.5], [3, 2, 1], 1, 1.4, low=0.1, high=0.8)
    play = np.array([0.1, 0.7, 0.4])
    contributions = contest.rules.size * play
    for owner, gain in enumerate(contest.deviation_gains(play, 2.0)):
        others = contributions.sum() - contributions[owner]

        def loss(epsilon, owner=owner, others=others):
            own = contest.rules.size[owner] * epsilon
            return contest.rules.cost[owner] * epsilon**1.4 - 2.0 * own / (own + others)

        best = minimize_scalar(loss, bounds=(0.1, 0.8), method="bounded", options={"xatol": 1e-12})
        top = max(-best.fun, -loss(0.1), -loss(0.8))
        assert gain == pytest.approx(max(top, 0.0) + loss(play[owner]), abs=1e-9)
