"""What play of a bidding game buys and costs, and how its regret falls with the owners."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from market_sim.errors import InvalidInput
from market_sim.games.bidding import BiddingGame, Clears
from market_sim.games.bidding_strategy import Bidding, truthful
from market_sim.population import PopulationLaw
from market_sim.shapes import Array, as_number, whole_number
from market_sim.solvers.bidding_mean_field import Pays, mean_field_strategy
from market_sim.solvers.bidding_regret import strategy_regret
from market_sim.streams import Streams

_NORMAL = 1.959963984540054  # 97.5 % quantile of the standard normal law
_LEVEL = 0.975
_ROUNDING = 1e-6  # of the money: what is less is rounding
PerCrowd = Float[NDArray[np.float64], " crowds"]


@dataclass(frozen=True)
class BiddingEfficiency:
    """Means over sampled markets of what a rule buys when owners play a strategy, and at the truth.

    Attributes
    ----------
    purchased, purchased_error
        Sum of epsilon bought, and its standard error.
    purchased_truthful, bound
        The same if all told the truth, and what the money could buy with all types known
        (fractional knapsack).
    ratio, ratio_truthful
        purchased / bound, and the same at the truth: ratios of means.
    ratio_error
        Standard error of `ratio`.
    payment, payment_truthful
        Money paid.
    surplus, surplus_truthful
        Sum over owners of p - v epsilon.
    price_of_anarchy
        bound / purchased: how many times as much the money could buy.
    losing
        Share of the owners who have less than nothing of it (by a millionth of the budget).
    """

    purchased: float
    purchased_error: float
    purchased_truthful: float
    bound: float
    ratio: float
    ratio_error: float
    ratio_truthful: float
    payment: float
    payment_truthful: float
    surplus: float
    surplus_truthful: float
    price_of_anarchy: float
    losing: float


def bidding_efficiency(
    game: BiddingGame, strategy: Bidding, *, profiles: int = 1000, seed: int = 0
) -> BiddingEfficiency:
    """Compare what the money buys when all play a strategy, at the truth, and at best.

    Parameters
    ----------
    game, strategy
        What is played.
    profiles
        Markets drawn, at least 2; all three meet the same ones.
    seed
        Of the draws.

    Raises
    ------
    InvalidInput
        If the number of profiles is below 2.

    Notes
    -----
    Source: privacy auction game [D], purchased privacy as the objective.
    """
    rng = Streams(seed).generator("bidding efficiency")
    value, cap = game.types(rng, whole_number("profiles", profiles, 2))
    said = strategy(value, cap)
    (sold, paid), (sold_true, paid_true) = (
        game.outcome(bid, offer) for bid, offer in (said, truthful(value, cap))
    )
    bound = knapsack(value, cap, game.budget)
    bought = sold.sum(axis=1)
    utility = paid - value * sold
    ratio = float(bought.mean() / bound.mean())
    return BiddingEfficiency(
        purchased=float(bought.mean()),
        purchased_error=_standard_error(bought),
        purchased_truthful=float(sold_true.sum(axis=1).mean()),
        bound=float(bound.mean()),
        ratio=ratio,
        ratio_error=_standard_error(bought - ratio * bound) / float(bound.mean()),
        ratio_truthful=float(sold_true.sum() / bound.sum()),
        payment=float(paid.sum(axis=1).mean()),
        payment_truthful=float(paid_true.sum(axis=1).mean()),
        surplus=float(utility.sum(axis=1).mean()),
        surplus_truthful=float((paid_true - value * sold_true).sum(axis=1).mean()),
        price_of_anarchy=float(np.divide(1.0, ratio)) if ratio > 0 else float("inf"),
        losing=float((utility < -_ROUNDING * game.budget).mean()),
    )


def knapsack(value: Array, cap: Array, budget: float) -> Array:
    """Return the most epsilon that money buys at known unit values, cheapest first, `(profiles,)`.

    The last owner sells a part.
    """
    order = np.argsort(value, axis=1, kind="stable")
    unit, amount = (np.take_along_axis(column, order, axis=1) for column in (value, cap))
    before = np.cumsum(unit * amount, axis=1) - unit * amount
    left = np.maximum(budget - before, 0.0)
    affordable = np.where(unit > 0, left / np.where(unit > 0, unit, 1.0), np.inf)
    return np.asarray(np.minimum(amount, affordable).sum(axis=1))


@dataclass(frozen=True, eq=False)
class RegretScaling:
    """Regret of one way to play against the number of owners, with the slope of its logarithm.

    Attributes
    ----------
    owners
        Numbers of owners, shape `(crowds,)`.
    regret, error
        Expected gain of one owner by another report, as a part of B / N, and its standard error.
    slope, interval
        d log regret / d log N by weighted least squares, and its 95 % interval from the standard
        errors (widened where the points scatter more); NaN where fewer than two regrets are above
        two standard errors.
    status
        A sentence.
    """

    owners: PerCrowd
    regret: PerCrowd
    error: PerCrowd
    slope: float
    interval: tuple[float, float]
    status: str


def regret_scaling(  # noqa: PLR0913 - all but four are optional and by keyword
    mechanism: Clears,
    law: PopulationLaw,
    owners: Sequence[int],
    money: float,
    play: Bidding | Pays = truthful,
    *,
    fixed_cap: bool = False,
    types: int | None = None,
    tries: int = 24,
    draws: int = 20_000,
    seed: int = 0,
) -> RegretScaling:
    """Measure what one owner gains by leaving a way to play, in ever larger markets.

    Parameters
    ----------
    mechanism, law
        The rule and the owners' law.
    owners
        Numbers of owners to measure at, at least two.
    money
        Budget for each owner: B = money N.
    play
        A strategy (the truth if omitted), or the way a rule pays ("bid", "price", "share"): then
        the mean-field reply at each N is played.
    fixed_cap
        Whether owners can only lie in value.
    types, tries, draws
        Types tried (2,000 / N within 24 and 120 if omitted), reports tried by each; owners
        drawn for the search: there are draws / N profiles, at least 20 and at most 1,000.
    seed
        Of all draws.

    Raises
    ------
    InvalidInput
        If fewer than two numbers of owners are given, or one is outside its domain.

    Notes
    -----
    Source: privacy auction game [S] Theorem 3 claims regret of order 1 / sqrt N for payments that
    are Lipschitz; [D] measured here, not assumed.
    """
    crowds = [whole_number("owners", number, 1) for number in owners]
    if len(set(crowds)) < 2:
        raise InvalidInput(f"owners must be at least two different numbers, got {list(owners)}")
    share = as_number("money", money, positive=True)
    for name, count in (
        ("draws", draws),
        ("tries", tries),
        ("types", 1 if types is None else types),
    ):
        whole_number(name, count, 1)
    regret, error = np.empty((2, len(crowds)))
    for place, number in enumerate(crowds):
        game = BiddingGame(mechanism, law, number, share * number, fixed_cap=fixed_cap)
        profiles = min(1000, max(20, draws // number))
        if isinstance(play, str):
            strategy: Bidding = mean_field_strategy(game, play)
        else:
            strategy = play
        many = types or 2 * int(np.clip(1000 // number, 12, 60))
        found = strategy_regret(
            game, strategy, types=many, profiles=profiles, tries=tries, seed=seed + 1
        )
        regret[place], error[place] = found.mean, found.error
    return _fitted(np.array(crowds, dtype=np.float64), regret / share, error / share)


def _fitted(owners: Array, regret: Array, error: Array) -> RegretScaling:
    """Return the slope by weighted least squares in logarithms, over points that are not noise."""
    from scipy.stats import t

    clear = (regret > 2.0 * error) & (regret > _ROUNDING)
    none = float("nan")
    if np.unique(owners[clear]).size < 2:
        status = "no slope: the regret is within noise of 0 at all but at most one number of owners"
        return RegretScaling(owners, regret, error, none, (none, none), status)
    x, y = np.log(owners[clear]), np.log(regret[clear])
    weight = (regret[clear] / np.maximum(error[clear], 1e-12 * regret[clear])) ** 2
    middle = np.average(x, weights=weight)
    spread = (weight * (x - middle) ** 2).sum()
    slope = float((weight * (x - middle) * y).sum() / spread)
    left = y - np.average(y, weights=weight) - slope * (x - middle)
    freedom = x.size - 2
    excess = max(1.0, float((weight * left**2).sum()) / freedom) if freedom else 1.0
    wide = float(t.ppf(_LEVEL, freedom)) if excess > 1.0 else _NORMAL
    half = wide * float(np.sqrt(excess / spread))
    status = f"regret goes as N^{slope:.2f} over {x.size} numbers of owners"
    return RegretScaling(owners, regret, error, slope, (slope - half, slope + half), status)


def _standard_error(sample: Array) -> float:
    return float(sample.std(ddof=1) / np.sqrt(sample.size))
