"""Confidence sets on unknown costs: every observed choice is a linear inequality."""

import numpy as np
from numpy.typing import NDArray

from market_sim.shapes import Array

Levels = NDArray[np.intp]


class CostBounds:
    r"""All costs that explain what users chose: c_i(l) - c_i(m) <= bound_i(l, m).

    A user who picks l when level m would pay phi(m) tells that
    alpha phi(l) - c(l) >= alpha phi(m) - c(m) - margin. These are bounds on differences; chained
    (shortest paths over levels) they are as tight as they can be, and give an interval for every
    cost since c(0) = 0. The lower ends of a user's intervals are together one of her possible
    costs, and so are the upper ends where they are finite.

    Parameters
    ----------
    users, levels
        Numbers of them.
    margin
        By how much money a choice may miss the best one.

    Attributes
    ----------
    bound
        Shape `(users, levels, levels)`; infinite where nothing is known. Costs are >= 0.
    contradictions
        How often a user's choices could not all be explained. What was known of her is then given
        up for her newest choice: costs may have changed.
    """

    def __init__(self, users: int, levels: int, margin: float = 0.0) -> None:
        self.margin = margin
        self.bound: Array = np.full((users, levels, levels), np.inf)
        self.bound[:, np.arange(levels), np.arange(levels)] = 0.0
        self.bound[:, 0] = 0.0
        self.contradictions = 0

    @property
    def low(self) -> Array:
        """Least possible costs, shape `(users, levels)`."""
        return np.asarray(-self.bound[:, 0])

    @property
    def high(self) -> Array:
        """Greatest possible costs, shape `(users, levels)`; infinite where unknown."""
        return np.asarray(self.bound[:, :, 0])

    def observe(self, rows: Levels, chosen: Levels, payments: Array, alpha: float) -> None:
        """Cut the sets by what users chose.

        Parameters
        ----------
        rows
            The users.
        chosen
            Their levels.
        payments
            What each level would have paid each of them at alpha = 1, shape `(rows, levels)`.
        alpha
            Share that was paid out.
        """
        place = np.arange(rows.size)
        news = alpha * (payments[place, chosen][:, None] - payments) + self.margin
        news[place, chosen] = 0.0
        known = self._cut(self.bound[rows], chosen, news)
        wrong = np.flatnonzero((np.diagonal(known, axis1=1, axis2=2) < 0).any(axis=1))
        if wrong.size:
            fresh = CostBounds(wrong.size, known.shape[1]).bound
            known[wrong] = self._cut(fresh.copy(), chosen[wrong], news[wrong])
            absurd = (np.diagonal(known[wrong], axis1=1, axis2=2) < 0).any(axis=1)
            known[wrong[absurd]] = fresh[absurd]  # a choice that no cost >= 0 explains
            self.contradictions += int(wrong.size)
        self.bound[rows] = known

    @staticmethod
    def _cut(bound: Array, chosen: Levels, news: Array) -> Array:
        """Return bounds with the news, closed under chains."""
        place = np.arange(len(bound))
        bound[place, chosen] = np.minimum(bound[place, chosen], news)
        for middle in range(bound.shape[1]):
            chained = bound[:, :, middle, None] + bound[:, None, middle]
            np.minimum(bound, chained, out=bound)
        return bound
