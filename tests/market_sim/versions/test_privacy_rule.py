"""The privacy rule: versions that the model cannot reach are dropped, lowered or not sold."""

import numpy as np
import pytest

import market_sim as ms
from market_sim.errors import InvalidInput
from market_sim.versions import (
    OwnerNoise,
    PrivacyRule,
    contest_play,
    enforce_rule,
    pool_for_label,
)

SIZES = np.array([40.0, 50.0, 60.0])
COSTS = [1.0, 1.1, 1.2]
LABELS = np.array([0.1, 0.2, 0.4])


def priced(rate, exponent=1.0):
    """Prices in proportion to a power of the label; the pool is their sum."""
    calls = []

    def price(labels):
        calls.append(labels.tolist())
        prices = rate * labels**exponent
        return prices, float(prices.sum())

    return price, calls


def owners(p=2.0, method="classic", **bounds):
    contest = PrivacyRule(**bounds).contest(COSTS, SIZES, 1, p)
    return contest_play(contest, SIZES, OwnerNoise(method=method))


def test_a_rich_market_keeps_all_versions():
    price, calls = priced(7.0)
    offer = enforce_rule(LABELS, price, owners())
    assert offer.trade
    assert offer.global_label >= 0.4
    assert offer.solves == len(calls) == 1
    assert offer.dropped.size == 0
    assert offer.lowered_from is None
    assert offer.pool == pytest.approx(4.9)
    np.testing.assert_allclose(offer.prices, 7.0 * LABELS)
    assert offer.equilibrium.pool == pytest.approx(4.9)


@pytest.mark.parametrize(("rate", "left"), [(4.2, 2), (3.2, 1)])
def test_top_versions_are_dropped_one_by_one_and_the_rest_priced_anew(rate, left):
    price, calls = priced(rate)
    offer = enforce_rule(LABELS, price, owners())
    assert calls == [LABELS[:k].tolist() for k in range(3, left - 1, -1)]
    assert offer.solves == len(calls)
    assert offer.labels.tolist() == LABELS[:left].tolist()
    assert offer.dropped.tolist() == LABELS[: left - 1 : -1].tolist()
    assert offer.pool == pytest.approx(rate * LABELS[:left].sum())
    assert offer.global_label >= offer.labels[-1]
    assert offer.lowered_from is None
    assert f"{3 - left} top version" in offer.status


def test_the_only_version_is_lowered_as_little_as_needed():
    play = owners()
    price, _ = priced(0.02)
    offer = enforce_rule(LABELS, price, play)
    assert offer.trade
    assert offer.lowered_from == 0.1
    label = offer.labels[0]
    assert 0 < label < 0.1
    assert offer.global_label >= label * (1 - 1e-12)
    above = play(price(np.array([label * (1 + 3e-6)]))[1])[1]
    assert above < label * (1 + 3e-6)  # a little more could not be kept
    assert "lowered from 0.1" in offer.status
    assert offer.dropped.tolist() == [0.4, 0.2]


def test_without_lowering_there_is_no_trade():
    offer = enforce_rule(LABELS, priced(0.02)[0], owners(), lowest="refuse")
    assert not offer.trade
    assert offer.labels.size == offer.prices.size == 0
    assert offer.pool == 0.0
    assert offer.equilibrium is None
    assert "no trade: the model reaches" in offer.status


def test_no_label_is_low_enough():
    """The pool falls faster than what the label needs: lowering never ends well."""
    offer = enforce_rule([0.1], priced(1e-4, exponent=4.0)[0], owners(p=2.0))
    assert not offer.trade
    assert offer.solves < 100
    empty = enforce_rule([0.1], lambda labels: (0.0 * labels, 0.0), owners())
    assert not empty.trade
    assert empty.solves == 1


def test_floors_that_nobody_accepts_stop_the_trade():
    offer = enforce_rule(LABELS, priced(0.1)[0], owners(low=0.9, high=0.95))
    assert not offer.trade
    assert offer.global_label == 0.0


@pytest.mark.parametrize("p", [1.0, 1.5, 3.0])
def test_the_pool_that_a_version_needs(p):
    """(eps_k / eps_g(1))^p, by the scaling law."""
    contest = ms.RewardContest(COSTS, SIZES, 1, p)
    play = contest_play(contest, SIZES, OwnerNoise(method="analytic"))
    harmonic = (contest.equilibrium(1.0).epsilon ** -2.0).sum() ** -0.5

    def classic(pool):  # the classic label of any epsilon, without its bound of 1
        found = contest.equilibrium(pool)
        return found, float((found.epsilon**-2.0).sum() ** -0.5)

    for label in (0.05, 0.3, 2.0):
        pool = pool_for_label(contest, classic, label)
        assert pool == pytest.approx((label / harmonic) ** p, rel=1e-10)
        assert classic(pool)[1] == pytest.approx(label, rel=1e-10)
    pool = pool_for_label(contest, play, 0.3)
    assert play(pool)[1] == pytest.approx(0.3, rel=1e-9)


def test_the_pool_with_bounds_and_labels_that_no_pool_reaches():
    contest = ms.RewardContest(COSTS, SIZES, 1, 2, high=0.5)
    play = contest_play(contest, SIZES, OwnerNoise(method="classic"))
    pool = pool_for_label(contest, play, 0.25)
    assert play(pool)[1] >= 0.25
    assert play(pool * (1 - 1e-9))[1] < 0.25
    free = ms.RewardContest(COSTS, SIZES, 1, 2)
    assert pool > pool_for_label(
        free, contest_play(free, SIZES, OwnerNoise(method="analytic")), 0.2
    )
    with pytest.raises(InvalidInput, match=r"no pool makes the model reach the label 0\.3"):
        pool_for_label(contest, play, 0.3)  # 0.5 / sqrt(3) = 0.289 with all at the ceiling
    with pytest.raises(InvalidInput, match="label must be greater than 0"):
        pool_for_label(contest, play, 0.0)


def test_the_rule_bounds_the_contest():
    contest = PrivacyRule(0.1, 0.7).contest(COSTS, SIZES, 1, 2)
    assert contest.rules.participation
    np.testing.assert_array_equal(contest.rules.low, [0.1] * 3)
    np.testing.assert_array_equal(contest.rules.high, [0.7] * 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: PrivacyRule(1.0, 0.5), "low must not exceed high"),
        (lambda: PrivacyRule(-1.0), "low must be at least 0"),
        (lambda: PrivacyRule(np.inf), "low must be finite"),
        (lambda: PrivacyRule([0.1, 0.2]), "low must be one number"),
        (lambda: enforce_rule([0.2, 0.1], None, None), "labels must increase"),
        (lambda: enforce_rule([0.1], None, None, lowest="drop"), "'lower' or 'refuse'"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()
