"""What every mechanism promises; a new public one is met here without being listed."""

import dataclasses
import inspect
import re

import numpy as np
import pytest
from discovery import by_name, implementations, instances
from generators import FAMILIES, Market, budgets, random_market, reports
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import market_sim as ms

# A network takes the markets it was trained for: test_learned_mechanisms_contract.py.
MECHANISMS = [m for m in instances(ms.Mechanism) if not hasattr(m, "law")]
every = pytest.mark.parametrize("mechanism", MECHANISMS, ids=by_name)
LIES = (0.0, 0.2, 0.5, 0.8, 0.95, 0.999, 1.001, 1.05, 1.2, 1.5, 2.0, 4.0)


def clear(mechanism, market):
    return mechanism.clear(market.reports(mechanism.families), market.budget)


def test_what_is_discovered():
    assert ms.AllIn in implementations(ms.Mechanism)
    assert {"all-in-critical", "all-in-singer", "all-in-published"} <= {m.name for m in MECHANISMS}
    assert len({m.name for m in MECHANISMS}) == len(MECHANISMS)


@every
def test_is_a_frozen_documented_record_with_a_name(mechanism):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", mechanism.name)
    assert dataclasses.is_dataclass(mechanism)
    assert type(mechanism).__dataclass_params__.frozen
    assert "Source:" in (inspect.getdoc(type(mechanism)) or "")
    assert mechanism.guarantees.truthful_for in ("single-minded", "linear", "any", "none")
    assert set(mechanism.families) <= set(ms.KINDS)
    assert set(mechanism.guarantees.truthful_in) <= {"value", "cap"}
    assert bool(mechanism.guarantees.truthful_in) == (mechanism.guarantees.truthful_for != "none")


@every
@given(data=st.data())
def test_outcome_of_any_reports(mechanism, data):
    told = data.draw(reports(families=mechanism.families))
    budget = data.draw(budgets(told))
    before = [told.valuations.kind.copy(), told.valuations.rate.copy(), told.cap.copy()]
    outcome = mechanism.clear(told, budget)
    assert outcome.epsilon.shape == outcome.payment.shape == told.shape
    assert_array_equal(outcome.budget, budget)
    assert (outcome.payment >= 0).all()
    assert (outcome.epsilon >= 0).all()
    if mechanism.guarantees.within_caps:
        assert (outcome.epsilon <= told.cap * (1 + 1e-12)).all()
    for array, copy in zip(
        (told.valuations.kind, told.valuations.rate, told.cap), before, strict=True
    ):
        assert_array_equal(array, copy)
    if mechanism.guarantees.budget_feasible:
        assert (outcome.spent <= budget * (1 + 1e-12)).all()
    if mechanism.guarantees.individually_rational:
        utility = outcome.utility(told.valuations, told.cap)
        assert (utility >= -1e-12 * (outcome.payment + 1e-300)).all()


@every
@pytest.mark.parametrize("family", FAMILIES)
def test_a_batch_is_its_rows(mechanism, family):
    market = random_market(family, np.random.default_rng(3), 24, 5)
    together = clear(mechanism, market)
    for row in range(24):
        alone = clear(mechanism, Market(*(part[row] for part in market)))
        assert_array_equal(together.epsilon[row], alone.epsilon)
        assert_array_equal(together.payment[row], alone.payment)
    cube = Market(*(part.reshape(2, 3, 4, *part.shape[1:]) for part in market))
    shaped = clear(mechanism, cube)
    assert_array_equal(shaped.payment.reshape(24, 5), together.payment)


@every
def test_same_reports_same_outcome(mechanism):
    if not mechanism.guarantees.deterministic:
        pytest.skip("makes no such claim")
    market = random_market("uniform", np.random.default_rng(4), 30, 6)
    first, second = clear(mechanism, market), clear(mechanism, market)
    assert_array_equal(first.payment, second.payment)
    assert_array_equal(first.epsilon, second.epsilon)


