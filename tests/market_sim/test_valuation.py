import math

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import market_sim as ms

CLOSED_FORMS = {
    "linear": lambda e: 2 * e,
    "quadratic": lambda e: e**2,
    "sqrt": lambda e: 2 * mpmath.sqrt(e),
    "exponential": mpmath.expm1,
    "step": lambda e: mpmath.mpf(1 if e > 0 else 0),
}
AMOUNTS = (0.0, 1e-300, 1e-12, 0.5, 1.0, math.pi, 5.0, 100.0, 700.0)


@pytest.mark.parametrize("kind", ms.KINDS)
def test_closed_forms(kind):
    cost = ms.Valuations(kind, np.full(len(AMOUNTS), 1.25)).cost(AMOUNTS)
    with mpmath.workdps(40):
        expected = [float(CLOSED_FORMS[kind](mpmath.mpf(e)) * 1.25) for e in AMOUNTS]
    assert_allclose(cost, expected, rtol=4e-16, atol=0)


def test_every_family_is_tested():
    assert set(CLOSED_FORMS) == set(ms.KINDS)


def test_names_and_codes():
    by_name = ms.Valuations(["sqrt", "step", "linear"], [1.0, 2.0, 3.0])
    by_code = ms.Valuations([2, 4, 0], [1.0, 2.0, 3.0])
    assert by_name.names.tolist() == by_code.names.tolist() == ["sqrt", "step", "linear"]
    assert by_name.kind.dtype == np.int8


def test_one_kind_or_one_rate_serves_all():
    assert ms.Valuations("sqrt", np.ones((4, 3))).kind.shape == (4, 3)
    assert ms.Valuations("sqrt", 2.0).shape == (1,)
    mixed = ms.Valuations(["linear", "sqrt"], np.ones((5, 2)))
    assert mixed.shape == (5, 2)
    assert len(mixed) == 5


def test_any_leading_axes():
    valuations = ms.Valuations(["linear", "quadratic"], np.array([[1.0, 1.0], [2.0, 2.0]]))
    epsilon = np.array([1.0, 3.0]).reshape(2, 1, 1)
    assert_array_equal(valuations.cost(epsilon)[:, 0], [[2.0, 1.0], [6.0, 9.0]])
    assert_array_equal(valuations.cost(epsilon)[:, 1], [[4.0, 2.0], [12.0, 18.0]])
    assert_array_equal(valuations.cost(2.0), [[4.0, 4.0], [8.0, 8.0]])


def test_overflow_is_refused_only_where_it_happens():
    valuations = ms.Valuations(["linear", "exponential"], [1.0, 1.0])
    assert_array_equal(valuations.cost([1000.0, 0.0]), [2000.0, 0.0])
    with pytest.raises(ms.InvalidInput, match="1000 exceeds double precision"):
        valuations.cost([0.0, 1000.0])


def test_scaled_and_parts():
    valuations = ms.Valuations(["linear", "sqrt"], np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert_array_equal(valuations.scaled(2.0).rate, [[2.0, 4.0], [6.0, 8.0]])
    assert valuations[1].names.tolist() == ["linear", "sqrt"]
    assert_array_equal(valuations[..., 1:].rate, [[2.0], [4.0]])


def test_nothing_can_be_changed_afterwards():
    rate = np.array([1.0, 2.0])
    valuations = ms.Valuations("linear", rate)
    with pytest.raises(ValueError, match="read-only"):
        valuations.rate[0] = 5.0
    with pytest.raises(ValueError, match="read-only"):
        valuations.kind[0] = 1
    with pytest.raises(AttributeError):
        valuations.rate = rate
