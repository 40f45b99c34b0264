"""The door of the audit: every clearing is checked, so that a broken rule is named, not graded."""

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from market_sim.errors import AuditError, InvalidInput
from market_sim.mechanisms.base import Guarantees
from market_sim.outcome import Outcome, exceeds
from market_sim.reports import Reports
from market_sim.shapes import Array


class Clears(Protocol):
    """Anything with a `clear(reports, budget)`: all that the audit asks of a mechanism."""

    def clear(self, reports: Reports, budget: ArrayLike, /) -> Outcome:
        """Return who sells how much privacy for what payment."""
        ...


def mechanism_name(mechanism: object) -> str:
    """Return the mechanism's `name`, or the name of its class where it has none."""
    name = getattr(mechanism, "name", None)
    return name if isinstance(name, str) and name else type(mechanism).__name__


def checked_clear(mechanism: Clears, reports: Reports, budget: Array) -> tuple[Array, Array]:
    """Clear and return (eps, payment), having checked what every mechanism promises.

    Shapes are those of the reports, payments and eps are at least 0, eps is at most the reported
    cap (unless the mechanism states `within_caps=False`), and the reports are as they were.

    Raises
    ------
    AuditError
        If one of these is not so, or if the mechanism refuses the reports.
    """
    name = mechanism_name(mechanism)
    before = _copies(reports)
    try:
        outcome = mechanism.clear(reports, budget)
    except InvalidInput as error:
        raise AuditError(f"{name} refused reports that it must accept: {error}") from error
    epsilon = _column(name, "epsilon", outcome, reports)
    payment = _column(name, "payment", outcome, reports)
    if any((old != new).any() for old, new in zip(before, _copies(reports), strict=True)):
        raise AuditError(f"{name} changed the reports in place: it must work on copies")
    stated = getattr(mechanism, "guarantees", None)
    over = exceeds(epsilon, reports.cap)
    if over.any() and (not isinstance(stated, Guarantees) or stated.within_caps):
        index = tuple(np.argwhere(over)[0])
        raise AuditError(
            f"{name} sold epsilon {epsilon[index]:g} of an owner whose reported cap is "
            f"{reports.cap[index]:g}: it must sell at most the cap"
        )
    return epsilon, payment


def _column(name: str, column: str, outcome: object, reports: Reports) -> Array:
    """Return one array of the outcome, refused if it is missing, misshapen or negative."""
    try:
        array = np.asarray(getattr(outcome, column), dtype=np.float64)
    except (AttributeError, TypeError, ValueError) as error:
        raise AuditError(
            f"{name} returned {type(outcome).__name__} without a numeric `{column}`: "
            "clear() must return a market_sim.Outcome"
        ) from error
    if array.shape != reports.shape:
        raise AuditError(
            f"{name} returned {column} of shape {array.shape} for reports of shape "
            f"{reports.shape}: it must keep every leading axis"
        )
    if not (np.isfinite(array) & (array >= 0)).all():
        worst = array[~(np.isfinite(array) & (array >= 0))][0]
        raise AuditError(f"{name} returned {column} {worst:g}: it must be finite and at least 0")
    return array


def _copies(reports: Reports) -> list[Array]:
    """Return copies of everything the owners said."""
    said = [reports.valuations.kind.astype(np.float64), reports.valuations.rate, reports.cap]
    if reports.data_size is not None:
        said.append(reports.data_size)
    return [np.array(array) for array in said]
