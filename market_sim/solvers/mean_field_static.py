"""The static mean field: one price at which all that is offered costs the buyer her money."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput, MarketSimWarning
from market_sim.games.mean_field_laws import Law, as_law, is_law
from market_sim.shapes import Array, as_floats, as_number, broadcast_owners, require_owners

_ATOM = 1e-12
_BISECTIONS = 2000
_NEVER = (
    "the budget never binds: everyone sells all she offers, at {price:.6g} a unit, which is at "
    "least the greatest unit value {top:.6g}"
)


@dataclass(frozen=True)
class StaticMeanField:
    """The clearing price of one round, p N E[cap 1{v <= p}] = B, with its evidence.

    Attributes
    ----------
    price
        Unit price p: the largest (as a limit) at which the owners below it cost at most B.
    supply
        Privacy that is bought.
    share
        Share of the owners who sell; indifferent ones count with the part that they sell.
    indifferent
        Share of the privacy of owners with v = p that is bought: 1 unless demand jumps at p.
    residual
        price times supply less B.
    binds
        Whether more money would buy more privacy.
    status
        How it ended, a sentence.
    """

    price: float
    supply: float
    share: float
    indifferent: float
    residual: float
    binds: bool
    status: str


def mean_field_price(value: Any, cap: Any, budget: float, owners: float = 1.0) -> float:
    """Return the unit price p at which all privacy offered costs B; see `static_mean_field`.

    Parameters
    ----------
    value, cap
        A sample, shape `(owners,)` each: p sum_i cap_i 1{v_i <= p} = B. Or two independent laws:
        p N E[cap] P(v <= p) = B.
    budget
        The buyer's money B.
    owners
        N, for laws; at 1 the budget is money an owner.

    Raises
    ------
    InvalidInput
        If a number is outside its domain, the sample is empty, or a law cannot be used.

    Warns
    -----
    MarketSimWarning
        If the budget never binds.

    Notes
    -----
    Source: privacy auction game [D]; for v ~ U[0, 1] and cap ~ U[0.1, 5],
    p = sqrt(B / (2.55 N)).
    """
    found = static_mean_field(value, cap, budget, owners)
    if not found.binds:
        warnings.warn(found.status, MarketSimWarning, stacklevel=2)
    return found.price


def static_mean_field(value: Any, cap: Any, budget: float, owners: float = 1.0) -> StaticMeanField:
    """Return the static mean field with its evidence.

    The bill p D(p) of the owners with v <= p never falls in p, but jumps where many have the same
    value. There the price stands at that value and the indifferent owners sell the part that uses
    up the money: p D(p-) < B < p D(p). So there is always exactly one price.

    Parameters, errors and source: see `mean_field_price`.
    """
    money = as_number("budget", budget, positive=True)
    number = as_number("owners", owners, positive=True)
    if is_law(value) or (is_law(cap) and np.ndim(value) == 0):
        law, mean_cap = as_law("value", value), _mean_cap(cap)
        return _of_law(law, mean_cap * number, money)
    if is_law(cap):
        raise InvalidInput("cap is a law but value is a sample: give two samples or two laws")
    if number != 1.0:
        raise InvalidInput(
            f"owners is the number that a law stands for, a sample counts its own: got {number:g}"
        )
    return _of_sample(*_sample(value, cap), money)


def _of_sample(value: Array, cap: Array, money: float) -> StaticMeanField:
    """Clear a sample: sort by value, then one pass."""
    order = np.argsort(value, kind="stable")
    ascending, supply = value[order], np.cumsum(cap[order])
    last = np.append(ascending[1:] > ascending[:-1], True)  # the last owner of each value
    levels, offered = ascending[last], supply[last]
    sellers = np.flatnonzero(last) + 1.0
    # The first level whose owners the money cannot pay in full; all can be paid at the last price.
    dear = int(np.argmax(np.append(levels * offered > money, True)))
    if dear == levels.size:
        return _everyone(float(money / offered[-1]), float(offered[-1]), money, float(levels[-1]))
    before = float(offered[dear - 1]) if dear else 0.0
    count = float(sellers[dear - 1]) if dear else 0.0
    price = float(levels[dear])
    if before > 0 and money / before < price:
        return _inside(money / before, before, count / value.size, money)
    part = (money / price - before) / (float(offered[dear]) - before)
    sold = before + part * (float(offered[dear]) - before)
    share = (count + part * (float(sellers[dear]) - count)) / value.size
    return _jump(price, sold, share, part, money)


def _of_law(law: Law, total: float, money: float) -> StaticMeanField:
    """Clear a law: bisection down to neighboring floats, then look whether demand jumps there."""
    low = money / total
    if float(law.cdf(low)) >= 1.0:
        return _everyone(low, total, money, law.support[1])
    high = 2.0 * low
    while high * total * float(law.cdf(high)) < money:
        high *= 2.0
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        if middle * total * float(law.cdf(middle)) < money:
            low = middle
        else:
            high = middle
    below, at = float(law.cdf(low)), float(law.cdf(high))
    if (at - below) * total * high <= _ATOM * money:
        return _inside(high, total * at, at, money)
    part = (money / (high * total) - below) / (at - below)
    share = below + part * (at - below)
    return _jump(high, total * share, share, part, money)


def _everyone(price: float, supply: float, money: float, top: float) -> StaticMeanField:
    """All sell: the price spreads the money over everything that is offered."""
    status = _NEVER.format(price=price, top=top)
    return StaticMeanField(price, supply, 1.0, 1.0, price * supply - money, False, status)


def _inside(price: float, supply: float, share: float, money: float) -> StaticMeanField:
    status = f"the market clears: {share:.3g} of the owners sell all they offer"
    return StaticMeanField(price, supply, share, 1.0, price * supply - money, True, status)


def _jump(price: float, supply: float, share: float, part: float, money: float) -> StaticMeanField:
    status = (
        f"demand jumps at the price: the owners with unit value {price:.6g} are indifferent and "
        f"sell {part:.3g} of what they offer"
    )
    return StaticMeanField(price, supply, share, part, price * supply - money, True, status)


def static_regret(
    value: Float[NDArray[np.float64], "*profiles owners"],
    cap: Float[NDArray[np.float64], "*profiles owners"],
    budget: float,
    price: float,
) -> Float[NDArray[np.float64], "*profiles owners"]:
    """Return what each owner gains by another amount when all sell as if the price were `price`.

    The buyer shares B pro rata: who sells a gets B a / A, A the sum over all. The owner knows the
    others' A' and may sell any a in [0, cap]; her best is sqrt(B A' / v) - A', within the bounds.
    With A' = 0 any a > 0 earns all of B; the gain is then the limit of ever smaller a.

    Parameters
    ----------
    value, cap
        The owners, shape `(*profiles, owners)`.
    budget
        The buyer's money B.
    price
        Mean-field price: owners with v <= price offer all of cap.

    Notes
    -----
    Source: [D]. This is ex post: owners who know the profile gain at least as much as owners who
    know only the law.
    """
    plan = np.where(value <= price, cap, 0.0)
    others = plan.sum(axis=-1, keepdims=True) - plan
    with np.errstate(divide="ignore", invalid="ignore"):
        wish = np.sqrt(budget * others / value) - others
    best = np.clip(np.where(value > 0, wish, cap), 0.0, cap)
    best = np.where(others > 0, best, 0.0)
    gain = _earned(best, others, value, budget) - _earned(plan, others, value, budget)
    alone = (others <= 0) & (plan <= 0)
    return np.asarray(np.where(alone, budget, np.where(others > 0, gain, value * plan)))


def _earned(amount: Array, others: Array, value: Array, budget: float) -> Array:
    """Return the owner's utility, her part of the money less her cost."""
    total = others + amount
    part = np.divide(amount, total, out=np.zeros_like(total), where=total > 0)
    return np.asarray(budget * part - value * amount)


def _sample(value: ArrayLike, cap: ArrayLike) -> tuple[Array, Array]:
    """Return value and cap of a sample, shape `(owners,)` each."""
    values = as_floats("value", value, minimum=0.0)
    require_owners("value", values)
    caps = as_floats("cap", cap, minimum=0.0)
    if caps.ndim == 0:
        caps = np.broadcast_to(caps, values.shape)
    values, caps = broadcast_owners(value=values, cap=caps)
    if values.ndim != 1:
        raise InvalidInput(f"value must be one sample of shape (owners,), got {values.shape}")
    if not caps.any():
        raise InvalidInput("every cap is 0: a market needs something on offer")
    return values[caps > 0], caps[caps > 0]


def _mean_cap(cap: Any) -> float:
    """Return E[cap] of a law or of one number."""
    if is_law(cap):
        return as_law("cap", cap).mean
    number = as_floats("cap", cap, positive=True)
    if number.ndim:
        raise InvalidInput("value is a law but cap is a sample: give two samples or two laws")
    return float(number)
