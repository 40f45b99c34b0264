"""How far N owners who follow the mean field are from an equilibrium, measured in markets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from agents.buyer import BuyerTerms
from agents.drift import ReflectedDiffusion
from agents.following import MeanFieldFollowing, PriceTaking
from agents.market import Market
from agents.strategies import Strategy
from market_sim import DataSize, InvalidInput, MFGPricing, Population, Streams, Valuations
from market_sim.games.mean_field_flow import Response, policy_value
from market_sim.games.mean_field_laws import as_law
from market_sim.laws import ScalarLaw
from market_sim.shapes import Array, as_floats, whole_number
from market_sim.solvers.mean_field_players import unit_revenue
from market_sim.solvers.mean_field_result import MeanFieldSolution

_RESAMPLES = 2000
_LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class MeanFieldGap:
    """What an owner gains by leaving the mean field's plan, by the number of owners.

    Attributes
    ----------
    owners
        N, shape `(sizes,)`.
    gap
        Gain of an owner, in money; shape `(sizes, estimates)`.
    slope
        Least-squares slope of the logarithm of the mean gap in log N.
    interval
        Its 95 % bootstrap interval; estimates are drawn anew within each size.
    """

    owners: Array
    gap: Array
    slope: float
    interval: tuple[float, float]

    def __str__(self) -> str:
        pairs = zip(self.owners, self.gap.mean(axis=1), strict=True)
        rows = ", ".join(f"N = {n:.0f}: {gap:.3g}" for n, gap in pairs)
        low, high = self.interval
        return f"{rows}; slope {self.slope:.3f} [{low:.3f}, {high:.3f}]"


def static_gap(
    value: ScalarLaw,
    cap: ScalarLaw,
    budget: float,
    sizes: Sequence[int],
    *,
    estimates: int = 32,
    seed: int = 0,
) -> MeanFieldGap:
    """Measure what owners gain who sell all at v <= p in a market that shares the money pro rata.

    In each market of agents, `PriceTaking` owners meet `MFGPricing`. Whoever sells a while the
    others sell A' gets B a / (A' + a) - v a, which is largest at sqrt(B A' / v) - A' within
    [0, cap]; the gap is that much less what she got.

    Parameters
    ----------
    value, cap
        Laws of unit values and caps, independent.
    budget
        The buyer's money an owner, B / N, > 0.
    sizes
        Numbers of owners, at least 2 each, at least two of them.
    estimates
        Markets of each size, at least 2; each gives one gap.
    seed
        Seed of all markets.

    Raises
    ------
    InvalidInput
        If a number is outside its domain.

    Notes
    -----
    Source: privacy auction game [D], N-player check of the static mean field.
    """
    from market_sim.solvers.mean_field_static import mean_field_price

    money = float(as_floats("budget", budget, positive=True))
    price = mean_field_price(value, cap, money)

    def gap(owners: int, root: int) -> float:
        rng = Streams(root).generator("population")
        truth = Valuations.linear(value.sample(rng, (owners,)))
        people = Population(truth, cap.sample(rng, (owners,)))
        market = _market(people, money * owners, PriceTaking(price), root)
        market.step()
        return float(_static_gain(market, money * owners).mean())

    return _measured(gap, sizes, estimates, seed)


def dynamic_gap(
    solution: MeanFieldSolution,
    sizes: Sequence[int],
    *,
    estimates: int = 8,
    markets: int = 8,
    foresight: bool = False,
    seed: int = 0,
) -> MeanFieldGap:
    """Measure what an owner gains by leaving the policy of a solved game over all its rounds.

    In each market of agents, N owners with values that diffuse follow the policy, and B_t is shared
    pro rata. One of them then answers what the others sell: her best policy and the followed one
    are valued exactly on the game's grid, as in `market_sim.solvers.mean_field_players`.

    Parameters
    ----------
    solution
        A solved `MeanFieldGame` whose budget is the same in each round.
    sizes
        Numbers of owners, at least 2 each, at least two of them.
    estimates
        Gaps computed for each size, at least 2.
    markets
        Markets from which each is computed.
    foresight
        She knows what the others sell in these markets on average, an upper bound; if not, only
        its law, which the markets show.
    seed
        Seed of all markets.

    Raises
    ------
    InvalidInput
        If a number is outside its domain or the budget changes.

    Notes
    -----
    Source: privacy auction game [D], N-player check of the dynamic mean field.
    """
    game = solution.game
    if not np.allclose(game.money, game.money[0], rtol=1e-12):
        raise InvalidInput("dynamic_gap needs a game with the same budget in each round")
    repeats = whole_number("markets", markets, 1)

    def gap(owners: int, root: int) -> float:
        others = np.empty((repeats, game.rounds))
        for repeat in range(repeats):
            key = Streams(root).seed("markets of an estimate", repeat)
            market = _following_market(solution, owners, key)
            market.run(game.rounds)
            sold = market.tables()["owners"]["epsilon"].reshape(game.rounds, owners)
            others[repeat] = sold[:, 1:].sum(axis=1)
        return replacement_gain(solution, others, owners, foresight=foresight)

    return _measured(gap, sizes, estimates, seed)


def replacement_gain(
    solution: MeanFieldSolution, others: Array, owners: int, *, foresight: bool = False
) -> float:
    """Return what her best policy earns an owner beyond the solution's, in money.

    Parameters
    ----------
    solution
        A solved game.
    others
        What all others sell, shape `(markets, rounds)`.
    owners
        N.
    foresight
        Whether she knows the mean of these amounts, or that of the mean field.
    """
    game = solution.game
    known = others.mean(axis=0) if foresight else (owners - 1) * solution.supply
    revenue = unit_revenue(game, others, known, owners)
    followed = policy_value(game, solution.response, revenue)[0]
    return Response(game, revenue).mean_value - float((game.initial_law * followed).sum())


def _static_gain(market: Market, budget: float) -> Array:
    """Return each owner's best utility against the others' amounts, less what she got."""
    table, people = market.tables()["owners"], market.population
    sold, value = table["epsilon"], people.reports().unit_value
    others = sold.sum() - sold
    with np.errstate(divide="ignore"):
        wish = np.sqrt(budget * others / value) - others
    best = np.clip(wish, 0.0, people.cap)
    total = np.where(others + best > 0, others + best, 1.0)
    utility = budget * best / total - value * best
    alone = others <= 0  # the least amount earns all the money
    return np.asarray(np.where(alone, budget, utility) - table["utility"])


def _following_market(solution: MeanFieldSolution, owners: int, root: int) -> Market:
    """Return a market of owners drawn from a game's first law who follow its solution."""
    game = solution.game
    rng = Streams(root).generator("population")
    state = rng.choice(game.initial_law.size, size=owners, p=game.initial_law.ravel())
    cell, node = np.divmod(state, game.nodes)
    value = game.edges[cell] + game.width * rng.random(owners)
    left = np.maximum(game.left[node], 1e-9 * game.cap)
    people = Population(Valuations.linear(value), np.full(owners, game.cap), lifetime_cap=left)
    ends = (float(game.edges[0]), float(game.edges[-1]))
    mean = game.mean_value
    if mean is None:
        mean = float(np.clip(as_law("value", game.value).mean, *ends))
    drift = ReflectedDiffusion(mean, game.reversion, game.volatility, ends)
    follow = MeanFieldFollowing(solution.policy)
    return _market(people, float(game.money[0]) * owners, follow, root, drift)


def _market(
    people: Population,
    budget: float,
    strategy: Strategy,
    root: int,
    drift: ReflectedDiffusion | None = None,
) -> Market:
    return Market(
        people,
        [BuyerTerms("buyer", budget)],
        mechanism=MFGPricing(),
        aggregator=DataSize(),
        strategy=strategy,
        seed=root,
        drift=drift,
    )


def _measured(
    gap: Callable[[int, int], float], sizes: Sequence[int], estimates: int, seed: int
) -> MeanFieldGap:
    """Measure gaps at all sizes and fit the slope."""
    numbers = [whole_number("sizes", size, 2) for size in sizes]
    if len(set(numbers)) < 2:
        raise InvalidInput(f"sizes must hold at least two different numbers, got {list(sizes)}")
    count, root = whole_number("estimates", estimates, 2), Streams(seed)
    found = np.empty((len(numbers), count))
    for place, number in enumerate(numbers):
        for market in range(count):
            found[place, market] = gap(number, root.seed("markets", number, market))
    owners = np.array(numbers, dtype=np.float64)
    slope, interval = fitted_slope(owners, found, root.generator("bootstrap"))
    return MeanFieldGap(owners, found, slope, interval)


def fitted_slope(
    size: Array, gap: Array, rng: np.random.Generator
) -> tuple[float, tuple[float, float]]:
    """Return the log-log slope of mean gaps, shape `(sizes, estimates)`, and its 95 % interval.

    Raises
    ------
    InvalidInput
        If a mean gap is not positive.
    """
    mean = as_floats("mean gap", gap.mean(axis=1), positive=True)
    draws = rng.integers(gap.shape[1], size=(_RESAMPLES, *gap.shape))
    drawn = np.take_along_axis(gap[None], draws, axis=2).mean(axis=2)
    centered = np.log(size) - np.log(size).mean()
    with np.errstate(divide="ignore"):
        slopes = np.log(np.vstack([mean, drawn])) @ centered / np.square(centered).sum()
    edge = 0.5 * (1.0 - _LEVEL)
    low, high = np.quantile(slopes[1:], [edge, 1.0 - edge])
    return float(slopes[0]), (float(low), float(high))
