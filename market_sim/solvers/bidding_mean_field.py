"""Bidding against a price that no owner moves: the best reply, and the price it brings about."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from market_sim.errors import InvalidInput
from market_sim.games.bidding import BiddingGame, require_game
from market_sim.shapes import Array, as_floats, as_number
from market_sim.solvers.bidding_regret import strategy_regret
from market_sim.solvers.bidding_result import BiddingEquilibrium

Pays = Literal["bid", "price", "share"]
_LEAST = 1e-9  # part of the cap that an owner offers who must offer something


@dataclass(frozen=True)
class PriceTaker:
    """The best reply to a unit price: sell all if v <= price, else nothing.

    Parameters
    ----------
    price
        Money for a unit of epsilon, >= 0.
    pays
        What a seller gets, which decides her report.
        - "bid": what she asks; she asks the price.
        - "price": the price; she tells her value.
        - "share": the price, and everybody sells what she offers; who does not want to offers
          next to nothing.

    Raises
    ------
    InvalidInput
        If the price is negative or `pays` unknown.
    """

    price: float
    pays: Pays = "bid"

    def __post_init__(self) -> None:
        as_floats("price", self.price, minimum=0.0)
        if self.pays not in get_args(Pays):
            raise InvalidInput(f"unknown pays {self.pays!r}, expected {list(get_args(Pays))}")

    def __call__(self, value: Array, cap: Array) -> tuple[Array, Array]:
        """Return (bid, offered cap)."""
        sells = value <= self.price
        bid = np.where(sells, self.price, value) if self.pays == "bid" else np.array(value)
        part = np.where(sells, 1.0, _LEAST) if self.pays == "share" else 1.0
        return np.asarray(bid), np.asarray(cap * part)


def mean_field_bids(
    game: BiddingGame,
    pays: Pays = "bid",
    *,
    types: int = 32,
    profiles: int = 200,
    tolerance: float = 0.01,
    seed: int = 0,
) -> BiddingEquilibrium:
    r"""Find the price at which best replies to it cost the budget: p N E[cap 1{v <= p}] = B.

    Against a price that she cannot move an owner sells all or nothing (`PriceTaker`), whatever the
    rule is called; the price is where supply meets money, found by bisection. Its regret is that of
    the game with N owners: what the limit is worth there.

    Parameters
    ----------
    game
        With its N and B.
    pays
        What sellers get under the mechanism; see `PriceTaker`.
    types, profiles, seed
        Of the regret; see `strategy_regret`.
    tolerance
        Regret that counts as an equilibrium of the N owners, as a part of B / N.

    Raises
    ------
    InvalidInput
        If a setting is outside its domain.

    Notes
    -----
    Source: privacy auction game [D], static mean field.
    """
    require_game(game)
    allowed = as_number("tolerance", tolerance, positive=True)
    price, history = _clearing_price(game)
    strategy = PriceTaker(price, pays)
    found = strategy_regret(game, strategy, types=types, profiles=profiles, seed=seed + 1)
    scale = game.budget / game.owners
    good = found.mean - 2.0 * found.error <= allowed * scale
    left = abs(price * _supply(game, price) - game.budget)
    said = (
        f"the price {price:.6g} sells the budget; among {game.owners} owners one gains "
        f"{found.mean:.3g} by another report, {found.mean / scale:.2%} of B / N"
    )
    return BiddingEquilibrium(
        strategy=strategy,
        regret=found.mean,
        regret_error=found.error,
        worst_regret=found.worst,
        residual=left,
        price=price,
        converged=good,
        status=said if good else f"no equilibrium of so few owners: {said}",
        steps=len(history),
        solver="mean_field_bids",
        history=np.array(history),
    )


def mean_field_strategy(game: BiddingGame, pays: Pays = "bid") -> PriceTaker:
    """Return the best reply to the clearing price, without the regret; see `mean_field_bids`."""
    return PriceTaker(_clearing_price(game)[0], pays)


def _supply(game: BiddingGame, price: float) -> float:
    """Return the mean supply of all owners at a price."""
    return game.owners * game.mean_cap * float(game.value_share(price))


def _clearing_price(game: BiddingGame) -> tuple[float, list[float]]:
    """Return the price at which supply costs the budget, and the errors on the way."""
    low, high = 0.0, game.budget / (game.owners * game.mean_cap)
    while high * _supply(game, high) < game.budget:
        high *= 2.0
    history: list[float] = []
    for _ in range(200):
        middle = 0.5 * (low + high)
        history.append(abs(middle * _supply(game, middle) - game.budget))
        if middle in {low, high}:
            break
        short = middle * _supply(game, middle) < game.budget
        low, high = (middle, high) if short else (low, middle)
    return high, history
