"""Best responses of listed owners on a grid of factors, the others held fixed."""

import itertools

import numpy as np
import pytest

import market_sim as ms
from market_sim.auditing import best_deviations
from market_sim.auditing import deviations as module

VALUES = np.array([0.25, 0.5, 0.8, 1.25])
CAPS = np.array([0.4, 0.7, 1.5])


def by_hand(mechanism, reports, budget, truth, owner):
    """Try every pair of factors with the public functions, one market at a time."""
    best = {}
    for value, cap in itertools.product([1.0, *VALUES], [1.0, *CAPS]):
        said = reports.replace(
            owner,
            kind=truth.valuations.kind[owner],
            rate=value * truth.valuations.rate[owner],
            cap=cap * truth.cap[owner],
        )
        outcome = mechanism.clear(said, budget)
        utility = outcome.utility(truth.valuations, truth.cap, truth.data_size)[owner]
        best[value, cap] = utility
    return best


@pytest.mark.parametrize("payment", ["critical", "singer", "published"])
@pytest.mark.parametrize("sizes", ["none", "reference"])
def test_the_batch_equals_one_market_at_a_time(payment, sizes):
    law = ms.PopulationLaw(owners=5, sizes=sizes)
    truth = law.sample(np.random.default_rng(1)).reports()
    reports = truth.scaled(value=[0.9, 1.2, 1.0, 0.7, 1.0], cap=[1.0, 0.5, 0.9, 1.0, 1.0])
    budget = 0.4 * truth.value.sum()
    mechanism = ms.AllIn(payment)
    value, cap, gain = best_deviations(mechanism, reports, budget, truth, [3, 0, 4], VALUES, CAPS)
    assert value.shape == cap.shape == gain.shape == (3,)
    for place, owner in enumerate([3, 0, 4]):
        utilities = by_hand(mechanism, reports, budget, truth, owner)
        top = max(utilities.values())
        assert utilities[value[place], cap[place]] == pytest.approx(top, abs=1e-9)
        assert gain[place] == pytest.approx(top - utilities[1.0, 1.0], abs=1e-9)


def test_ties_go_to_the_truth_then_to_the_smallest_lie():
    truth = ms.Reports.single_minded(value=[6.0, 1.8], cap=[4.0, 1.0])
    factors = np.array([0.1, 0.5, 0.8, 2.0])
    value, cap, gain = best_deviations(
        ms.AllIn("published"), truth, 7.0, truth, [0, 1], factors, [1.0]
    )
    assert value.tolist() == [1.0, 0.8]
    assert cap.tolist() == [1.0, 1.0]
    assert gain == pytest.approx([0.0, 5.2])


def test_a_false_report_of_her_own_does_not_count():
    truth = ms.Reports.single_minded(value=[6.0, 1.8], cap=[4.0, 1.0])
    lying = truth.replace(1, rate=0.1)
    for reports in (truth, lying):
        value, _, gain = best_deviations(ms.AllIn("published"), reports, 7.0, truth, [1], [0.8], [])
        assert value.tolist() == [0.8]
        assert gain == pytest.approx([5.2])


def test_a_sale_above_the_true_cap_is_never_chosen():
    truth = ms.fl_market_2021(owners=4).sample(np.random.default_rng(0), (20,)).reports()
    _, cap, gain = best_deviations(
        ms.AllIn("published"), truth, 30.0, truth, range(4), [0.01, 0.5], [1.5, 2.0]
    )
    assert cap.max() == 1.0
    assert np.isfinite(gain).all()


def test_leading_axes_are_kept_and_profiles_do_not_mix():
    truth = ms.fl_market_2021(owners=4).sample(np.random.default_rng(3), (2, 3)).reports()
    budget = np.linspace(5.0, 30.0, 6).reshape(2, 3)
    batch = best_deviations(ms.AllIn(), truth, budget, truth, [2, 1], VALUES, CAPS)
    assert batch[0].shape == (2, 3, 2)
    for index in np.ndindex(2, 3):
        one = ms.Reports(truth.valuations[index], truth.cap[index])
        alone = best_deviations(ms.AllIn(), one, budget[index], one, [2, 1], VALUES, CAPS)
        for many, single in zip(batch, alone, strict=True):
            assert np.array_equal(many[index], single)


def test_small_batches_give_the_same_as_large_ones(monkeypatch):
    truth = ms.fl_market_2021(owners=6).sample(np.random.default_rng(4), (3,)).reports()
    arguments = (ms.AllIn(), truth, 20.0, truth, range(6), VALUES, CAPS)
    large = best_deviations(*arguments)
    monkeypatch.setattr(module, "_CELLS", 50)
    for many, few in zip(large, best_deviations(*arguments), strict=True):
        assert np.array_equal(many, few)


def test_nobody_asked_is_an_empty_answer():
    truth = ms.Reports.single_minded(value=[6.0, 1.8], cap=[4.0, 1.0])
    assert [x.shape for x in best_deviations(ms.AllIn(), truth, 7.0, truth, [], VALUES, CAPS)] == [
        (0,)
    ] * 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"owners": [2]}, "owners must lie between 0 and 1"),
        ({"owners": [0.5]}, "owners must be integer indices"),
        ({"value_factors": [-1.0]}, "value_factors must be at least 0"),
        ({"cap_factors": [0.0]}, "cap_factors must be greater than 0"),
        ({"truth": ms.Reports.single_minded(value=[1.0], cap=[1.0])}, "truth has shape"),
        ({"budget": 0.0}, "budget must be greater than 0"),
    ],
)
def test_arguments_out_of_their_domain_are_refused(change, words):
    truth = ms.Reports.single_minded(value=[6.0, 1.8], cap=[4.0, 1.0])
    arguments = {
        "budget": 7.0,
        "truth": truth,
        "owners": [0],
        "value_factors": [0.5],
        "cap_factors": [0.5],
        **change,
    }
    with pytest.raises(ms.InvalidInput, match=words):
        best_deviations(ms.AllIn(), truth, **arguments)
