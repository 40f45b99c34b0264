"""The closed-form aggregators: by data size, by epsilon, by bias, by variance."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from market_sim.aggregation.base import Aggregator, normalized
from market_sim.shapes import Array


@dataclass(frozen=True)
class DataSize(Aggregator):
    """lambda_i proportional to n_i over the winners (federated averaging).

    Source: FL-Market [S], `ConvlAggr`.
    """

    @property
    def name(self) -> str:
        """`data-size`."""
        return "data-size"

    def _weights(self, epsilon: Array, share: Array) -> Array:
        return normalized(np.where(epsilon > 0, share, 0.0))


@dataclass(frozen=True)
class EpsilonShare(Aggregator):
    """lambda_i proportional to eps_i: who reveals more counts for more.

    It is neither the least bias nor the least noise, for which eps_i^2 would be right; see
    `VarOpt`.

    Source: privacy auction game [S], aggregation weights of PAG-FL.
    """

    weighs_noise: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """`epsilon-share`."""
        return "epsilon-share"

    def _weights(self, epsilon: Array, share: Array) -> Array:
        top = epsilon.max(axis=1, keepdims=True)  # first, so that no sum overflows
        return normalized(epsilon / np.where(top > 0, top, 1.0))


@dataclass(frozen=True)
class BiasOpt(Aggregator):
    """lambda_i = w_i for each winner, and the losers' shares to the winner with the largest eps.

    Of several winners with the largest eps the first one takes the rest. With equal sizes the
    squared bias is the least possible, (2 (1 - |W| / n) L)^2.

    Source: FL-Market [S], `BiasOpt`; [D] shares w_i in place of 1/n where sizes differ.
    """

    @property
    def name(self) -> str:
        """`bias-opt`."""
        return "bias-opt"

    def _weights(self, epsilon: Array, share: Array) -> Array:
        won = epsilon > 0
        weights = np.where(won, share, 0.0)
        rows = np.flatnonzero(won.any(axis=1))
        weights[rows, epsilon[rows].argmax(axis=1)] += 1.0 - weights[rows].sum(axis=1)
        return weights


@dataclass(frozen=True)
class VarOpt(Aggregator):
    """lambda_i proportional to eps_i^2: the least variance, 8 d L^2 / sum eps_i^2.

    Source: FL-Market [S], `VarOpt`.
    """

    @property
    def name(self) -> str:
        """`var-opt`."""
        return "var-opt"

    def _weights(self, epsilon: Array, share: Array) -> Array:
        return precision(epsilon, normalize=True)


@dataclass(frozen=True)
class WaterFilling(Aggregator):
    """The least variance among all weights with the least bias: lambda_i >= w_i on the winners.

    lambda_i = max(w_i, c eps_i^2), the level c such that the weights sum to 1. It has the bias of
    `BiasOpt` and never a larger variance.

    Source: [D], minimum of sum lambda_i^2 / eps_i^2 subject to lambda_i >= w_i.
    """

    @property
    def name(self) -> str:
        """`water-filling`."""
        return "water-filling"

    def _weights(self, epsilon: Array, share: Array) -> Array:
        square = precision(epsilon)
        won = square > 0
        floor = np.where(won, share, 0.0)
        # Owners leave their floor in order of eps_i^2 / w_i, largest first.
        order = np.argsort(-square / share, axis=1, kind="stable")
        ordered = np.take_along_axis(square, order, axis=1)
        floors = np.take_along_axis(floor, order, axis=1)
        above = np.cumsum(ordered, axis=1)
        rest = floors.sum(axis=1, keepdims=True) - np.cumsum(floors, axis=1)
        level = np.divide(1.0 - rest, above, out=np.zeros_like(above), where=above > 0)
        stays = (ordered > 0) & (level * ordered >= floors)
        # The set that leaves is a prefix; its last member fixes the level.
        last = np.maximum(stays.sum(axis=1) - 1, 0)
        water = level[np.arange(len(last)), last]
        return normalized(np.where(won, np.maximum(floor, water[:, None] * square), 0.0))


def precision(epsilon: Array, normalize: bool = False) -> Array:
    """Return eps^2 relative to the largest of the row, which neither over- nor underflows."""
    top = epsilon.max(axis=1, keepdims=True)
    square = np.square(epsilon / np.where(top > 0, top, 1.0))
    return normalized(square) if normalize else square
