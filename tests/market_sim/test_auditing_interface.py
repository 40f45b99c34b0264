"""What the audit refuses: broken mechanisms, undeclared randomness, settings that mean nothing."""

from dataclasses import dataclass

import numpy as np
import pytest

import market_sim as ms

TRUTH = ms.Reports.single_minded(value=[[6.0, 1.8], [2.0, 3.0]], cap=[[4.0, 1.0], [1.0, 2.0]])


class Rule:
    """A mechanism made of one function."""

    name = "toy"

    def __init__(self, clear):
        self.clear = clear


@dataclass
class Loose:
    """An outcome that checks nothing."""

    epsilon: object
    payment: object


def in_place(reports, budget):
    reports.cap.setflags(write=True)
    reports.cap[...] *= 0.5
    return ms.Outcome(reports.cap * 0, reports.cap * 0, budget)


def undeclared(rng):
    def clear(reports, budget):
        return ms.Outcome(reports.cap, rng.uniform(size=reports.shape), budget)

    return clear


def returning(make):
    """A rule that ignores the budget."""
    return lambda reports, _budget: make(reports)


BROKEN = {
    "sold epsilon": returning(lambda r: Loose(2 * r.cap, r.cap)),
    "payment -1": returning(lambda r: Loose(r.cap, -np.ones(r.shape))),
    "payment nan": returning(lambda r: Loose(r.cap, np.full(r.shape, np.nan))),
    "payment of shape": returning(lambda r: Loose(r.cap, np.ones(r.owners))),
    "without a numeric `payment`": returning(lambda r: Loose(r.cap, "much")),
    "without a numeric `epsilon`": returning(lambda _: None),
    "changed the reports in place": in_place,
    "refused reports": lambda reports, budget: ms.Outcome(reports.cap, -reports.cap, budget),
    "two outcomes for the same reports": undeclared(np.random.default_rng(0)),
}


@pytest.mark.parametrize("words", BROKEN)
def test_a_broken_mechanism_is_named_in_one_sentence(words):
    with pytest.raises(ms.AuditError, match=words) as caught:
        ms.audit(Rule(BROKEN[words]), TRUTH, budget=7.0)
    assert str(caught.value).startswith("toy ")
    assert "\n" not in str(caught.value)


@dataclass(frozen=True)
class CoinToss:
    """Heads: everybody is paid what she asks. Tails: nothing is bought."""

    heads: bool | None = None
    name = "coin-toss"

    @property
    def guarantees(self):
        return ms.Guarantees(deterministic=self.heads is not None, anonymous=True)

    def realize(self, seed):
        return CoinToss(bool(np.random.default_rng(seed).integers(2)))

    def clear(self, reports, budget):
        asks = reports.value <= np.asarray(budget)[..., None]
        won = asks & bool(self.heads)
        return ms.Outcome(reports.cap * won, reports.value * won, budget)


def test_a_random_rule_is_judged_by_its_mean_over_the_same_tosses():
    truth = ms.Reports.single_minded(value=[2.0], cap=[1.0])
    report = ms.audit(CoinToss(), truth, budget=10.0, draws=32, deviations=("value",), seed=4)
    seeds = [ms.Streams(4).seed("audit draws", draw) for draw in range(32)]
    share = np.mean([CoinToss().realize(seed).heads for seed in seeds])
    assert 0.2 < share < 0.8
    assert report.rows[0].regret_max == pytest.approx(share * (10.0 - 2.0), rel=1e-3)
    assert {v.guarantee: v.status for v in report.verdicts} == {"anonymous": "not tested"}


def test_a_random_rule_without_a_way_to_fix_its_coins_is_refused():
    class NoSeed:
        guarantees = ms.Guarantees(deterministic=False)
        clear = CoinToss.clear

    with pytest.raises(ms.AuditError, match="NoSeed states deterministic=False but has no realize"):
        ms.audit(NoSeed(), TRUTH, budget=7.0)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"profiles": 0}, "profiles must be at least 1"),
        ({"cap_grid": 1}, "cap_grid must be at least 2"),
        ({"deviations": ("price",)}, "deviations must be some of"),
        ({"deviations": ()}, "deviations must be some of"),
        ({"budget": -1.0}, "budget must be greater than 0"),
        ({"budget": np.nan}, "budget must not be NaN"),
        ({"budget": [1.0, 2.0, 3.0]}, "budget has shape"),
        ({"seed": -1}, "seed must be a whole number of at least 0"),
    ],
)
def test_settings_out_of_their_domain_are_refused(settings, words):
    with pytest.raises(ms.InvalidInput, match=words):
        ms.audit(ms.AllIn(), TRUTH, **{"budget": 7.0, **settings})


@pytest.mark.parametrize("source", [None, "owners", lambda *_: TRUTH, lambda *_: 3])
def test_what_are_no_reports_is_refused(source):
    with pytest.raises(ms.InvalidInput, match="sample_reports"):
        ms.audit(ms.AllIn(), source, budget=7.0, profiles=5)


def test_every_way_to_give_the_owners_gives_the_same_audit():
    law = ms.PopulationLaw(owners=3, single_minded=True)
    generator = ms.Streams(9).generator("audit profiles")
    population = law.sample(generator, (6,))
    ways = [
        law,
        lambda rng, profiles: law.sample(rng, (profiles,)).reports(),
        lambda rng, profiles: law.sample(rng, (profiles,)),
        population,
        population.reports(),
    ]
    reports = [ms.audit(ms.AllIn("published"), way, budget=9.0, profiles=6, seed=9) for way in ways]
    assert all(report == reports[0] for report in reports)
    assert reports[0].population == "single-minded"


def test_leading_axes_of_ready_reports_are_made_one_with_their_budgets():
    value = np.array([[[6.0, 1.8]], [[2.0, 3.0]]])
    truth = ms.Reports.single_minded(value=value, cap=np.ones(value.shape))
    report = ms.audit(ms.AllIn(), truth, budget=np.array([[7.0], [2.5]]), population="mine")
    assert (report.profiles, report.owners, report.population) == (2, 2, "mine")


def test_only_the_deviations_asked_for_are_tried():
    report = ms.audit(ms.AllIn("published"), TRUTH, budget=7.0, deviations=("both", "value"))
    assert [row.deviation for row in report.rows] == ["value", "both"]
    assert [
        row.deviation for row in ms.audit(ms.AllIn(), TRUTH, budget=7.0, deviations="cap").rows
    ] == ["cap"]


def test_both_is_never_worse_than_one_part_alone():
    for mechanism in (ms.AllIn("published"), Rule(ms.AllIn("published").clear)):
        report = ms.audit(mechanism, ms.fl_market_2021(owners=3), budget=20.0, profiles=10)
        value, cap, both = (row.regret_mean for row in report.rows)
        assert both >= max(value, cap)


def test_an_exponential_owner_with_a_huge_cap_is_no_reason_to_stop():
    truth = ms.Reports(ms.Valuations(["exponential", "linear"], [1.0, 1.0]), [500.0, 1.0])
    report = ms.audit(ms.AllIn(), truth, budget=10.0)
    assert np.isfinite(report.rows[0].regret_max)
