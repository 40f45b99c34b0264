"""Bayes-Nash equilibria of bidding games: best responses on strategies, damped, then averaged."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from market_sim.errors import InvalidInput
from market_sim.games.bidding import BiddingGame, require_game
from market_sim.games.bidding_strategy import Bidding, BidStrategy, truthful
from market_sim.shapes import Array, as_number, whole_number
from market_sim.solvers.bidding_regret import StrategyRegret, strategy_regret
from market_sim.solvers.bidding_result import BiddingEquilibrium
from market_sim.streams import Streams

_EDGE = 1e-3  # share of owners beyond the outer knots, where the law has no end
_TREMBLE = 0.06  # of the highest bid: how far trembles go at first
_TIE = 1e-9  # of the mean pay of an owner: what is less apart is equal


def bayes_nash_bids(  # noqa: PLR0913 - all but one are optional and by keyword
    game: BiddingGame,
    *,
    start: Bidding = truthful,
    values: int = 17,
    caps: int = 1,
    bids: int = 65,
    offers: int | None = None,
    highest_bid: float | None = None,
    steps: int = 40,
    profiles: int = 500,
    tolerance: float = 0.01,
    seed: int = 0,
) -> BiddingEquilibrium:
    r"""Find b = BR(b): the report of each type maximizes E[p - v epsilon] if all others play b.

    What a report brings in (E epsilon, E payment) does not depend on who makes it. So one menu of
    all bids and caps is cleared a step, against the same draws of the others, and each type picks
    her best point of it. The strategy moves half of the way to the best response at first and takes
    the average of the last half of the steps, over which noise cancels. A mover's bid trembles,
    less and less, down to one point of the menu: without that all types who would undercut one bid
    choose the same lower bid, and stay together. Ties go to the report nearest to the truth.

    Parameters
    ----------
    game
        The bidding game.
    start
        First strategy of all.
    values, caps
        Knots of the strategy in value and in cap; with one cap, bids do not depend on it and the
        cap is averaged over.
    bids, offers
        Points of the menu: bids from 0 to `highest_bid`, and the parts (k / offers)^2 of the own
        cap; 4 parts if omitted, or the whole cap alone where the game fixes it.
    highest_bid
        Top of the menu; twice the highest value or four times the money for a mean unit, whichever
        is more, if omitted.
    steps
        Best responses taken.
    profiles
        Draws of the others in each step, new ones each time.
    tolerance
        Regret that counts as converged, as a part of B / N.
    seed
        Of all draws.

    Returns
    -------
    BiddingEquilibrium
        With the regret of the averaged strategy; the status says so if it did not converge.

    Raises
    ------
    InvalidInput
        If a number is too small, or caps are to be chosen that the game fixes.

    Notes
    -----
    Source: privacy auction game [D]; Brown (1951), fictitious play.
    """
    require_game(game)
    if offers is None:
        offers = 1 if game.fixed_cap else 4
    count = {"values": values, "caps": caps, "offers": offers, "steps": steps}
    for name, number in count.items():
        whole_number(name, number, 1)
    if game.fixed_cap and offers > 1:
        raise InvalidInput(f"offers is {offers}, but this game fixes the caps: leave it out")
    tolerance = as_number("tolerance", tolerance, positive=True)
    whole_number("bids", bids, 2)
    whole_number("profiles", profiles, 2)
    given = _top(game) if highest_bid is None else highest_bid
    top = as_number("highest_bid", given, positive=True)
    plan = _plan(game, values, caps, np.linspace(0.0, top, bids), offers)
    streams = Streams(seed)
    strategy: Bidding = start
    history, current = np.empty(steps), plan.strategy_of(start)
    for step in range(steps):
        rng = streams.generator("bidding steps", step)
        others = _others(game, strategy, profiles, rng)
        tremble = max(1.0 / bids, _TREMBLE * (1.0 - 1.5 * step / steps)) * top
        reply, gain = _reply(game, plan.shifted(rng), current, others, tremble, rng)
        history[step] = gain
        move = 0.5 if step < steps // 2 else 1.0 / (step - steps // 2 + 2)
        current = _towards(current, reply, move)
        strategy = current
    check = strategy_regret(game, current, profiles=max(200, profiles // 2), seed=seed + 1)
    return _judged(game, current, check, history, tolerance, top, plan)


@dataclass(frozen=True, eq=False)
class _Plan:
    """Knots of the strategy, and the menu: bids `(bids,)` and parts of the cap `(offers,)`."""

    value: Array
    cap: Array
    bid: Array
    part: Array

    def shifted(self, rng: np.random.Generator) -> Self:
        """Return the plan with its bids moved by less than a step, and the truth among them.

        Averages over steps are then finer than the grid.
        """
        shift = self.bid[1] * rng.random()
        return replace(self, bid=np.unique(np.concatenate([self.bid + shift, self.value])))

    def strategy_of(self, bidding: Bidding) -> BidStrategy:
        """Return what a strategy does at the knots."""
        value, cap = np.meshgrid(self.value, self.cap, indexing="ij")
        bid, offer = bidding(value, cap)
        return BidStrategy(self.value, self.cap, bid - value, np.clip(offer / cap, 1e-12, 1.0))


def _plan(game: BiddingGame, values: int, caps: int, bids: Array, offers: int) -> _Plan:
    cap = game.cap_quantile(np.linspace(0, 1, caps)) if caps > 1 else np.array([game.mean_cap])
    knots = np.unique(game.value_quantile(_shares(game, values)))
    part = (np.arange(1, offers + 1) / offers) ** 2
    return _Plan(knots, np.unique(cap), bids, part)


def _shares(game: BiddingGame, knots: int) -> Array:
    """Return shares from 0 to 1, or within the edges where the greatest value is infinite."""
    high = 1.0 if np.isfinite(game.value_quantile(1.0)) else 1.0 - _EDGE
    return np.linspace(0.0, high, knots) if knots > 1 else np.array([0.5])


def _top(game: BiddingGame) -> float:
    high = float(game.value_quantile(_shares(game, 2)[-1]))
    return 2.0 * max(high, 2.0 * game.budget / (game.owners * game.mean_cap))


def _others(
    game: BiddingGame, strategy: Bidding, profiles: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return what the others say, `(profiles, owners - 1)` each.

    Each other owner's values and caps are spread evenly over the draws (a Latin hypercube), which
    takes most of the noise from the menu.
    """
    shape = (2, game.owners - 1, profiles)
    share = (
        rng.permuted(np.tile(np.arange(profiles), (*shape[:2], 1)), axis=2) + rng.random(shape)
    ) / profiles
    value, cap = game.value_quantile(share[0].T), game.cap_quantile(share[1].T)
    bid, offer = strategy(value, cap)
    return np.asarray(bid), np.asarray(offer)


