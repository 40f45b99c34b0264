"""The solution of a mean field game, with the evidence that it is one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.games.mean_field_flow import Flow, Response, SoldShares, TableShares, flow
from market_sim.games.mean_field_game import MeanFieldGame
from market_sim.shapes import Array, as_floats, whole_number

if TYPE_CHECKING:
    from market_sim.solvers.mean_field_players import PlayersGap

GAP = 1e-4
CLEARING = 1e-8
MASS = 1e-12
_FULL = 1e-9


@dataclass(frozen=True, eq=False)
class MeanFieldSolution:
    """A price path, what owners do under it, and by how much it misses an equilibrium.

    Attributes
    ----------
    game
        What was solved.
    price
        p_t, money for a unit of privacy, shape `(rounds,)`; 0 in rounds without money.
    supply
        E[a] in each round, shape `(rounds,)`.
    law
        Law of (cell of value, node of privacy left) before each round and after the last, shape
        `(rounds + 1, cells, nodes)`.
    amount
        Mean amount sold at each state, shape `(rounds, cells, nodes)`.
    response
        Best response to `price`: `.value`, shape `(rounds + 1, cells, nodes)`, and `.worth`.
    exploitability
        What an owner gains by her best response while all others stay, at the prices that the
        policy in fact brings about, in money; computed by code that does not know the solver.
    mean_value
        What the best response to those prices is worth, E V_0.
    clearing_error
        max_t |p_t E[a] - B_t / N| / (B_t / N), over rounds with money.
    mass_error
        The most by which the mass of any round differs from 1.
    history
        Largest clearing error (exploitability over value for fictitious play) after each step.
    steps
        Steps of the solver.
    solver
        Its name.
    converged
        Whether exploitability is at most 1e-4 of the value, clearing error 1e-8, mass error 1e-12.
    binds
        Whether more money would buy more privacy: not where all that may ever be sold is.
    status
        How it ended, a sentence.
    """

    game: MeanFieldGame
    price: Array
    supply: Array
    law: Array
    amount: Array
    response: Response
    exploitability: float
    mean_value: float
    clearing_error: float
    mass_error: float
    history: Array
    steps: int
    solver: str
    converged: bool
    binds: bool
    status: str

    @property
    def value(self) -> Float[NDArray[np.float64], "rounds cells nodes"]:
        """V_t(v, e) of the best response to the price path, shape `(rounds + 1, cells, nodes)`."""
        return self.response.value

    @property
    def relative_exploitability(self) -> float:
        """Exploitability over the mean value; infinite where either is, or nothing is worth it."""
        return _relative(self.exploitability, self.mean_value)

    def policy(
        self, round_: int, value: ArrayLike, privacy_left: ArrayLike
    ) -> Float[NDArray[np.float64], "*owners"]:
        """Return the amount that the best response to the price path sells.

        Thresholds are those of the value's cell, so that the amount falls in the value within a
        cell, up to a step from one cell to the next. Between two nodes amounts are interpolated,
        which keeps them within min(privacy left, cap).

        Parameters
        ----------
        round_
            The round, from 0.
        value
            Unit values, of any shape; clipped to the game's range.
        privacy_left
            Lifetime privacy left, >= 0, same shape; clipped to the greatest node.

        Raises
        ------
        InvalidInput
            If there is no such round, a number is negative or not finite, or the shapes differ.
        """
        game = self.game
        if whole_number("round", round_, 0) >= game.rounds:
            raise InvalidInput(f"round must be below {game.rounds}, got {round_}")
        values = as_floats("value", value, minimum=0.0)
        held = as_floats("privacy_left", privacy_left, minimum=0.0)
        try:
            values, held = (np.array(x) for x in np.broadcast_arrays(values, held))
        except ValueError as error:
            raise InvalidInput(
                f"value has shape {values.shape} and privacy_left {held.shape}: give one shape"
            ) from error
        values = np.clip(values, game.edges[0], game.edges[-1])
        cell = np.minimum(((values - game.edges[0]) / game.width).astype(np.intp), game.cells - 1)
        place = np.clip(held / game.step, 0.0, game.nodes - 1.0)
        node = np.minimum(place.astype(np.intp), game.nodes - 2)
        part = place - node
        lower = self.amount_at(round_, values, cell, node)
        upper = self.amount_at(round_, values, cell, node + 1)
        return np.asarray(np.minimum((1.0 - part) * lower + part * upper, held))

    def amount_at(
        self, round_: int, value: Array, cell: NDArray[np.intp], node: NDArray[np.intp]
    ) -> Array:
        """Return what owners of exact values sell at a node: unit by unit, while it pays.

        Parameters
        ----------
        round_
            The round, from 0.
        value, cell, node
            Unit values, their cells and the nodes of privacy left, of one shape.
        """
        game, response = self.game, self.response
        amount = np.zeros(value.shape)
        for unit, size in enumerate(game.units):
            can = node > unit
            worth = response.worth[round_, cell, np.where(can, node - 1 - unit, 0)]
            amount += np.where(can & (response.net[round_, unit] - worth > value), size, 0.0)
        return amount

    def simulate(
        self, owners: int, seed: int, markets: int = 1
    ) -> Float[NDArray[np.float64], "markets rounds"]:
        """Return what `owners` together sell; see `market_sim.solvers.mean_field_players`."""
        from market_sim.solvers.mean_field_players import simulate

        return simulate(self, owners, seed, markets)

    def players_gap(self, owners: int, seed: int, markets: int = 1000) -> "PlayersGap":
        """Return how far `owners` are from the mean field; see `PlayersGap`."""
        from market_sim.solvers.mean_field_players import players_gap

        return players_gap(self, owners, seed, markets)

    def __str__(self) -> str:
        ends = f"{self.price[0]:.6g} ... {self.price[-1]:.6g}"
        gap = f"exploitability {self.relative_exploitability:.2g} of the value"
        return f"prices {ends}, {gap}, clearing error {self.clearing_error:.2g}: {self.status}"


def certified(
    game: MeanFieldGame,
    price: Array,
    policy: SoldShares,
    *,
    solver: str,
    history: list[float],
    steps: int,
) -> MeanFieldSolution:
    """Return a solution with its evidence, which needs the price path and the policy only."""
    made = flow(game, policy)
    money = game.money
    open_ = money > 0
    errors = np.abs(price * made.supply - money)[open_] / money[open_]
    cleared = np.divide(money, made.supply, out=np.full(game.rounds, np.inf), where=made.supply > 0)
    cleared[~open_] = 0.0
    if np.isfinite(cleared).all():
        best = Response(game, cleared).mean_value
        gap = best - (float(cleared @ made.supply) - made.cost)
    else:  # money in a round, and nobody sells: whoever sold the least amount would get it all
        best, gap = np.inf, np.inf
    clearing, mass = float(errors.max()), made.mass_error
    missed = _missed(_relative(gap, best), clearing, mass)
    good, binds = not missed, _binds(game, made)
    return MeanFieldSolution(
        game=game,
        price=price,
        supply=made.supply,
        law=made.law,
        amount=made.amount,
        response=Response(game, price),
        exploitability=gap,
        mean_value=best,
        clearing_error=clearing,
        mass_error=mass,
        history=np.array(history),
        steps=steps,
        solver=solver,
        converged=good,
        binds=binds,
        status=_sentence(game, made, f"{solver} {{}} {steps} steps", missed, binds),
    )


def _relative(gap: float, best: float) -> float:
    """Return gap over value, infinite where the value is 0 or the gap infinite."""
    return gap / best if 0 < best < np.inf else np.inf


def _missed(gap: float, clearing: float, mass: float) -> list[str]:
    """Name each number that is beyond its tolerance, NaN included."""
    found = (
        (gap <= GAP, f"an exploitability of {gap:.2g} of the value"),
        (clearing <= CLEARING, f"a clearing error of {clearing:.2g}"),
        (mass <= MASS, f"a mass error of {mass:.2g}"),
    )
    return [text for kept, text in found if not kept]


def _binds(game: MeanFieldGame, made: Flow) -> bool:
    """Tell whether less is sold in all than if everyone sold as much and as soon as she could."""
    open_ = (game.money > 0).astype(np.float64)[:, None, None, None]
    table = np.broadcast_to(open_, (game.rounds, game.cells, game.nodes, game.units.size))
    most = flow(game, TableShares(table)).supply.sum()
    return bool(made.supply.sum() < (1.0 - _FULL) * most)


def _sentence(game: MeanFieldGame, made: Flow, ended: str, missed: list[str], binds: bool) -> str:
    """Say how it ended, and where the money does not bind."""
    if missed:
        return (
            f"not converged: {ended.format('stopped after')} with {' and '.join(missed)}; the best "
            "iterate is returned"
        )
    text = ended.format("converged in")
    if not binds:
        return (
            f"{text}; the budget never binds: everyone sells all that she ever may, and more money "
            "would only raise the prices"
        )
    most = np.einsum("tij,j->t", made.law[:-1], np.minimum(game.left, game.cap))
    full = int((made.supply >= (1.0 - _FULL) * most)[game.money > 0].sum())
    if full:
        text += (
            f"; everyone sells all that she may in {full} of {game.rounds} rounds, where the "
            "budget does not bind: more money would only raise the price"
        )
    return text
