"""Ascents to the best lie: against a problem with a known top, and against automatic slopes."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

import market_sim as ms
from market_sim.mechanisms.networks.base import Bids, ExpectedOutcome
from market_sim.mechanisms.networks.inputs import owner_inputs
from market_sim.mechanisms.networks.laws import MarketLaw
from market_sim.mechanisms.networks.misreports import LieSearch, NetworkLies, ascend, tell
from market_sim.mechanisms.networks.regret_net import RegretNet, RegretNetSettings
from market_sim.mechanisms.networks.regret_net_lies import FrozenNet, OwnerLies, by_owner
from market_sim.mechanisms.networks.training_lies import find_lies, liars


@dataclass
class Hill:
    """Utility with its top at (rate, cap) in logarithms, row by row; it counts its calls."""

    top: np.ndarray

    @property
    def rows(self):
        return self.top.shape[1]

    def utility(self, log_rate, log_cap):
        away = np.stack([log_rate, log_cap]) - self.top
        return -np.square(away).sum(axis=0), -2 * away[0], -2 * away[1]


def test_tops_on_both_sides_of_the_truth_are_found():
    top = np.array([[0.9, -0.9, 0.0, 2.0], [-0.4, -1.0, 0.0, -0.1]], dtype=np.float32)
    problem = Hill(top)
    rate, cap, gain = ascend(problem, LieSearch(80, 2), np.random.default_rng(0))
    assert_allclose(np.stack([rate, cap]), top, atol=0.02)
    assert_allclose(gain, np.square(top).sum(axis=0), rtol=1e-2, atol=1e-6)


def test_the_best_iterate_counts_not_the_last():
    class Needle(Hill):
        """Pays 1 on the way and nothing at the top that the slopes point to."""

        def utility(self, log_rate, log_cap):
            _, by_rate, by_cap = super().utility(log_rate, log_cap)
            return 1.0 * ((log_rate > 0.8) & (log_rate < 1.6)), by_rate, by_cap

    problem = Needle(np.full((2, 3), [[3.0], [0.0]], dtype=np.float32))
    rate, _, gain = ascend(problem, LieSearch(60), np.random.default_rng(0))
    assert (gain == 1).all()
    assert ((rate > 0.8) & (rate < 1.6)).all()


def test_caps_only_go_down_and_lies_stay_within_the_limit():
    problem = Hill(np.array([[9.0, -9.0], [5.0, -9.0]], dtype=np.float32))
    rate, cap, _ = ascend(problem, LieSearch(80, limit=1.5), np.random.default_rng(0))
    assert_allclose(rate, [1.5, -1.5])
    assert_allclose(cap, [0.0, -1.5])


def test_nothing_to_gain_is_a_gain_of_zero():
    problem = Hill(np.zeros((2, 5), dtype=np.float32))
    assert (ascend(problem, LieSearch(), np.random.default_rng(0))[2] == 0).all()


@pytest.mark.parametrize("changes", [{"steps": 0}, {"restarts": 0}, {"step": 0.0}])
def test_bad_searches(changes):
    with pytest.raises(ms.InvalidInput):
        LieSearch(**changes)


def market(rows=24, sizes="reference", **changes):
    law = MarketLaw(owners=5, sizes=sizes)
    settings = RegretNetSettings(owners=5, options=4, hidden=20, sizes=sizes != "none", **changes)
    module = RegretNet(settings, seed=2)
    module.inputs.fit(law, 0)
    reports, budget = law.sample(np.random.default_rng(1), rows)
    return module, Bids.from_reports(reports, torch.float32), torch.tensor(budget).float()


def both_ways(module, truth, budget, owner, temperature, half=False):
    with torch.no_grad():
        seen = module.inputs(owner_inputs(truth, budget, module.settings.max_cap)).numpy()
    net = FrozenNet(module, temperature, half)
    quick = OwnerLies(net, seen, truth, budget, owner)
    network = partial(module, temperature=temperature)
    return quick, NetworkLies(network, truth, budget, torch.full((len(budget),), owner))


@pytest.mark.parametrize("sizes", ["none", "reference"])
@pytest.mark.parametrize(
    "changes",
    [{"unspent": False}, {"unspent": True}, {"deterministic": True}, {"grid": "harmonic"}],
)
def test_slopes_by_hand_are_the_automatic_ones(changes, sizes):
    temperature = 0.3 if "deterministic" in changes else 1.0
    quick, general = both_ways(*market(sizes=sizes, **changes), 2, temperature)
    rng = np.random.default_rng(3)
    place = np.stack([rng.normal(0, 0.5, 24), -rng.uniform(0, 1, 24)]).astype(np.float32)
    found, expected = quick.utility(*place), general.utility(*place)
    for one, other, scale in zip(found, expected, (1e-5, 1e-5, 1e-5), strict=True):
        assert_allclose(one, other, rtol=2e-4, atol=scale)


def test_slopes_in_half_precision_point_the_same_way_and_values_are_exact():
    market_ = market(200)
    exact, _ = both_ways(*market_, 1, 1.0)
    rough, _ = both_ways(*market_, 1, 1.0, half=True)
    zero = np.zeros(200, dtype=np.float32)
    first = [x.copy() for x in exact.utility(zero, zero)]
    second = rough.utility(zero, zero)
    assert (first[0] == second[0]).all()
    for one, other in zip(first[1:], second[1:], strict=True):
        assert np.corrcoef(one, other)[0, 1] > 0.999


def test_lies_of_the_quick_and_the_general_way_gain_the_same():
    quick, general = both_ways(*market(), 0, 1.0)
    gains = [ascend(p, LieSearch(20, 2), np.random.default_rng(5))[2] for p in (quick, general)]
    assert gains[0].mean() > 0.001
    assert_allclose(gains[0], gains[1], rtol=1e-3, atol=1e-5)


def test_a_lie_changes_one_owner_and_no_truth():
    _, truth, _ = market(4)
    before = truth.rate.clone()
    owner = torch.tensor([[0], [2], [4], [1]])
    told = tell(truth, owner, torch.full((4,), 2.0), torch.full((4,), 0.5))
    assert (truth.rate == before).all()
    changed = told.rate != truth.rate
    assert (changed.sum(dim=1) == 1).all()
    assert_allclose(told.rate.gather(1, owner), 2 * truth.rate.gather(1, owner))
    assert_allclose(told.cap.gather(1, owner), 0.5 * truth.cap.gather(1, owner))


def test_who_lies():
    rng = np.random.default_rng(0)
    profile, owner = liars(rng, 7, 5, 0)
    assert sorted(zip(profile, owner, strict=True)) == [(p, o) for p in range(7) for o in range(5)]
    profile, owner = liars(rng, 3000, 5, 2)
    pairs = owner.reshape(3000, 2)
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert np.bincount(owner).min() > 1000
    parts = by_owner(owner, range(5), block=100)
    assert max(map(len, parts)) == 100
    assert sorted(np.concatenate(parts)) == list(range(6000))
    assert all(len(set(owner[part])) == 1 for part in parts)


@pytest.mark.parametrize("deterministic", [False, True])
def test_lies_of_a_batch_raise_the_liars_own_utility(deterministic):
    module, truth, budget = market(40, deterministic=deterministic)
    rng = np.random.default_rng(0)
    rows = liars(rng, 40, 5, 2)
    lies = find_lies(module, truth, budget, 1.0, rows, LieSearch(15), rng)
    with torch.no_grad():
        honest = module(truth, budget, temperature=1.0).utility(truth)[lies.profile, lies.owner]
        told = module(lies.told, budget[lies.profile], temperature=1.0)
    true = Bids(*(x[lies.profile] for x in (truth.kind, truth.rate, truth.cap, truth.data_size)))
    gain = told.utility(true)[torch.arange(80), lies.owner] - honest
    assert (gain > -1e-4 * budget[lies.profile]).all()
    assert (gain > 0).float().mean() > 0.8


def test_a_lie_above_the_true_cap_is_never_worth_having():
    def sells_all(bids, budget):
        chance = torch.zeros(*bids.rate.shape, 2)
        chance[..., 1] = 1.0
        return ExpectedOutcome(chance, bids.cap.unsqueeze(-1), budget.unsqueeze(-1) * bids.cap)

    truth = Bids(torch.zeros(3, 2, dtype=torch.int64), torch.ones(3, 2), torch.ones(3, 2))
    problem = NetworkLies(sells_all, truth, torch.ones(3), torch.zeros(3, dtype=torch.int64))
    up = np.full(3, 0.1, dtype=np.float32)
    utility, *slopes = problem.utility(0 * up, up)
    assert (utility == -np.inf).all()
    assert np.isfinite(slopes).all()