def _reply(
    game: BiddingGame,
    plan: _Plan,
    current: BidStrategy,
    others: tuple[Array, Array],
    tremble: float,
    rng: np.random.Generator,
) -> tuple[BidStrategy, float]:
    """Return the best response at the knots, and the mean gain over what is played now."""
    profiles = len(others[0])
    averaged = plan.cap.size == 1
    spread = (rng.permutation(profiles) + rng.random(profiles)) / profiles
    caps = game.cap_quantile(spread) if averaged else plan.cap[:, None]
    # Axes: bid, part of the cap, knot in cap, profile; the last is averaged.
    bid, part = plan.bid[:, None, None, None], plan.part[:, None, None]
    shake = tremble * rng.permutation(np.linspace(-1.0, 1.0, profiles))
    menu = game.alone(np.maximum(bid + shake, 0.0), part * caps, *others)
    epsilon, payment = (column.mean(axis=-1) for column in menu)
    worth = payment - plan.value[:, None, None, None] * epsilon
    flat = worth.reshape(plan.value.size, -1, plan.cap.size)
    # Owners who cannot win are content with any report: they tell the truth.
    tie = _TIE * game.budget / game.owners
    near = flat >= flat.max(axis=1, keepdims=True) - tie
    lie = np.abs(plan.bid[:, None] - plan.value[:, None, None]) + (1.0 - plan.part)
    pick = np.where(near, lie.reshape(plan.value.size, -1, 1), np.inf).argmin(axis=1)
    row, column = np.unravel_index(pick, (plan.bid.size, plan.part.size))
    reply = BidStrategy(
        plan.value, plan.cap, plan.bid[row] - plan.value[:, None], plan.part[column]
    )
    own_bid = np.maximum((plan.value[:, None] + current.markup)[..., None] + shake, 0.0)
    epsilon, payment = (
        column.mean(axis=-1)
        for column in game.alone(own_bid, current.share[..., None] * caps, *others)
    )
    gain = flat.max(axis=1) - (payment - plan.value[:, None] * epsilon)
    return reply, float(gain.mean())


def _towards(here: BidStrategy, there: BidStrategy, move: float) -> BidStrategy:
    return BidStrategy(
        here.values,
        here.caps,
        here.markup + move * (there.markup - here.markup),
        here.share + move * (there.share - here.share),
    )


def _judged(
    game: BiddingGame,
    strategy: BidStrategy,
    check: StrategyRegret,
    history: Array,
    tolerance: float,
    top: float,
    plan: _Plan,
) -> BiddingEquilibrium:
    """Return the result with a sentence on how far it is from an equilibrium."""
    scale = game.budget / game.owners
    good = check.mean - 2.0 * check.error <= tolerance * scale
    said = f"an owner gains {check.mean:.3g} by another report, {check.mean / scale:.2%} of B / N"
    status = f"after {len(history)} best responses {said}"
    if not good:
        status = f"not converged: {status}; raise steps, profiles or bids"
    if (strategy.markup > np.maximum(0.95 * top - plan.value[:, None], 0.0)).any():
        status += "; bids reach the top of the menu, raise highest_bid"
    return BiddingEquilibrium(
        strategy=strategy,
        regret=check.mean,
        regret_error=check.error,
        worst_regret=check.worst,
        residual=float(history[-1]),
        price=float("nan"),
        converged=good,
        status=status,
        steps=len(history),
        solver="bayes_nash_bids",
        history=history,
    )
