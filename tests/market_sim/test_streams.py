import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import market_sim as ms


def draw(rng):
    return tuple(rng.integers(0, 2**63, 4).tolist())


@given(seed=st.integers(0, 2**64))
def test_same_key_same_numbers(seed):
    for _ in range(2):
        one, two = ms.Streams(seed), ms.Streams(seed)
        assert draw(one.generator("noise", 3)) == draw(two.generator("noise", 3))
        assert draw(one.for_owner("noise", 3, 5)) == draw(two.for_owner("noise", 3, 5))
        assert one.seed("model", 1) == two.seed("model", 1)


def test_every_key_has_numbers_of_its_own():
    drawn = []
    for seed, purpose in itertools.product((0, 1), ("noise", "sample")):
        streams = ms.Streams(seed)
        drawn += [draw(streams.generator(purpose, *keys)) for keys in ((), (0,), (1,), (0, 1))]
        places = itertools.product((0, 1, 999_999), (0, 1, 50))
        drawn += [draw(streams.for_owner(purpose, owner, turn)) for owner, turn in places]
    flat = [number for numbers in drawn for number in numbers]
    assert len(set(flat)) == len(flat)


def test_what_others_draw_makes_no_difference():
    streams = ms.Streams(7)
    expected = draw(streams.for_owner("noise", 2))
    streams.for_owner("noise", 1).standard_normal(10_000)
    streams.generator("population").random(100)
    assert draw(streams.for_owner("noise", 2)) == expected


def test_longer_draws_begin_like_shorter_ones():
    for make in (lambda s: s.generator("noise"), lambda s: s.for_owner("noise", 1, 2)):
        short, long = (make(ms.Streams(3)).standard_normal(n) for n in (5, 500))
        assert_array_equal(long[:5], short)


def test_owners_are_uncorrelated():
    streams = ms.Streams(1)
    noise = np.array([streams.for_owner("noise", i).standard_normal(2_000) for i in range(20)])
    correlation = np.corrcoef(noise) - np.eye(20)
    assert np.abs(correlation).max() < 5 / np.sqrt(2_000)
    assert abs(noise.mean()) < 5 / np.sqrt(noise.size)
    assert abs(noise.var() - 1) < 5 * np.sqrt(2 / noise.size)


def test_seeds_for_other_libraries_fit_63_bits():
    seeds = {ms.Streams(5).seed("model", key) for key in range(200)}
    assert len(seeds) == 200
    assert all(0 <= seed < 2**63 for seed in seeds)


@pytest.mark.parametrize("seed", [-1, -(2**70)])
def test_negative_seed(seed):
    with pytest.raises(ms.InvalidInput, match=f"whole number of at least 0, got {seed}"):
        ms.Streams(seed)