@every
def test_owners_are_anonymous(mechanism):
    if not mechanism.guarantees.anonymous:
        pytest.skip("makes no such claim")
    rng = np.random.default_rng(5)
    market = random_market("lognormal", rng, 50, 6)
    order = rng.permutation(6)
    still = clear(mechanism, market)
    moved = clear(mechanism, Market(market.value[:, order], market.cap[:, order], market.budget))
    assert_array_equal(moved.winners, still.winners[:, order])
    assert_allclose(moved.epsilon, still.epsilon[:, order], rtol=1e-12)
    assert_allclose(moved.payment, still.payment[:, order], rtol=1e-12)


def truthful_reports(minded, rng, profiles):
    kinds = ("linear",) if minded == "linear" else ms.KINDS[:4]
    law = ms.PopulationLaw(owners=4, kinds=kinds, single_minded=minded == "single-minded")
    population = law.sample(rng, (profiles,))
    return population.reports(), ms.budgets(population, 0.4, "proportional")


def best_gain(mechanism, told, budget, owner, value_factors, cap_factors):
    """Largest utility gained by the owner with factors on her value and her cap."""
    grid = np.array([(v, c) for v in value_factors for c in cap_factors])
    lies = told.replace(
        owner,
        rate=grid[:, :1] * told.valuations.rate[:, owner],
        cap=grid[:, 1:] * told.cap[:, owner],
    )
    truth, lie = mechanism.clear(told, budget), mechanism.clear(lies, budget)
    honest = truth.utility(told.valuations, told.cap)[..., owner]
    return (lie.utility(told.valuations, told.cap)[..., owner] - honest).max(axis=0)


def gains(mechanism, minded, parts):
    told, budget = truthful_reports(minded, np.random.default_rng(6), 150)
    values = LIES if "value" in parts else (1.0,)
    caps = (0.1, 0.3, 0.5, 0.7, 0.9, 1.0, 1.3, 2.0) if "cap" in parts else (1.0,)
    if mechanism.guarantees.caps_verified:
        caps = tuple(cap for cap in caps if cap <= 1.0)
    return np.stack(
        [best_gain(mechanism, told, budget, owner, values, caps) / budget for owner in range(4)]
    )


@every
def test_truthful_where_it_says_so(mechanism):
    promise = mechanism.guarantees
    if promise.truthful_for == "none":
        pytest.skip("makes no such claim")
    anybody = ("single-minded", "linear", "any")
    for minded in anybody if promise.truthful_for == "any" else (promise.truthful_for,):
        assert (gains(mechanism, minded, promise.truthful_in) <= 1e-9).all()


def test_the_attack_sees_what_is_manipulable():
    assert (gains(ms.AllIn("published"), "single-minded", ("value",)) > 0.01).mean() > 0.01
    assert (gains(ms.AllIn("critical"), "any", ("cap",)) > 0.01).mean() > 0.1
    # What the rules of the privacy auction game do not promise, they do not keep either.
    for rule in (ms.CSRA(), ms.ProportionalShare(), ms.MFGPricing(), ms.FirstPrice()):
        assert gains(rule, "linear", ("value", "cap")).max() > 0.01, rule.name


@every
def test_families_that_a_rule_is_not_defined_for(mechanism):
    strange = [kind for kind in ms.KINDS if kind not in mechanism.families]
    for kind in strange:
        told = ms.Reports(ms.Valuations(["linear", kind], [1.0, 1.0]), [1.0, 2.0])
        with pytest.raises(ms.InvalidInput, match=f"{mechanism.name} is defined for linear"):
            mechanism.clear(told, 1.0)
        with pytest.raises(ms.InvalidInput, match=f"{mechanism.name} is defined for linear"):
            ms.audit(mechanism, told, budget=1.0)


@every
@pytest.mark.parametrize("budget", [0.0, -1.0, np.nan, np.inf, [1.0, 2.0], "much"])
def test_budget_outside_its_domain(mechanism, budget):
    told = Market(np.array([1.0, 2.0, 3.0]), np.ones(3), 1.0).reports(mechanism.families)
    with pytest.raises(ms.InvalidInput, match="budget"):
        mechanism.clear(told, budget)
