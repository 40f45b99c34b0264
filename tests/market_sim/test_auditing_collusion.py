"""Collusion: joint lies by brute force, rules that resist and rules that do not."""

import itertools
import json

import numpy as np
import pytest

import market_sim as ms
from market_sim.errors import InvalidInput

UNIFORM = ms.privacy_auction_law("uniform", 6)
CHEAP = {"profiles": 4, "coalitions": 15, "tries": 120}


def reports(value, cap):
    return ms.BiddingGame.reports(np.array(value), np.array(cap))


def by_brute_force(rule, truth, budget, members, bids, caps):
    """Try every joint report of a fine grid."""
    honest = rule.clear(truth, budget).utility(truth.valuations, cap=truth.cap)
    joint = np.array(list(itertools.product(itertools.product(bids, caps), repeat=len(members))))
    bid, cap = (np.tile(column, (len(joint), 1)) for column in (truth.unit_value, truth.cap))
    bid[:, members], cap[:, members] = joint[..., 0], joint[..., 1] * truth.cap[list(members)]
    lies = rule.clear(ms.BiddingGame.reports(bid, cap), budget)
    gained = lies.utility(truth.valuations, cap=truth.cap) - honest
    return max(0.0, gained[:, members].sum(axis=1).max())


@pytest.mark.parametrize(
    "rule", [ms.AllIn("singer"), ms.ProportionalShare(), ms.FirstPrice(), ms.MFGPricing()]
)
def test_no_less_is_found_than_by_brute_force(rule):
    truth = reports([0.2, 0.5, 0.8], [1.0, 1.0, 1.0])
    found = ms.collusion_audit(rule, truth, budget=1.2, tries=400)
    grid = np.append(np.linspace(0.01, 2.0, 13), [0.4999, 0.7999])
    best = max(
        by_brute_force(rule, truth, 1.2, pair, grid, (0.05, 0.4, 0.7, 1.0))
        for pair in itertools.combinations(range(3), 2)
    )
    assert found.coalitions == 3
    assert found.gain_max >= best - 0.02 * max(best, 0.1)


def test_a_loser_raises_the_price_for_a_winner():
    """Three ask 1, 2, 3 with money for two: the winners are paid 3 until the third asks more."""
    truth = ms.Reports.single_minded(value=[1.0, 2.0, 3.0], cap=[1.0, 1.0, 1.0])
    found = ms.collusion_audit(ms.AllIn("singer"), truth, budget=6.5)
    assert found.gain_max == pytest.approx(0.25, abs=1e-6)
    assert found.paired_gain_max == pytest.approx(0.25, abs=1e-6)
    assert 2 in found.witness["members"]
    three = ms.collusion_audit(ms.AllIn("singer"), truth, budget=6.5, size=3)
    # All three are a monopoly: two stay out, and the cheapest takes 6.5 for what costs her 1.
    assert three.gain_max == pytest.approx((6.5 - 1.0) - 3.0, abs=1e-6)
    alone = ms.collusion_audit(ms.AllIn("singer"), truth, budget=6.5, size=1)
    assert alone.gain_max <= 1e-9
    assert alone.witness == {}
    assert "none of" in alone.status


def test_the_witness_shows_the_gain():
    found = ms.collusion_audit(ms.LeaveOneOut(), UNIFORM, budget=3.0, **CHEAP)
    assert found.gain_max > 0.01
    seen = ms.collusion_audit(ms.LeaveOneOut(), UNIFORM, budget=3.0, **CHEAP)
    assert seen.witness == found.witness
    truth = market_of(found)
    lie = found.witness
    bid, cap = truth.valuations.rate.copy(), truth.cap.copy()
    bid[lie["members"]], cap[lie["members"]] = lie["rate"], lie["cap"]
    said = ms.Reports(ms.Valuations("linear", bid), cap)
    before, after = (
        ms.LeaveOneOut().clear(r, 3.0).utility(truth.valuations, cap=truth.cap)
        for r in (truth, said)
    )
    gains = (after - before)[lie["members"]]
    np.testing.assert_allclose(gains, lie["gains"], atol=1e-12)
    assert gains.sum() == pytest.approx(found.gain_max)


