"""Whole planes of markets solved at once, and markets whose costs the platform does not know."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from market_sim.games import AcquisitionGame
from market_sim.solvers import (
    RegimeMap,
    cost_map,
    optimal_alpha,
    optimal_alpha_unknown_costs,
    users_map,
    variance_map,
)
from market_sim.streams import Streams
from scenarios.fair_value import costs_of, levels_of, sizes_of, utility_of
from scenarios.studies import StudyConfig, UsersConfig

Row = dict[str, Any]
_NO_NUMBER = float("nan")


def map_rows(study: StudyConfig) -> tuple[list[Row], list[Row]]:
    """Return the rows of "optima" and "thresholds" of a map; regret is left open (NaN)."""
    found = _map(study)
    axes = study.parameters
    rows = [
        {
            "x_name": axes[0],
            "x": float(found.x[i]),
            "y_name": axes[1],
            "y": float(found.y[j]),
            "play": study.plays[0],
            "selection": "optimistic",
            "alpha": float(found.alpha[i, j]),
            "value": float(found.value[i, j]),
            "value_se": 0.0,
            "utility": _utility(float(found.alpha[i, j]), float(found.value[i, j])),
            "regime": found.names[int(found.regime[i, j])],
            "private": 1.0 - float(found.sharing[i, j]),
            "profile": "",
            "attained": 1,
            "regret": _NO_NUMBER,
            "status": "a point of a map, solved with all others at once",
        }
        for i, j in np.ndindex(found.alpha.shape)
    ]
    return rows, _lines(found, axes)


def _map(study: StudyConfig) -> RegimeMap:
    users, axes = study.users, [axis.grid for axis in (study.x, study.y) if axis is not None]
    level = levels_of(users)[-1]
    if study.parameters == ("cost", "users"):
        return users_map(
            lambda number: utility_of(users.model_copy(update={"users": number})),
            axes[0],
            axes[1],
            level=level,
        )
    if study.parameters == ("cost_1", "cost_2"):
        return cost_map(utility_of(users), axes[0], axes[1], level=level, play=study.plays[0])
    return variance_map(sizes_of(users), costs_of(users), axes[0], axes[1])


def _lines(found: RegimeMap, axes: tuple[str, ...]) -> list[Row]:
    if not found.lines:
        return []
    return [
        {
            "axis": axes[1],
            "at": float(at),
            "c_th": float(found.lines["c_th"][place]),
            "switch_off": float(found.lines["switch_off"][place]),
            "gamma_min": _NO_NUMBER,
            "gamma_max": _NO_NUMBER,
        }
        for place, at in enumerate(found.y)
    ]


def _utility(alpha: float, value: float) -> float:
    return value / (1.0 - alpha) if alpha < 1.0 else _NO_NUMBER


def unknown_rows(study: StudyConfig, users: UsersConfig, seed: int) -> Iterator[Row]:
    """Return what the platform keeps when costs are drawn up to a bound: unknown, then known.

    Unknown costs are answered by the exact threshold rule. Known ones are drawn `draws` times,
    each set is answered by its best share, and the mean is given with its standard error.
    """
    from scipy.stats import uniform

    utility, level = utility_of(users), levels_of(users)[-1]
    bound = float(costs_of(users)[0, 1])
    rule = optimal_alpha_unknown_costs(utility, uniform(0.0, bound), level=level)
    yield _unknown_row("unknown costs", rule.alpha, rule.value, 0.0) | {
        "utility": rule.utility,
        "regime": rule.regime,
        "private": 1.0 - rule.sharing,
        "profile": json.dumps({"threshold": rule.threshold}),
        "regret": rule.regret,
        "status": f"users share up to a cost of {rule.threshold:.6g}",
    }
    drawn = Streams(seed).generator("costs").uniform(0.0, 1.0, (study.draws, users.number))
    found = []
    for costs in bound * drawn:
        game = AcquisitionGame(utility, np.column_stack([0.0 * costs, costs]), (0.0, level))
        found.append(optimal_alpha(game))
    values = np.array([best.value for best in found])
    error = float(values.std(ddof=1) / np.sqrt(values.size))
    alpha = float(np.mean([best.alpha for best in found]))
    yield _unknown_row("known costs", alpha, float(values.mean()), error) | {
        "utility": float(np.mean([best.utility for best in found])),
        "regime": "some share",
        "private": float(np.mean([(best.profile == 0).mean() for best in found])),
        "profile": "",
        "regret": max(best.equilibrium.regret for best in found),
        "status": f"the mean over {study.draws} drawn sets of costs",
    }


def _unknown_row(selection: str, alpha: float, value: float, error: float) -> Row:
    return {
        "play": "pure",
        "selection": selection,
        "alpha": alpha,
        "value": value,
        "value_se": error,
        "attained": 1,
    }
