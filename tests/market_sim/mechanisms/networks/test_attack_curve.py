"""Strength against measured regret."""

import numpy as np
import pytest
from differentiable_auctions import RandomNetwork

import market_sim as ms
from market_sim.mechanisms.networks.attack import attack
from market_sim.mechanisms.networks.attack_curve import attack_curve, best_of

BUDGET = 5.0
STRENGTHS = [(1, 0), (1, 10), (2, 20), (1, 1), (5, 40)]


def owners(profiles=4, count=3, seed=0):
    law = ms.fl_market_2021(owners=count, max_cap=2.0)
    return law.sample(np.random.default_rng(seed), (profiles,)).reports()


def test_regret_never_falls_along_the_curve_and_grows_with_strength():
    columns = attack_curve(RandomNetwork(), owners(), BUDGET, STRENGTHS).columns()
    assert list(zip(columns["restarts"], columns["steps"], strict=True)) == STRENGTHS
    for name in ("regret_mean", "regret_p95", "regret_max", "relative_regret_mean"):
        assert (np.diff(columns[name]) >= 0).all()
    assert columns["regret_mean"][-1] > 1.1 * columns["regret_mean"][0]
    # the fourth is weaker than what stands before it: nothing is added, nothing lost
    assert columns["regret_mean"][3] == columns["regret_mean"][2]
    assert columns["gain_share"][-1] == 1.0


def test_the_last_point_is_at_least_the_attack_alone():
    mechanism, reports = RandomNetwork(), owners()
    curve = attack_curve(mechanism, reports, BUDGET, [(1, 10), (3, 20)], seed=2)
    alone = attack(mechanism, reports, BUDGET, restarts=3, steps=20, seed=2)
    assert (curve.results[-1].regret >= alone.regret).all()


def test_the_better_lie_of_each_owner_is_kept():
    mechanism, reports = RandomNetwork(), owners()
    one, two = (
        attack(mechanism, reports, BUDGET, restarts=1, steps=5, deviation=part)
        for part in ("value", "cap")
    )
    both = best_of(one, two)
    assert (both.regret == np.maximum(one.regret, two.regret)).all()
    lied_in_cap = two.regret > one.regret
    assert (both.cap[lied_in_cap] == two.cap[lied_in_cap]).all()
    assert (both.cap[~lied_in_cap] == one.cap[~lied_in_cap]).all()


def test_no_strength_is_refused():
    with pytest.raises(ms.InvalidInput, match="strengths is empty"):
        attack_curve(RandomNetwork(), owners(), BUDGET, [])