def market_of(found):
    """Return the truth that the audit drew."""
    rng = ms.Streams(found.seed).generator("audit profiles")
    drawn = UNIFORM.sample(rng, (found.profiles,)).reports()
    at = found.witness["profile"]
    return ms.Reports(drawn.valuations[at], drawn.cap[at])


@pytest.mark.parametrize("rule", [ms.AllIn(), ms.LeaveOneOut(), ms.ProportionalShare()])
def test_rules_that_are_truthful_for_one_are_not_for_two(rule):
    pair = ms.collusion_audit(rule, UNIFORM, budget=3.0, deviation="value", **CHEAP)
    assert pair.gain_max > 0.01
    assert pair.share > 0
    assert pair.paired_gain_max > 0.01


def test_a_posted_price_is_safe_until_the_money_runs_out():
    """Short money lets one step aside for another who has more of the sale, for a side payment."""
    rule = ms.PostedPrice(0.6, order="given", last="part")
    rich = ms.collusion_audit(rule, UNIFORM, budget=100.0, **CHEAP)
    assert rich.gain_max <= 1e-9
    assert rich.share == rich.paired_share == 0.0
    poor = ms.collusion_audit(rule, UNIFORM, budget=2.0, **CHEAP)
    assert poor.gain_max > 0.01
    assert poor.paired_gain_max <= 1e-9
    assert poor.paired_witness == {}
    assert "with no member losing, nothing" in poor.status


def test_coalitions_of_one_are_what_the_audit_finds():
    truth = reports([0.2, 0.5, 0.8, 0.9], [1.0, 2.0, 1.0, 1.5])
    ours = ms.collusion_audit(ms.FirstPrice(), truth, budget=1.5, size=1, tries=600)
    theirs = ms.audit(ms.FirstPrice(), truth, budget=1.5, deviations=("both",)).rows[0]
    assert ours.gain_max == pytest.approx(theirs.regret_max, rel=0.02)


def test_larger_coalitions_gain_no_less():
    gains = [
        ms.collusion_audit(ms.AllIn(), UNIFORM, budget=3.0, size=size, **CHEAP).gain_mean
        for size in (1, 2, 3)
    ]
    assert gains == sorted(gains)


def test_random_rules_are_judged_by_means_of_draws():
    rule = ms.PostedPrice(0.6)
    found = ms.collusion_audit(rule, UNIFORM, budget=100.0, draws=3, **CHEAP)
    assert found.gain_max <= 1e-9


def test_data_sizes_multiply_the_costs():
    law = ms.PopulationLaw(4, ("linear",), (0.1, 1.0), (0.5, 1.0), "reference")
    found = ms.collusion_audit(ms.PostedPrice(0.5, order="given"), law, budget=1e6, profiles=2)
    assert found.gain_max <= 1e-9 * 1e6


def test_owners_sold_above_their_caps_are_left_out():
    found = ms.collusion_audit(ms.PAC(), UNIFORM, budget=3.0, **CHEAP)
    assert np.isfinite(found.gain_max)


@pytest.mark.parametrize("part", ["value", "cap"])
def test_only_the_part_asked_for_is_lied_about(part):
    rule = ms.FirstPrice() if part == "value" else ms.MFGPricing()
    found = ms.collusion_audit(rule, UNIFORM, budget=3.0, deviation=part, **CHEAP)
    truth = market_of(found)
    members = found.witness["members"]
    kept = {"value": ("cap", truth.cap), "cap": ("rate", truth.valuations.rate)}[part]
    np.testing.assert_array_equal(found.witness[kept[0]], kept[1][members])


def test_reports_are_plain_values():
    found = ms.collusion_audit(ms.AllIn(), UNIFORM, budget=3.0, profiles=1, coalitions=2, tries=9)
    assert json.loads(json.dumps(found.to_dict()))["size"] == 2
    assert str(found).startswith("all-in-critical, coalitions of 2: ")


@pytest.mark.parametrize(
    "settings",
    [{"size": 0}, {"size": 7}, {"tries": 0}, {"zooms": -1}, {"deviation": "size"}, {"draws": 0}],
)
def test_settings_outside_their_domain_are_refused(settings):
    with pytest.raises(InvalidInput):
        ms.collusion_audit(ms.AllIn(), UNIFORM, budget=3.0, profiles=1, **settings)
