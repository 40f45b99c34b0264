"""Sampled fair payments: unbiased, reproducible, with an honest standard error."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market_sim.errors import InvalidInput
from market_sim.games import (
    FederatedMeanEstimation,
    TableUtility,
    fair_values,
    sampled_fair_values,
)
from market_sim.streams import Streams

UTILITY = FederatedMeanEstimation([9.0, 7.0, 5.0, 3.0, 2.0, 1.0], r2=2.0, s2=3.0)
LEVELS = np.array([2, 1, 1, 0, 2, 1])


@pytest.mark.parametrize("platform", [False, True])
@pytest.mark.parametrize("design", ["antithetic", "stratified"])
def test_the_truth_lies_within_a_few_standard_errors(design, platform):
    exact = fair_values(UTILITY, LEVELS, platform)
    result = sampled_fair_values(UTILITY, LEVELS, platform, permutations=600, design=design)
    assert result.method == "sampled"
    error = np.abs(result.users - exact.users)
    assert (error <= 5 * result.standard_error + 1e-12).all()
    assert result.users[3] == result.standard_error[3] == 0
    assert result.platform == pytest.approx(exact.platform, rel=0.05, abs=1e-12)


@pytest.mark.parametrize("design", ["antithetic", "stratified"])
def test_the_standard_error_is_the_spread_of_estimates(design):
    runs = [
        sampled_fair_values(UTILITY, LEVELS, permutations=60, design=design, streams=seed)
        for seed in range(60)
    ]
    spread = np.std([run.users for run in runs], axis=0, ddof=1)
    stated = np.mean([run.standard_error for run in runs], axis=0)
    assert stated[LEVELS > 0] == pytest.approx(spread[LEVELS > 0], rel=0.4)


def test_reverse_orders_help_where_gains_fall_with_size():
    """With U = total^2 the gain is linear in who came before: pairs give it exactly."""
    result = sampled_fair_values(lambda x: x.sum(axis=1) ** 2, [1.0, 2.0, 3.0], permutations=4)
    assert result.users == pytest.approx([6.0, 12.0, 18.0])
    assert result.standard_error == pytest.approx(0.0, abs=1e-12)


def test_the_same_seed_gives_the_same_bytes():
    one, two = (sampled_fair_values(UTILITY, LEVELS, streams=s) for s in (3, Streams(3)))
    assert one.users.tobytes() == two.users.tobytes()
    assert one.standard_error.tobytes() == two.standard_error.tobytes()
    other = sampled_fair_values(UTILITY, LEVELS, streams=4)
    assert other.users.tobytes() != one.users.tobytes()


def test_interchangeable_users_share_one_estimate():
    utility = FederatedMeanEstimation([5.0, 5.0, 2.0], r2=2.0, s2=3.0)
    result = sampled_fair_values(utility, [1, 1, 2], permutations=6)
    assert result.users[0] == result.users[1]
    assert result.standard_error[0] == result.standard_error[1]


@settings(max_examples=30)
@given(st.integers(0, 1000), st.booleans(), st.sampled_from(["antithetic", "stratified"]))
def test_payments_add_up_whatever_the_orders(seed, platform, design):
    table = np.random.default_rng(seed).normal(size=(2, 2, 2))
    table[0, 0, 0] = 0.0
    result = sampled_fair_values(
        TableUtility(table), [1, 1, 1], platform, permutations=3, design=design, streams=seed
    )
    assert result.users.sum() + result.platform == pytest.approx(table[1, 1, 1], abs=1e-12)


def test_nobody_gives_anything_to_sample():
    result = sampled_fair_values(UTILITY, np.zeros(6))
    assert (result.users == 0).all()
    assert result.utility == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"permutations": 0}, "permutations"),
        ({"design": "lucky"}, "design must be one of"),
        ({"levels": [[1, 1, 1, 0, 0, 0]]}, "one number a user"),
        ({"utility": lambda x: x.sum(axis=1) + 1}, "no data must be 0"),
    ],
)
def test_bad_requests_are_refused(change, words):
    arguments = {"utility": UTILITY, "levels": LEVELS} | change
    with pytest.raises(InvalidInput, match=words):
        sampled_fair_values(arguments.pop("utility"), arguments.pop("levels"), **arguments)
