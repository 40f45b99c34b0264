"""Bad input to menus and surveys: one sentence that names what was given and what to do."""

import numpy as np
import pytest

import market_sim as ms
from market_sim.pricing import (
    Menu,
    Survey,
    arbitrage,
    best_complete_prices,
    cheapest_cover,
    check_arbitrage,
    price_versions,
    project,
)

GOOD = ([0.5, 1.0, 1.6], [5.0, 30.0, 28.0])
MENUS = [
    (([0.5, 0.5, 1.0], GOOD[1]), r"labels must increase .* got 0.5 after 0.5 at index 1: sort"),
    (([1.0, 0.5, 1.6], GOOD[1]), r"labels must increase .* got 0.5 after 1 at index 1"),
    (([0.0, 0.5, 1.0], GOOD[1]), r"labels must be greater than 0, got 0 at index 0"),
    (([-1.0, 0.5, 1.0], GOOD[1]), r"labels must be greater than 0"),
    (([0.5, np.nan, 1.0], GOOD[1]), r"labels must not be NaN"),
    (([0.5, np.inf], [1.0, 1.0]), r"labels must be finite"),
    (([], []), r"labels must be one list .* got shape \(0,\)"),
    ((1.0, 1.0), r"labels must be one list .* got shape \(\)"),
    (([[0.5, 1.0]], [[1.0, 2.0]]), r"labels must be one list"),
    (("abc", GOOD[1]), r"labels must be real numbers"),
    ((GOOD[0], [5.0, 0.0, 28.0]), r"prices must be greater than 0, got 0 at index 1"),
    ((GOOD[0], [5.0, -3.0, 28.0]), r"prices must be greater than 0, got -3 at index 1"),
    ((GOOD[0], [5.0, 3.0]), r"prices must be one number for each of the 3 versions"),
    ((GOOD[0], [5.0, np.inf, 1.0]), r"prices must be finite"),
    (([1e-300, 1e300], [1.0, 1.0]), r"too far apart for floating point"),
]


@pytest.mark.parametrize(("arguments", "message"), MENUS)
@pytest.mark.parametrize("door", [ms.PriceMenu, arbitrage, check_arbitrage, project])
def test_labels_and_prices(door, arguments, message):
    with pytest.raises(ms.InvalidInput, match=message) as caught:
        door(*arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("arguments", "message"), MENUS[:-1])
def test_labels_and_prices_of_a_given_menu(arguments, message):
    with pytest.raises(ms.InvalidInput, match=message):
        Menu(*arguments)


@pytest.mark.parametrize("exponent", [0, 3, 1.5, -1, "2", None, True, np.nan])
def test_exponents(exponent):
    for call in (
        lambda: ms.PriceMenu(*GOOD, exponent=exponent),
        lambda: arbitrage(*GOOD, exponent),
        lambda: project(*GOOD, exponent=exponent),
        lambda: Menu(*GOOD, exponent),
        lambda: best_complete_prices(Survey([1.0], [0], [1.0]), exponent),
    ):
        with pytest.raises(ms.InvalidInput, match=r"exponent must be 2 .* or 1"):
            call()


@pytest.mark.parametrize(
    ("demand", "message"),
    [
        ([1.0, 1.0], "demand must be one number for each of the 3 versions"),
        ([[1.0, 1.0, 1.0]], "demand must be one number for each"),
        (1.0, "demand must be one number for each"),
        ([1.0, 0.0, 1.0], "demand must be greater than 0, got 0 at index 1"),
        ([1.0, -1.0, 1.0], "demand must be greater than 0"),
        ([1.0, np.nan, 1.0], "demand must not be NaN"),
    ],
)
def test_demand(demand, message):
    for door in (ms.PriceMenu, project):
        with pytest.raises(ms.InvalidInput, match=message):
            door(*GOOD, demand=demand)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (0.0, "weight must be greater than 0"),
        (-1.0, "weight must be greater than 0"),
        (np.nan, "weight must not be NaN"),
        ([1.0, 2.0], "weight must be one number"),
        ("large", "weight must be real numbers"),
        (1e200, "beyond floating point"),
        (1e-200, "beyond floating point"),
    ],
)
def test_weights(weight, message):
    with pytest.raises(ms.InvalidInput, match=message):
        ms.PriceMenu(*GOOD).solve(weight)


@pytest.mark.parametrize(
    ("wanted", "value", "message"),
    [
        ([0, 1], [1.0, 2.0], "at least as many answers as versions, got 2 answers for 3 versions"),
        ([], [], "got 0 answers for 3 versions: ask more buyers or offer fewer"),
        ([0, 1, 3], [1.0] * 3, r"indices of versions, 0 to 2, got 3 at index 2"),
        ([0, -1, 2], [1.0] * 3, r"got -1 at index 1"),
        ([0, 0.5, 2], [1.0] * 3, r"got 0.5 at index 1"),
        ([0, 1], [1.0] * 3, r"wanted must be one index of a version for each of the 3 buyers"),
        ([0, 1, 2], [1.0, -2.0, 1.0], "value must be at least 0, got -2"),
        ([0, 1, 2], [1.0, np.nan, 1.0], "value must not be NaN"),
        ([0, 1, 2], [[1.0, 2.0, 3.0]], "value must be one number a buyer"),
    ],
)
def test_surveys(wanted, value, message):
    with pytest.raises(ms.InvalidInput, match=message):
        Survey(GOOD[0], wanted, value)


def test_what_a_survey_is_asked():
    survey = Survey(GOOD[0], [0, 1, 2], [1.0, 2.0, 3.0])
    for prices in ([1.0, 2.0], 1.0):
        with pytest.raises(ms.InvalidInput, match="need a last axis of 3 versions"):
            survey.revenue(prices)
    with pytest.raises(ms.InvalidInput, match="prices must be at least 0"):
        survey.revenue([1.0, -2.0, 3.0])
    with pytest.raises(ms.InvalidInput, match="prices must be greater than 0"):
        survey.best_scale([0.0, 1.0, 2.0])
    with pytest.raises(ms.InvalidInput, match="for each of the 3 versions"):
        survey.best_scale([1.0, 2.0])
    with pytest.raises(ms.InvalidInput, match="2 answers for 3 versions"):
        survey.subset(np.array([True, True, False]))
    with pytest.raises(ms.InvalidInput, match="would pay anything"):
        Survey([1.0], [0], [0.0]).only_wanted()
    with pytest.raises(ms.InvalidInput, match=r"rule must be one of .*, got 'best'"):
        price_versions(survey, "best")


def test_other_settings():
    with pytest.raises(ms.InvalidInput, match="version must be an index below 3, got 3"):
        cheapest_cover(*GOOD, version=3)
    with pytest.raises(ms.InvalidInput, match="max_nodes must be a whole number"):
        check_arbitrage(*GOOD, max_nodes=0)
    for factor in (0.0, -1.0, np.inf):
        with pytest.raises(ms.InvalidInput, match="factor must be"):
            Menu(*GOOD).scaled(factor)
    with pytest.raises(ms.InvalidInput, match="factor must be one number"):
        Menu(*GOOD).scaled([1.0, 2.0])


def test_what_was_given_is_left_alone():
    labels, ideal = np.array(GOOD[0]), np.array(GOOD[1])
    solved = ms.PriceMenu(labels, ideal).solve()
    assert np.array_equal(labels, GOOD[0])
    assert np.array_equal(ideal, GOOD[1])
    with pytest.raises(ValueError, match="read-only"):
        solved.prices[0] = 1.0
    assert labels.flags.writeable
