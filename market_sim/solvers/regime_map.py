"""Maps of regimes: the platform's best share over a plane of costs, sizes or variances."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int8
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.games import AcquisitionGame, FederatedMeanEstimation, Utility
from market_sim.shapes import Array, as_floats
from market_sim.solvers.design import optimal_alpha
from market_sim.solvers.duel_map import best_mixed
from market_sim.solvers.group_map import best_pure
from market_sim.solvers.optimum import REGIMES
from market_sim.solvers.users_map import best_symmetric

PerPoint = Float[NDArray[np.float64], "x y"]


@dataclass(frozen=True, eq=False)
class RegimeMap:
    """The platform's best share at every point of a plane.

    Attributes
    ----------
    axes
        What `x` and `y` are.
    x, y
        Coordinates of rows and columns.
    alpha, value
        Share paid out and what the platform keeps, shape `(x, y)`.
    regime
        Code of the regime: 0 "nobody is paid", 1 "some share", 2 "everyone shares".
    sharing
        Expected share of the users who give more than the private option.
    lines
        Thresholds as functions of `y`, by name: for maps over (c, N) "c_th" and "switch_off".
    """

    axes: tuple[str, str]
    x: Array
    y: Array
    alpha: PerPoint
    value: PerPoint
    regime: Int8[NDArray[np.int8], "x y"]
    sharing: PerPoint
    lines: dict[str, Array]

    @property
    def names(self) -> tuple[str, str, str]:
        """Names of the regimes by code."""
        return REGIMES


def cost_map(
    utility: Utility,
    first: ArrayLike,
    second: ArrayLike,
    *,
    sizes: tuple[int, int] | None = None,
    level: float = np.inf,
    play: str = "pure",
) -> RegimeMap:
    """Return the regimes over (c1, c2), the costs of sharing of two groups of users (Fig. 9).

    Parameters
    ----------
    utility
        Users are in two groups: its two kinds (the first is that of user 0) or, if all have
        identical data, the two `sizes`.
    first, second
        Costs c1 of the first group (rows) and c2 of the second (columns).
    sizes
        Users of each group, for identical data; half each if omitted.
    level
        What a user gives who shares.
    play
        "pure", or "mixed": all equilibria of two users with identical data. The platform has its
        favorite equilibrium.

    Raises
    ------
    InvalidInput
        If an argument is outside its domain or the users do not form two groups.

    Notes
    -----
    Source: Fair Value of Data [S] Fig. 9; [D] its candidates and eq. (26) corrected.
    """
    rows, columns = _axis("first", first), _axis("second", second)
    grid = np.broadcast_arrays(rows[:, None], columns[None, :])
    if play == "pure":
        alpha, value, sharing = best_pure(utility, (grid[0], grid[1]), sizes, level)
    elif play == "mixed":
        alpha, value, sharing = best_mixed(utility, (grid[0], grid[1]), level)
    else:
        raise InvalidInput(f'play must be "pure" or "mixed", got {play!r}')
    return _map(("c1", "c2"), rows, columns, (alpha, value, sharing), {})


def users_map(
    utility_of: Callable[[int], Utility],
    cost: ArrayLike,
    users: ArrayLike,
    *,
    level: float = np.inf,
) -> RegimeMap:
    """Return the regimes of symmetric play over (c, N), with c_th and switch-off as lines.

    Parameters
    ----------
    utility_of
        Makes the utility of N identical users, such as `DPMeanEstimation`.
    cost
        Costs of sharing (rows).
    users
        Whole numbers of users (columns).
    level
        What a user gives who shares.

    Raises
    ------
    InvalidInput
        If an argument is outside its domain.

    Notes
    -----
    Source: Fair Value of Data [S] Theorem 3; [D] any N.
    """
    rows, columns = _axis("cost", cost), _axis("users", users)
    if (columns < 1).any() or (columns != np.floor(columns)).any():
        raise InvalidInput("users must be whole numbers of at least 1")
    found = [best_symmetric(utility_of(int(n)), rows, level) for n in columns]
    planes = tuple(np.stack([f.planes[i] for f in found], axis=1) for i in range(3))
    lines = {
        "c_th": np.array([f.thresholds.c_th for f in found]),
        "switch_off": np.array([f.thresholds.switch_off for f in found]),
    }
    return _map(("c", "N"), rows, columns, (planes[0], planes[1], planes[2]), lines)


def variance_map(
    data_size: ArrayLike,
    costs: ArrayLike,
    s2: ArrayLike,
    r2: ArrayLike,
    *,
    selection: str = "optimistic",
) -> RegimeMap:
    """Return the regimes of federated mean estimation over (s2, r2), in pure play.

    U depends on s2 / r2 alone, so that points on one diagonal of a logarithmic grid are one market:
    each ratio is solved once, exactly.

    Parameters
    ----------
    data_size, costs
        As in `FederatedMeanEstimation` and `AcquisitionGame`.
    s2, r2
        Variances (rows, columns), > 0.
    selection
        As in `optimal_alpha`.

    Raises
    ------
    InvalidInput
        If an argument is outside its domain.
    """
    rows, columns = _axis("s2", s2, positive=True), _axis("r2", r2, positive=True)
    logs = np.round(np.log(rows[:, None] / columns), 10)
    ratio, place = np.unique(logs, return_inverse=True)
    found = np.array([_of_ratio(data_size, costs, float(np.exp(x)), selection) for x in ratio])
    planes = np.moveaxis(found[place.reshape(logs.shape)], -1, 0)
    return _map(("s2", "r2"), rows, columns, (planes[0], planes[1], planes[2]), {})


def _of_ratio(
    data_size: ArrayLike, costs: ArrayLike, ratio: float, selection: str
) -> tuple[float, float, float]:
    game = AcquisitionGame(FederatedMeanEstimation(data_size, r2=1.0, s2=ratio), costs)
    best = optimal_alpha(game, selection)
    return best.alpha, best.value, float(np.mean(best.profile > 0))


def _map(
    axes: tuple[str, str],
    x: Array,
    y: Array,
    planes: tuple[Array, Array, Array],
    lines: dict[str, Array],
) -> RegimeMap:
    alpha, value, sharing = planes
    regime = np.where(sharing >= 1.0 - 1e-12, 2, 1)
    regime = np.where((alpha <= 0) | (sharing <= 1e-12), 0, regime).astype(np.int8)
    return RegimeMap(axes, x, y, alpha, value, regime, sharing, lines)


def _axis(name: str, values: ArrayLike, *, positive: bool = False) -> Array:
    array = as_floats(name, values, minimum=0.0, positive=positive)
    if array.ndim != 1 or array.size == 0:
        raise InvalidInput(f"{name} must be a list of numbers, got shape {array.shape}")
    return array
