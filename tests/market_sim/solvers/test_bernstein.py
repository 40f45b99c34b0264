"""Roots in Bernstein form: planted ones are all found, and no others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from market_sim.errors import InvalidInput
from market_sim.solvers import bernstein as b
from market_sim.solvers.bernstein_values import bernstein_values
from market_sim.solvers.simplex_roots import Net, zeros


def planted(points) -> np.ndarray:
    result = np.ones(1)
    for x in points:
        result = b.product(result, np.array([-x, 1.0 - x]))
    return result


@given(st.sets(st.integers(-5, 45), min_size=1, max_size=8))
def test_all_simple_roots_are_found_and_proven(places):
    points = sorted((place + 0.37) / 40 for place in places)
    found = b.roots(planted(points), 1e-6).found
    expected = [x for x in points if 0 <= x <= 1]
    assert_allclose([root.at for root in found], expected, atol=1e-6)
    assert all(root.simple and root.low <= root.at <= root.high for root in found)


@pytest.mark.parametrize("point", [1 / 3, 0.25, 0.9])
def test_double_roots_are_found_and_marked(point):
    found = b.roots(planted([point, point]), 1.0).found
    assert_allclose([root.at for root in found], [point], atol=1e-7)
    assert not found[0].simple


def test_roots_at_the_ends_and_in_the_middle_of_a_cut():
    found = b.roots(planted([0.0, 0.3, 0.5, 0.7, 1.0])).found
    assert_allclose([root.at for root in found], [0.0, 0.3, 0.5, 0.7, 1.0], atol=1e-12)


def test_zero_is_zero_everywhere():
    assert b.roots(np.zeros(4)).everywhere
    assert b.roots(np.full(4, 1e-17), 1.0).everywhere
    assert not b.roots(np.ones(4)).found


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=12), st.floats(0, 1))
def test_arithmetic_agrees_with_values(numbers, x):
    first, second = np.array(numbers), np.array([1.0, -2.0, 0.5])
    u, v = b.evaluate(first, x), b.evaluate(second, x)
    assert_allclose(b.evaluate(b.product(first, second), x), u * v, atol=1e-11)
    assert_allclose(b.evaluate(b.added(first, second), x), u + v, atol=1e-11)
    assert_allclose(bernstein_values(first, np.array([x]))[0], u, atol=1e-11)
    h = 1e-6
    if h < x < 1 - h:
        slope = (b.evaluate(first, x + h) - b.evaluate(first, x - h)) / (2 * h)
        assert_allclose(b.evaluate(b.derivative(first), x), slope, atol=1e-4 * (1 + abs(slope)))
    zero = b.added(first, np.array([-first[-1]]))
    if x < 1 and zero.size > 1:
        divided = b.evaluate(b.divide_by_rest(zero), x)
        assert_allclose(divided * (1 - x), b.evaluate(zero, x), atol=1e-10)


def test_extrema():
    assert_allclose(b.extremum(planted([0.2, 0.6]), greatest=False), (0.4, -0.04), atol=1e-12)
    assert_allclose(b.extremum(planted([0.2, 0.6]), greatest=True), (1.0, 0.32), atol=1e-12)


def test_values_of_a_high_degree():
    coefficients = np.linspace(0.0, 1.0, 3001) ** 2
    x = np.array([0.0, 0.3, 1.0])
    expected = x**2 + x * (1 - x) / 3000
    assert_allclose(bernstein_values(coefficients, x), expected, atol=1e-12)


def test_degrees_too_large_are_refused():
    with pytest.raises(InvalidInput, match="degree"):
        b.product(np.ones(900), np.ones(900))
    wiggly = np.cos(np.arange(30_001.0))
    with pytest.raises(InvalidInput, match="several changes of sign"):
        b.roots(wiggly)


def net(degree: int) -> Net:
    rows = [(degree - i - j, i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
    return Net(np.array(rows))


def test_all_zeros_on_a_triangle():
    # circles around a corner meet the line x1 = x2 and an ellipse, in barycentric coordinates
    square = net(2)
    at = square.indices / 2.0

    def blossom(function):
        """Coefficients of a quadratic from its values at corners and middles of edges."""
        values = np.array([function(*p[1:]) for p in at])
        corner = np.array([[function(*(np.eye(3)[i][1:])) for i in range(3)]])
        ends = (square.indices / 2.0) @ corner.T
        return np.where((square.indices == 2).any(axis=1), values, 2 * values - ends[:, 0])

    line = blossom(lambda x, y: x - y)
    circle = blossom(lambda x, y: (x - 0.3) ** 2 + (y - 0.3) ** 2 - 0.02)
    found = zeros(square, np.array([line, circle]), 1.0)
    assert_allclose(sorted(found.points[:, 1]), [0.2, 0.4], atol=1e-12)
    assert found.simple.all()
    touching = blossom(lambda x, y: (x - 0.3) ** 2 + (y - 0.3) ** 2 - 0.02)
    tangent = blossom(lambda x, y: x + y - 0.4)
    found = zeros(square, np.array([touching, tangent]), 1.0)
    assert_allclose(found.points[:, 1:], [[0.2, 0.2]], atol=1e-6)
    assert not found.simple.all()


def test_too_many_coefficients_are_refused():
    with pytest.raises(InvalidInput, match="replicator"):
        net(60)
