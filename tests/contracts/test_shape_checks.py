"""The run-time checks of shapes are installed, and refuse what they should and nothing else."""

from typing import Literal, Self

import numpy as np
import pytest
from jaxtyping import Float, TypeCheckError, jaxtyped
from numpy.typing import NDArray
from shape_checker import check

import market_sim as ms

Matrix = Float[NDArray[np.float64], "*profiles owners"]
Column = Float[NDArray[np.float64], "*profiles"]


@jaxtyped(typechecker=check)
def scaled(matrix: Matrix, factor: Column, note: Literal["a", "b"] = "a") -> Matrix:
    return matrix if note == "wrong" else matrix * factor[..., None]


@jaxtyped(typechecker=check)
def wrong_result(matrix: Matrix) -> Matrix | None:
    return None if matrix.sum() == 0 else matrix[..., 0]


class Thing:
    @jaxtyped(typechecker=check)
    def same(self, matrix: Matrix) -> tuple[Self, int]:
        return self, matrix.size


def test_right_shapes_pass() -> None:
    assert scaled(np.ones((2, 3)), np.ones(2)).shape == (2, 3)
    assert scaled(np.ones(3), np.ones(())).shape == (3,)
    assert wrong_result(np.zeros(3)) is None


@pytest.mark.parametrize(
    ("matrix", "factor"),
    [
        (np.ones((2, 3)), np.ones(3)),
        (np.ones((2, 3)), np.ones((2, 3))),
        (np.ones((2, 3), dtype=np.int64), np.ones(2)),
        (np.float64(1.0), np.ones(())),
    ],
)
def test_wrong_shapes_and_dtypes_are_refused(matrix: object, factor: object) -> None:
    with pytest.raises(TypeCheckError):
        scaled(matrix, factor)


def test_wrong_results_are_refused() -> None:
    with pytest.raises(TypeCheckError):
        wrong_result(np.ones((2, 3)))


def test_other_hints_are_left_alone() -> None:
    assert scaled(np.ones(3), np.ones(()), note="wrong").shape == (3,)
    assert Thing().same(np.ones(3))[1] == 3


def test_the_library_is_checked_in_this_very_process() -> None:
    outcome = ms.Outcome(epsilon=[1.0, 0.0], payment=[2.0, 0.0], budget=3.0)
    assert outcome.spent == 2.0
    object.__setattr__(outcome, "payment", np.array([2, 0]))  # whole numbers, behind its back
    with pytest.raises(TypeCheckError):
        _ = outcome.spent
