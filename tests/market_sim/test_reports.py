import numpy as np
import pytest
from generators import reports
from hypothesis import given
from numpy.testing import assert_allclose, assert_array_equal

import market_sim as ms


@given(told=reports())
def test_value_mass_and_unit_value(told):
    size = 1.0 if told.data_size is None else told.data_size
    assert_array_equal(told.value, size * told.valuations.cost(told.cap))
    assert_array_equal(told.mass, size * told.cap)
    assert_array_equal(told.unit_value, told.value / told.mass)
    assert (*told.profiles, told.owners) == told.shape


def test_single_minded_value_is_the_whole_sum_also_with_sizes():
    told = ms.Reports.single_minded(value=[6.0, 1.8], cap=[4.0, 1.0], data_size=[3.0, 7.0])
    assert_allclose(told.value, [6.0, 1.8])
    assert_allclose(told.cost([0.1, 0.0]), [6.0, 0.0])
    assert_array_equal(told.mass, [12.0, 7.0])


def test_leading_axes_broadcast():
    told = ms.Reports(ms.Valuations("linear", [1.0, 2.0]), np.ones((5, 2)), [3.0, 3.0])
    assert told.shape == told.valuations.shape == told.data_size.shape == (5, 2)
    assert told.profiles == (5,)


def test_scaled():
    told = ms.Reports(ms.Valuations(["linear", "quadratic"], [1.0, 1.0]), [2.0, 2.0])
    other = told.scaled(value=0.5, cap=[1.0, 1.5])
    assert_array_equal(other.cap, [2.0, 3.0])
    assert_array_equal(other.value, [2.0, 4.5])
    assert_array_equal(told.cap, [2.0, 2.0])


def test_select_keeps_the_order_asked_for():
    told = ms.Reports.single_minded(value=[1.0, 2.0, 3.0], cap=[1.0, 1.0, 1.0], data_size=[4, 5, 6])
    part = told.select(np.array([2, 0]))
    assert_array_equal(part.value, [3.0, 1.0])
    assert_array_equal(part.data_size, [6.0, 4.0])


@given(told=reports())
def test_replace_changes_one_owner(told):
    lies = told.replace(0, rate=np.array([1.0, 2.0, 3.0]).reshape(3, *[1] * len(told.profiles)))
    assert lies.shape == (3, *told.shape)
    assert_array_equal(lies.valuations.rate[1, ..., 0], np.full(told.profiles, 2.0))
    for row in range(3):
        assert_array_equal(lies.cap[row], told.cap)
        assert_array_equal(lies.valuations.rate[row, ..., 1:], told.valuations.rate[..., 1:])
        assert_array_equal(lies.valuations.kind[row], told.valuations.kind)


def test_replace_kind_and_cap():
    told = ms.Reports.single_minded(value=[1.0, 2.0], cap=[1.0, 1.0], data_size=[2.0, 2.0])
    lie = told.replace(1, kind=ms.KINDS.index("linear"), cap=4.0)
    assert lie.valuations.names.tolist() == ["step", "linear"]
    assert_array_equal(lie.cap, [1.0, 4.0])
    assert_array_equal(lie.data_size, told.data_size)


def test_reports_cannot_be_changed():
    told = ms.Reports.single_minded(value=[1.0], cap=[1.0])
    for array in (told.cap, told.value):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 9.0
