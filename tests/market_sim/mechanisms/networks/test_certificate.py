"""Certified bounds: above everything that is tried, and close to it."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from differentiable_auctions import FirstPrice, RandomNetwork

import market_sim as ms
from market_sim.mechanisms.networks.attack import attack
from market_sim.mechanisms.networks.attack_starts import Region
from market_sim.mechanisms.networks.attack_trials import Liars
from market_sim.mechanisms.networks.base import ExpectedOutcome
from market_sim.mechanisms.networks.certificate import certify, enclosed
from market_sim.mechanisms.networks.regret_net import RegretNet, RegretNetSettings

BUDGET = 5.0
SMALL = Region(rate=(0.9, 1.1), cap=(0.9, 1.0), families=False)


def owners(profiles=3, count=2, seed=0):
    law = ms.fl_market_2021(owners=count, max_cap=2.0)
    return law.sample(np.random.default_rng(seed), (profiles,)).reports()


@dataclass(frozen=True)
class Published(RandomNetwork):
    """The published network, untrained, as it is used by the auctions."""

    hidden: int = 12

    @property
    def networks(self):
        settings = RegretNetSettings(
            owners=self.owners, options=self.options, sizes=False, hidden=self.hidden, layers=2
        )
        return RegretNet(settings, self.seed).double().requires_grad_(requires_grad=False)

    def expected_outcome(self, bids, budget):
        return self.networks(bids, budget)


def dense(mechanism, reports, region, points=24):
    """Largest gain over a grid of the region, corners included."""
    rates = np.geomspace(*region.rate, points)
    caps = np.geomspace(*region.cap, points)
    pairs = np.array([(rate, cap) for rate in rates for cap in caps])
    best = np.zeros(reports.shape)
    every = np.zeros((len(pairs), 1))
    honest = mechanism.expectation(reports, BUDGET, reports)[0]
    for owner in range(reports.owners):
        true_rate = reports.valuations.rate[:, owner]
        lies = reports.replace(
            owner, rate=pairs[:, :1] * true_rate, cap=pairs[:, 1:] * reports.cap[:, owner]
        )
        truth = reports.replace(owner, rate=every + true_rate)
        utility = mechanism.expectation(lies, BUDGET, truth)[0][..., owner]
        best[:, owner] = (utility - honest[:, owner]).max(axis=0)
    return np.maximum(best, 0.0)


@pytest.mark.parametrize(
    "mechanism",
    [FirstPrice(), RandomNetwork(owners=2, width=8, gain=1.5), Published(owners=2)],
    ids=["first price", "random", "published"],
)
def test_no_lie_of_a_dense_grid_is_above_and_the_gap_closes(mechanism):
    reports = owners()
    proof = certify(mechanism, reports, BUDGET, region=SMALL, gap=1e-3)
    tried = dense(mechanism, reports, SMALL)
    assert (tried <= proof.upper).all()
    assert (proof.lower <= proof.upper).all()
    assert proof.closed.all()
    assert (proof.upper - proof.lower <= proof.gap * (1 + 1e-9)).all()
    np.testing.assert_allclose(proof.gap, 1e-3 * reports.value)


def test_the_attack_is_between_the_bounds():
    mechanism, reports = RandomNetwork(owners=2, width=8, gain=1.5), owners()
    region = Region(rate=(0.8, 1.25), cap=(0.8, 1.0))
    found = attack(mechanism, reports, BUDGET, restarts=4, steps=40, region=region)
    proof = certify(mechanism, reports, BUDGET, region=region, gap=5e-3)
    assert (found.regret <= proof.upper).all()
    assert (found.regret >= proof.lower - 1e-9).all()
    again = certify(mechanism, reports, BUDGET, region=region, gap=5e-3, lower=found.regret)
    assert (again.lower >= found.regret).all()
    assert (again.upper >= found.regret).all()
    assert again.boxes <= proof.boxes


def test_the_known_regret_of_one_owner_on_a_wide_region():
    """The best ask by formula, and the smallest cap allowed: between bounds that nearly meet."""
    reports = owners(2, count=1)
    mechanism = FirstPrice(heat=1.0)
    region = Region(rate=(0.1, 100.0), cap=(0.5, 1.0), families=False)
    proof = certify(mechanism, reports, BUDGET, region=region, gap=2e-3)
    cost = reports.cost(0.5 * reports.cap)
    best = mechanism.best_regret(reports, cost)
    assert proof.closed.all()
    assert (proof.upper >= best).all()
    assert (proof.lower <= best + 1e-9).all()
    np.testing.assert_allclose(proof.upper, best, atol=2e-3 * reports.value.max())


def test_what_is_enclosed_holds_all_that_is_evaluated():
    mechanism, reports = Published(owners=2), owners(4)
    liars = Liars.of(mechanism, reports, BUDGET)
    pair = torch.arange(liars.pairs)
    true = liars.of_pairs(pair)
    kind, truth = true.kind[:, 0], torch.cat([true.rate, true.cap], dim=1)
    rng = torch.Generator().manual_seed(0)
    for width in (0.0, 1e-6, 1e-3, 0.1, 0.5):
        low, high = enclosed(liars, pair, kind, truth * (1 - width), truth)
        for _ in range(25):
            share = torch.rand(truth.shape, generator=rng, dtype=torch.float64)
            told = truth * (1 - width * share)
            value = liars.utility(pair, kind, told[:, 0], told[:, 1])
            assert not ((value < low) | (value > high)).any()  # no number: nothing is known
        if width <= 1e-6:
            assert (high - low).max() < 1e-3


def test_who_runs_out_of_boxes_gets_a_bound_that_holds():
    mechanism, reports = RandomNetwork(owners=2, width=8, gain=1.5), owners()
    rough = certify(mechanism, reports, BUDGET, region=SMALL, gap=1e-6, boxes=16)
    fine = certify(mechanism, reports, BUDGET, region=SMALL, gap=1e-3)
    assert not rough.closed.any()
    assert (rough.upper >= fine.lower).all()
    assert rough.upper.mean() > fine.upper.mean()
    assert rough.boxes == 16 * reports.cap.size


def test_bounds_of_a_truthful_rule_are_next_to_nothing():
    @dataclass(frozen=True)
    class Offer(FirstPrice):
        """Half of every cap, or what the cap is if that is less, for one unit of money."""

        def expected_outcome(self, bids, budget):
            chance = torch.tensor([0.0, 1.0], dtype=torch.float64).expand(*bids.cap.shape, 2)
            sold = torch.full_like(bids.cap, 0.1).unsqueeze(-1)
            return ExpectedOutcome(chance, sold, torch.ones_like(bids.cap))

    proof = certify(Offer(), owners(), BUDGET, region=SMALL)
    assert proof.lower.max() == 0.0
    assert proof.upper.max() < 1e-12


def test_columns_are_flat_lists():
    proof = certify(FirstPrice(), owners(), BUDGET, region=SMALL, gap=0.1)
    columns = proof.columns()
    assert columns["upper"] == proof.upper.reshape(-1).tolist()
    assert len(columns["lower"]) == 6


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"region": Region()}, "caps up to the true one"),
        ({"gap": 0.0}, "gap must be greater than 0"),
        ({"boxes": 3}, "boxes must be a whole number of at least 16"),
        ({"lower": -1.0}, "lower must be at least 0"),
    ],
)
def test_settings_out_of_their_domain_are_refused(settings, words):
    with pytest.raises(ms.InvalidInput, match=words):
        certify(FirstPrice(), owners(), BUDGET, **settings)


def test_a_rule_that_chooses_has_no_certificate():
    mechanism = RandomNetwork(owners=2, choose=True)
    with pytest.raises(ms.InvalidInput, match="cannot be certified: its networks use"):
        certify(mechanism, owners(), BUDGET)
