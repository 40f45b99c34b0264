import numpy as np
import pytest

from market_sim import shapes
from market_sim.errors import InvalidInput


def test_numbers_of_any_kind_become_float64():
    for value in (3, 3.0, True, [1, 2], np.array([1, 2], dtype=np.int8), np.float32(2)):
        assert shapes.as_floats("x", value).dtype == np.float64


def test_no_copy_where_none_is_needed():
    array = np.ones(3)
    assert np.shares_memory(shapes.as_floats("x", array), array)


def test_limits():
    assert shapes.as_floats("x", 0.0, minimum=0.0) == 0.0
    assert shapes.as_floats("x", np.inf, finite=False) == np.inf
    with pytest.raises(InvalidInput, match="x must be at least 0, got -1"):
        shapes.as_floats("x", -1.0, minimum=0.0)
    with pytest.raises(InvalidInput, match="NaN"):
        shapes.as_floats("x", np.nan, finite=False)


def test_leading_axes_broadcast_and_owners_do_not():
    a, b = shapes.broadcast_owners(a=np.ones((4, 1, 3)), b=np.ones((2, 3)))
    assert a.shape == b.shape == (4, 2, 3)
    with pytest.raises(InvalidInput, match=r"a \(2, 1\), b \(2, 3\)"):
        shapes.broadcast_owners(a=np.ones((2, 1)), b=np.ones((2, 3)))


def test_budget_is_one_number_a_profile():
    assert shapes.as_budget(2.0, (3, 2)).shape == (3, 2)
    assert shapes.as_budget([1.0, 2.0], (3, 2)).tolist() == [[1.0, 2.0]] * 3
    with pytest.raises(InvalidInput, match=r"shape \(3,\).*profiles \(2,\)"):
        shapes.as_budget([1.0, 2.0, 3.0], (2,))


def test_frozen_is_a_view_that_cannot_be_written():
    array = np.ones(2)
    view = shapes.frozen(array)
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 2.0
    array[0] = 3.0
    assert view[0] == 3.0


def test_one_number():
    assert shapes.as_number("x", np.float32(2)) == 2.0
    assert shapes.as_number("x", np.inf, finite=False) == np.inf
    with pytest.raises(InvalidInput, match=r"x must be one number, got shape \(2,\)"):
        shapes.as_number("x", [1.0, 2.0])
    with pytest.raises(InvalidInput, match="x must be greater than 0, got 0"):
        shapes.as_number("x", 0.0, positive=True)


def test_a_flag_is_true_or_false():
    assert shapes.as_flag("x", np.True_) is True
    with pytest.raises(InvalidInput, match="x must be True or False, got 'no'"):
        shapes.as_flag("x", "no")
