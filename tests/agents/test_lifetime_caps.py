"""Lifetime caps: no owner loses more privacy under composition than she ever will accept."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import market_sim as ms
from agents import BuyerTerms, DataOwner, Scaled
from market_sim.privacy import GaussianPerturbation, LaplacePerturbation, compose

PERTURBATIONS = [LaplacePerturbation(), GaussianPerturbation()]
ids = {"ids": lambda p: p.name}


def single(cap, lifetime_cap, owners=1):
    """Owners who ask 1 for anything up to their cap."""
    return ms.Population(
        ms.Valuations("step", np.ones(owners)), np.full(owners, cap), lifetime_cap=lifetime_cap
    )


@settings(max_examples=20)
@given(
    seed=st.integers(0, 10**6),
    perturbation=st.sampled_from(PERTURBATIONS),
    lifetime=st.floats(0.2, 12.0),
    factor=st.sampled_from([0.3, 1.0, 1.7]),
    buyers=st.integers(1, 2),
)
def test_nobody_ever_exceeds_her_cap(
    population, market, seed, perturbation, lifetime, factor, buyers
):
    people = population(8, seed, lifetime_cap=lifetime)
    money = float(ms.budgets(people, 1.5, "proportional"))
    one = market(
        people,
        buyers=[BuyerTerms(f"buyer {i}", money / 2) for i in range(buyers)],
        perturbation=perturbation,
        strategy=Scaled(1.0, factor),
        seed=seed,
    )
    one.run(25)
    table = one.tables()["owners"]
    assert (table["privacy_spent"] <= lifetime * (1 + 1e-9)).all()
    assert (one.ledger.owner_privacy <= lifetime * (1 + 1e-9)).all()


@pytest.mark.parametrize("perturbation", PERTURBATIONS, **ids)
def test_the_last_sale_is_exactly_what_is_left(market, perturbation, rows_of):
    lifetime = 2.5
    one = market(single(1.0, lifetime), perturbation=perturbation)
    left = []
    for _ in range(60):
        left.append(one.owner(0).privacy_left)
        one.step()
    sold = one.tables()["owners"]["epsilon"]
    last = np.flatnonzero(sold)[-1]
    assert sold[:last].tolist() == [1.0] * last
    assert sold[last] == left[last] <= 1.0
    assert not sold[last + 1 :].any()
    assert compose(perturbation, sold[: last + 1]).epsilon == pytest.approx(lifetime, rel=1e-3)
    assert one.owner(0).privacy_spent == pytest.approx(lifetime, rel=1e-9)
    expected = ["won"] * (last + 1) + ["left"] * (59 - last)
    assert one.tables()["owners"]["status"].tolist() == expected


def test_sums_under_laplace_and_more_rounds_under_gaussian_noise(market):
    sales = {}
    for perturbation in PERTURBATIONS:
        one = market(single(1.0, 3.0), perturbation=perturbation)
        one.run(40)
        sales[perturbation.name] = int(one.tables()["rounds"]["winners"].sum())
    assert sales["laplace"] == 3
    assert sales["gaussian"] > 5


def test_a_round_in_which_everybody_has_spent_hers_has_no_participant(market):
    one = market(single(1.0, 1.0, owners=3), budget=9.0)
    one.run(2)
    rounds, owners = one.tables()["rounds"], one.tables()["owners"]
    assert rounds["status"].tolist() == ["traded", "no participant"]
    assert rounds["participants"].tolist() == [3, 0]
    assert rounds["departed"].tolist() == [0, 3]
    assert owners["status"].tolist() == ["won"] * 3 + ["left"] * 3
    assert rounds["returned"].tolist()[1] == 9.0
    assert np.isnan(owners["reported_cap"][3:]).all()


def test_the_broker_refuses_an_offer_beyond_what_is_left(market):
    honest, liar = single(1.0, 1.5, owners=2), {"exceptions": [(Scaled(1.0, 1.2), [1])]}
    one = market(honest, budget=9.0, **liar)
    one.run(2)
    owners = one.tables()["owners"]
    assert owners["epsilon"].tolist() == [1.0, 1.2, 0.5, 0.0]
    assert owners["status"].tolist() == ["won", "won", "won", "refused"]
    assert one.ledger.owner_privacy.tolist() == [1.5, 1.2]
    assert one.tables()["rounds"]["participants"].tolist() == [2, 1]


def test_refusing_all_offers_leaves_no_participant_and_the_money_at_home(market):
    one = market(single(1.0, 0.5), strategy=Scaled(1.0, 3.0))
    one.step()
    rounds, owners = one.tables()["rounds"], one.tables()["owners"]
    assert rounds["status"].tolist() == ["no participant"]
    assert owners["status"].tolist() == ["refused"]
    assert not one.tables()["ledger"]["amount"].size
    assert not one.ledger.owner_privacy.any()


class Sips(DataOwner):
    """Sells little at a time."""

    def report(self, offer, view):
        return offer.reports().scaled(1.0, 0.5)


def test_less_than_a_thousandth_of_her_cap_left_and_an_owner_is_done(market):
    one = market(single(1.0, 2.0), owner_types={0: Sips}, budget=9.0)
    one.run(20)
    sold = one.tables()["owners"]["epsilon"]
    assert sold[:4].tolist() == [0.5, 0.5, 0.5, 0.25]  # half of what is left, below her cap
    last = np.flatnonzero(sold)[-1]
    assert sold[last] * 2 >= 1e-3 > sold[last]
    assert 0 < one.owner(0).privacy_left < 1e-3
    assert one.tables()["owners"]["status"][-1] == "left"
    assert one.tables()["rounds"]["departed"][[0, -1]].tolist() == [0, 1]


def test_an_owner_refuses_while_others_sell_on(market):
    people = ms.Population(
        ms.Valuations("step", np.ones(2)), np.ones(2), lifetime_cap=[1.0, np.inf]
    )
    one = market(people, budget=9.0)
    one.run(3)
    owners = one.tables()["owners"]
    assert owners["status"].tolist() == ["won", "won", "left", "won", "left", "won"]
    assert one.departed.tolist() == [True, False]
    assert one.ledger.owner_privacy.tolist() == [1.0, 3.0]
    assert one.owner(1).privacy_left == np.inf


def test_a_mechanism_that_oversells_is_stopped_before_anything_is_entered(market):
    class Greedy(ms.AllIn):
        def clear(self, reports, budget):
            fair = super().clear(reports, budget)
            return ms.Outcome(2.0 * fair.epsilon, fair.payment, budget)

    one = market(single(1.0, 1.0), mechanism=Greedy())
    with pytest.raises(ms.InvalidInput, match="sold epsilon 2 of an owner whose reported cap is 1"):
        one.step()
    assert not one.ledger.owner_privacy.any()
    assert not one.ledger.owner_money.any()
