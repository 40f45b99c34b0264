"""The mean field game of privacy sold over rounds: states, transitions, rewards, clearing."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.games.mean_field_grid import reflected_kernel, units_of
from market_sim.games.mean_field_laws import as_law, cell_shares, is_law, node_shares
from market_sim.shapes import Array, as_floats, as_number, frozen, whole_number

if TYPE_CHECKING:
    from market_sim.solvers.mean_field_result import MeanFieldSolution

_NARROWEST = 1e-12  # width of a cell over the greatest value


@dataclass(frozen=True, eq=False)
class MeanFieldGame:
    r"""Owners without number sell privacy round by round to a buyer who spends B_t in round t.

    State (v, e): unit value and lifetime privacy left. In round t = 0, ..., T - 1 an owner sells
    a in [0, min(e, cap)], gets p_t a - v a - (kappa / 2) a^2 and keeps e - a. Then
    dv = theta (m - v) dt + sigma dW for one unit of time, reflected in the value range. The price
    clears, p_t E[a] = B_t / N.

    On the grid the value is known up to a cell, and within it drawn uniformly each round, so that
    the owners of one cell have different values and no share is left undecided. Privacy stands on
    equally spaced nodes from 0 to the most that anyone has, and is sold in whole steps (the cap may
    end with a part of one). The quadratic cost is read off between whole steps linearly.

    Parameters
    ----------
    value
        Law of v at the start: of `market_sim.laws`, or frozen from scipy.stats.
    privacy
        Law of e at the start, independent of v and bounded; or one number > 0 for all.
    cap
        The most that is sold in a round, > 0.
    budget
        Money of each round, shape `(rounds,)`, or one number for all; at least 0, not all 0.
    rounds
        T, at least 1.
    owners
        N, the number that `budget` is for; at 1 the budget is money an owner.
    reversion, mean_value, volatility
        theta >= 0, m (the law's mean within the range if omitted) and sigma >= 0, per round.
    curvature
        kappa >= 0.
    value_range
        Least and greatest value; the law's support if omitted.
    cells, nodes
        Cells of value and nodes of privacy.

    Raises
    ------
    InvalidInput
        If a number is outside its domain, or a range that is needed is missing.

    Notes
    -----
    Source: MFG-RegretNet [S] names the game and leaves the drift open; the drift, the cost's
    curvature and the grid are our completion [D].
    """

    value: Any
    privacy: Any
    cap: float
    budget: ArrayLike
    rounds: int = 50
    owners: float = 1.0
    reversion: float = 0.0
    mean_value: float | None = None
    volatility: float = 0.0
    curvature: float = 0.0
    value_range: tuple[float, float] | None = None
    cells: int = 100
    nodes: int = 100

    def __post_init__(self) -> None:
        for name, least in (("rounds", 1), ("cells", 1), ("nodes", 2)):
            whole_number(name, getattr(self, name), least)
        for name in ("cap", "owners"):
            as_number(name, getattr(self, name), positive=True)
        for name in ("reversion", "volatility", "curvature"):
            as_number(name, getattr(self, name), minimum=0.0)
        if self.mean_value is not None:
            as_number("mean_value", self.mean_value, minimum=0.0)
        object.__setattr__(self, "budget", frozen(self._checked_budget()))
        _ = self.units, self.initial_law

    @cached_property
    def money(self) -> Float[NDArray[np.float64], "rounds"]:
        """Money an owner in each round, B_t / N, shape `(rounds,)`."""
        return frozen(np.asarray(self.budget) / self.owners)

    @cached_property
    def edges(self) -> Float[NDArray[np.float64], "edges"]:
        """Borders of the cells of value, shape `(cells + 1,)`."""
        low, high = self._range()
        return frozen(np.linspace(low, high, self.cells + 1))

    @property
    def width(self) -> float:
        """Width of a cell of value."""
        return float(self.edges[-1] - self.edges[0]) / self.cells

    @cached_property
    def left(self) -> Float[NDArray[np.float64], "nodes"]:
        """Nodes of the privacy left, from 0 to the most that anyone has, shape `(nodes,)`."""
        return frozen(np.linspace(0.0, self._most(), self.nodes))

    @property
    def step(self) -> float:
        """Distance of two nodes."""
        return float(self.left[-1]) / (self.nodes - 1)

    @cached_property
    def units(self) -> Float[NDArray[np.float64], "units"]:
        """Sizes of the units in which privacy is sold in a round, shape `(units,)`."""
        return frozen(units_of(self.cap, self.step, self.nodes))

    @cached_property
    def unit_cost(self) -> Float[NDArray[np.float64], "units"]:
        """Mean marginal cost of curvature in each unit, kappa times its middle."""
        return frozen(self.curvature * (np.cumsum(self.units) - 0.5 * self.units))

    @cached_property
    def kernel(self) -> Float[NDArray[np.float64], "cells cells"]:
        """P(cell after a round | cell before it), shape `(cells, cells)`, rows add up to 1."""
        low, high = self.edges[0], self.edges[-1]
        mean = self.mean_value
        if mean is None:
            mean = float(np.clip(as_law("value", self.value).mean, low, high))
        return frozen(reflected_kernel(self.edges, self.reversion, mean, self.volatility))

    @cached_property
    def initial_law(self) -> Float[NDArray[np.float64], "cells nodes"]:
        """Law of (v, e) before the first round, shape `(cells, nodes)`, sum 1."""
        values = cell_shares(as_law("value", self.value), self.edges)
        if is_law(self.privacy):
            left = node_shares(as_law("privacy", self.privacy), self.left)
        else:
            left = np.zeros(self.nodes)
            left[-1] = 1.0
        law = np.outer(values, left)
        return frozen(law / law.sum())

    def refined(self, cells: int, nodes: int) -> Self:
        """Return the same game on another grid."""
        return replace(self, cells=cells, nodes=nodes)

    def equilibrium(self, method: str = "newton") -> "MeanFieldSolution":
        """Return the equilibrium; see `market_sim.solve_mean_field`."""
        from market_sim.solvers.mean_field import solve_mean_field

        return solve_mean_field(self, method)

    def _checked_budget(self) -> Array:
        money = as_floats("budget", self.budget, minimum=0.0)
        if money.ndim > 1 or (money.ndim == 1 and money.size != self.rounds):
            raise InvalidInput(
                f"budget has shape {money.shape}: give one number, or one for each of the "
                f"{self.rounds} rounds"
            )
        if not money.any():
            raise InvalidInput("budget is 0 in every round: a market needs money in at least one")
        return np.array(np.broadcast_to(money, (self.rounds,)))

    def _range(self) -> tuple[float, float]:
        """Return the least and the greatest value."""
        law = as_law("value", self.value)
        given = law.support if self.value_range is None else self.value_range
        ends = as_floats("value_range", given, minimum=0.0, finite=False)
        if ends.shape != (2,) or not ends[0] < ends[1]:
            raise InvalidInput(f"value_range must be two numbers, low < high, got {given}")
        if not np.isfinite(ends[1]):
            raise InvalidInput(
                "the law of value is unbounded: give value_range, the two ends that reflect"
            )
        if (ends[1] - ends[0]) / self.cells <= _NARROWEST * ends[1]:
            raise InvalidInput(
                f"value_range {given} is too narrow for {self.cells} cells in double precision: "
                "give a wider range or fewer cells"
            )
        return float(ends[0]), float(ends[1])

    def _most(self) -> float:
        """Return the most privacy that anyone has."""
        if not is_law(self.privacy):
            return as_number("privacy", self.privacy, positive=True)
        high = as_law("privacy", self.privacy).support[1]
        if not np.isfinite(high):
            raise InvalidInput(
                "the law of privacy is unbounded: give one whose support has a finite upper end"
            )
        return high
