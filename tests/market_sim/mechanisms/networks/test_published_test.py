"""The published regret test: an ascent by hand, and a rule that it cannot fool."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from differentiable_auctions import RandomNetwork
from numpy.testing import assert_allclose

import market_sim as ms
from market_sim.mechanisms.networks.attack import attack
from market_sim.mechanisms.networks.base import DifferentiableMechanism, ExpectedOutcome
from market_sim.mechanisms.networks.laws import MarketLaw
from market_sim.mechanisms.networks.published_test import published_test


@dataclass(frozen=True)
class PaysTheAsk(DifferentiableMechanism):
    """Buys half of every cap for what is asked for it, `slope` times: lying by x pays x."""

    slope: float = 1.0
    name = "pays-the-ask"

    @property
    def guarantees(self):
        return ms.Guarantees()

    def clear(self, reports, budget):
        raise AssertionError("the test asks for expectations")

    def expected_outcome(self, bids, budget):
        chance = torch.zeros(*bids.rate.shape, 2, dtype=torch.float64)
        chance[..., 1] = 1.0
        options = 0.5 * bids.cap.detach().unsqueeze(-1)
        asked = bids.cost(options)[..., 0]
        return ExpectedOutcome(chance, options, self.slope * asked)


def market(profiles=6):
    told, _ = MarketLaw(owners=3, sizes="none").sample(np.random.default_rng(0), profiles)
    return told


@pytest.mark.parametrize("budget", [1.0, 50.0])
def test_the_ascent_is_the_plain_one_in_money(budget):
    """The utility is linear in the rate: R steps of gamma gain gamma R (slope)^2, any budget."""
    told = market()
    half = told.valuations.base(0.5 * told.cap)
    found = published_test(PaysTheAsk(), told, budget, steps=7, step=0.01)
    assert_allclose(found.regret, 0.07 * half**2, rtol=1e-4)
    assert_allclose(found.ir_violation, 0.0, atol=1e-12)


def test_shortfall_of_truthful_owners():
    told = market()
    found = published_test(PaysTheAsk(0.4), told, 1.0, steps=1)
    assert_allclose(found.ir_violation, 0.6 * told.cost(0.5 * told.cap), rtol=1e-6)


def test_no_regret_where_reports_do_not_matter():
    assert (published_test(PaysTheAsk(0.0), market(), 1.0).regret == 0).all()


def test_shapes_and_bad_input():
    told = market(6)
    cube = ms.Reports(
        ms.Valuations(told.valuations.kind.reshape(2, 3, 3), told.valuations.rate.reshape(2, 3, 3)),
        told.cap.reshape(2, 3, 3),
    )
    flat = published_test(PaysTheAsk(), told, 2.0, steps=2).regret
    assert_allclose(published_test(PaysTheAsk(), cube, 2.0, steps=2).regret.reshape(6, 3), flat)
    with pytest.raises(ms.InvalidInput, match="steps must be"):
        published_test(PaysTheAsk(), told, 2.0, steps=0)


def test_it_is_weaker_than_the_attack():
    mechanism = RandomNetwork()
    law = ms.fl_market_2021(owners=3, max_cap=2.0)
    reports = law.sample(np.random.default_rng(0), (4,)).reports()
    strong = attack(mechanism, reports, 5.0, restarts=4, steps=40).regret
    weak = published_test(mechanism, reports, 5.0, steps=25).regret
    assert (weak <= strong + 1e-9).all()
    assert weak.mean() < 0.8 * strong.mean()
