"""All-in by its definition, one owner at a time, in plain Python: the oracle of the fast code.

Written from the published rule, for any numbers that divide exactly or not: `float` or `Fraction`.
Critical prices come from literally running the greedy again without the owner.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf

Number = float | Fraction


@dataclass(frozen=True)
class Cleared:
    """Who wins, and what each owner is paid."""

    won: list[bool]
    paid: list[Number]


def ascending(value: Sequence[Number], mass: Sequence[Number]) -> list[int]:
    """Owners in ascending unit value; equal ones in their own order."""
    return sorted(range(len(value)), key=lambda i: value[i] / mass[i])


def greedy(value: Sequence[Number], mass: Sequence[Number], budget: Number) -> list[int]:
    """Accept whoever fits, in ascending unit value, and go on after a refusal."""
    taken: list[int] = []
    total = 0 * budget
    for i in ascending(value, mass):
        if (total + mass[i]) * (value[i] / mass[i]) <= budget:
            taken.append(i)
            total += mass[i]
    return taken


def critical_unit_price(
    value: Sequence[Number], mass: Sequence[Number], budget: Number, owner: int
) -> Number:
    """sup{u : (A(u) + m) u <= B}, A(u) what the others alone have sold below u."""
    others = [i for i in range(len(value)) if i != owner]
    value_, mass_ = [value[i] for i in others], [mass[i] for i in others]
    taken = greedy(value_, mass_, budget)
    best: Number = 0 * budget
    low: Number = 0 * budget
    total = 0 * budget
    for i in [*taken, None]:  # between two sales A(u) is constant
        high = inf if i is None else value_[i] / mass_[i]
        candidate = min(high, budget / (total + mass[owner]))
        if candidate >= low:
            best = max(best, candidate)
        if i is not None:
            low, total = high, total + mass_[i]
    return best


def clear(payment: str, value: Sequence[Number], mass: Sequence[Number], budget: Number) -> Cleared:
    """Return All-in's outcome under one of its payment rules."""
    return {"critical": _critical, "singer": _singer, "published": _published}[payment](
        value, mass, budget
    )


def _outcome(owners: int, paid: dict[int, Number]) -> Cleared:
    return Cleared([i in paid for i in range(owners)], [paid.get(i, 0) for i in range(owners)])


def _critical(value, mass, budget) -> Cleared:
    return _outcome(
        len(value),
        {
            i: mass[i] * critical_unit_price(value, mass, budget, i)
            for i in greedy(value, mass, budget)
        },
    )


def _published(value, mass, budget) -> Cleared:
    taken = greedy(value, mass, budget)
    total = sum(mass[i] for i in taken)
    return _outcome(len(value), {i: mass[i] * budget / total for i in taken})


def _singer(value, mass, budget) -> Cleared:
    taken: list[int] = []
    total = 0 * budget
    following: Number = inf
    for i in ascending(value, mass):
        if (total + mass[i]) * (value[i] / mass[i]) > budget:
            following = value[i] / mass[i]
            break
        taken.append(i)
        total += mass[i]
    return _outcome(len(value), {i: mass[i] * min(budget / total, following) for i in taken})
