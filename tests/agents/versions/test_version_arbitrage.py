"""Buyers who look for cheaper combinations: where they succeed and what stops them."""

import numpy as np
import pytest

from agents.versions.buyers import buy, detours
from market_sim import Streams
from market_sim.errors import InvalidInput
from market_sim.pricing import Menu, Survey, cheapest_cover
from market_sim.versions import ModelVersions, VersionLabels

LABELS = [0.1, 0.2, 0.28, 0.31, 0.5]
OPEN = [4.0, 12.0, 18.0, 45.0, 90.0]  # 0.2 and 0.28 average to 0.31; copies of 0.28 to 0.5
CLOSED = [4.0, 12.0, 18.0, 20.0, 30.0]


def cut(draws="independent", reached=0.5, labels=LABELS):
    return ModelVersions(
        np.zeros(3),
        labels,
        scale=VersionLabels(1000.0),
        global_label=reached,
        streams=Streams(0),
        draws=draws,
    )


def bought(prices, draws="independent", reached=0.5, value=100.0, strategic=True):
    buyers = Survey(LABELS, np.arange(5), np.full(5, value))
    return buy(
        buyers, np.full(5, strategic), Menu(LABELS, prices), np.arange(5), cut(draws, reached)
    )


def test_two_different_versions_replace_a_dear_one():
    found = bought(OPEN)
    assert found.worked.tolist() == [False, False, False, True, False]
    assert found.text(3) == "1 x version 2 + 1 x version 3"
    assert found.paid[3] == 30.0
    assert found.saved[3] == 15.0
    assert found.reached[3] >= 0.31
    assert found.surplus[3] == 70.0
    assert found.status[3] == "arbitrage"


def test_copies_of_one_version_are_the_same_bytes():
    found = bought(OPEN)
    cover = cheapest_cover(LABELS, OPEN, 4)
    assert cover.copies.max() > 1
    assert cover.saving > 0
    assert found.tried[4]
    assert not found.worked[4]
    assert found.paid[4] == 90.0
    assert found.status[4] == "bought, combination foiled"


def test_nested_noises_leave_nothing_to_gain():
    found = bought(OPEN, draws="nested")
    assert found.tried.any()
    assert not found.worked.any()
    assert found.paid.tolist() == OPEN


def test_prices_in_the_cone_leave_nothing_to_see():
    assert Menu(LABELS, CLOSED).arbitrage() is None
    for draws in ("independent", "nested"):
        found = bought(CLOSED, draws)
        assert not found.tried.any()
        assert not found.worked.any()


def test_the_shared_noise_of_the_model_foils_an_average():
    assert bought(OPEN, reached=0.5).worked[3]
    with pytest.raises(InvalidInput, match="drop the version or raise the reward pool"):
        cut(reached=0.32).version(4)
    near = cut(reached=0.32, labels=LABELS[:4])
    assert not detours(Menu(LABELS[:4], OPEN[:4]), near)[3].numbers


def test_a_better_version_at_a_lower_price_is_taken_whatever_the_noises():
    prices = [4.0, 12.0, 11.0, 45.0, 90.0]
    for draws in ("independent", "nested"):
        found = bought(prices, draws)
        assert found.text(1) == "1 x version 3"
        assert found.worked[1]


def test_only_arbitrageurs_look():
    found = bought(OPEN, strategic=False)
    assert not found.tried.any()
    assert found.paid.tolist() == OPEN


def test_an_arbitrageur_buys_what_an_honest_buyer_finds_too_dear():
    honest, other = bought(OPEN, value=40.0, strategic=False), bought(OPEN, value=40.0)
    assert honest.status[3] == "too dear"
    assert other.status[3] == "arbitrage"
    assert other.surplus[3] == 10.0


def test_who_wants_what_is_not_sold_buys_nothing():
    buyers = Survey(LABELS, np.arange(5), np.full(5, 100.0))
    menu = Menu(LABELS[:2], OPEN[:2])
    found = buy(buyers, np.ones(5, dtype=bool), menu, np.arange(2), cut(labels=LABELS[:2]))
    assert found.status.tolist() == ["bought", "bought", *["not offered"] * 3]
    assert found.paid.tolist() == [4.0, 12.0, 0.0, 0.0, 0.0]
    assert found.text(4) == ""
