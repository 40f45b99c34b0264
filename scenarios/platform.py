"""Experiment "platform": the best share to pay out, over sweeps and maps; where choices settle."""

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from market_sim.games import AcquisitionGame
from market_sim.solvers import PlatformOptimum, basins, equilibrium_interval, optimal_alpha
from market_sim.solvers.partitions import Profile, partitions
from market_sim.solvers.pure import TOLERANCE
from scenarios.config import Scenario
from scenarios.fair_value import game_of
from scenarios.planes import map_rows, unknown_rows
from scenarios.schemas import TABLES
from scenarios.studies import AxisConfig, Parameter, StudyConfig, UsersConfig
from scenarios.units import Unit

Row = dict[str, Any]
_TABLES = ("optima", "thresholds", "partitions", "ends")
_COSTS = ("cost", "cost_1", "cost_2", "cost_scale", "cost_bound")


def run_platform(scenario: Scenario, unit: Unit) -> dict[str, dict[str, Any]]:
    """Answer the study that a unit names.

    Returns
    -------
    The tables "optima", "thresholds", "partitions" and "ends"; what a study does not ask for is
    empty.
    """
    study = next(each for each in scenario.studies if each.name == unit.setting)
    rows: dict[str, list[Row]] = {table: [] for table in _TABLES}
    if not study.regret:
        rows["optima"], rows["thresholds"] = map_rows(study)
    for place, users in places(study) if study.regret else ():
        if study.parameters == ("cost_bound",):
            rows["optima"] += [row | place for row in unknown_rows(study, users, unit.seed)]
            continue
        game = game_of(users)
        found = list(_optima(study, game, unit.seed))
        rows["optima"] += [_optimum_row(game, result) | place for result in found]
        rows["thresholds"] += _threshold_rows(found, place)
        if study.partitions:
            rows["partitions"] += list(_partition_rows(game, study))
        if study.starts:
            rows["ends"] += list(_end_rows(game, found[0], study, unit.seed))
    where = {"seed": unit.seed, "study": study.name, "title": study.title or study.name}
    return {table: _columns(table, entries, where) for table, entries in rows.items()}


def places(study: StudyConfig) -> Iterator[tuple[Row, UsersConfig]]:
    """Return every point of a study's axes, with the users there."""
    axes = [axis for axis in (study.x, study.y) if axis is not None]
    names = [axis.parameter for axis in axes]
    for values in product(*(axis.grid for axis in axes)):
        x, y = (*values, float("nan"), float("nan"))[:2]
        x_name, y_name = (*names, "", "")[:2]
        users = study.users
        for name, value in zip(names, values, strict=True):
            users = changed(users, name, value)
        yield {"x_name": x_name, "x": x, "y_name": y_name, "y": y}, users


def corners(study: StudyConfig) -> Iterator[UsersConfig]:
    """Return the users at the ends of the axes, where a value is wrong if it is anywhere."""

    def ends(axis: AxisConfig | None) -> AxisConfig | None:
        if axis is None:
            return None
        return AxisConfig(parameter=axis.parameter, values=(axis.grid[0], axis.grid[-1]))

    few = study.model_copy(update={"x": ends(study.x), "y": ends(study.y)})
    return (users for _, users in places(few))


def changed(users: UsersConfig, name: Parameter, value: float) -> UsersConfig:
    """Return users with one parameter changed."""
    if name == "users":
        return users.model_copy(update={"users": int(value)})
    if name in ("s2", "r2"):
        return users.model_copy(update={name: value})
    if name in ("cost", "cost_bound"):
        return users.model_copy(update={"costs": ((0.0, value),)})
    if name == "cost_scale":
        scaled = tuple(tuple(value * cost for cost in row) for row in users.costs)
        return users.model_copy(update={"costs": scaled})
    rows = users.costs if len(users.costs) > 1 else ((0.0, 0.0),) * users.number
    first = users.number - users.number // 2
    own = [(user < first) == (name == "cost_1") for user in range(users.number)]
    costs = tuple((0.0, value) if mine else row for mine, row in zip(own, rows, strict=True))
    return users.model_copy(update={"costs": costs})


def _optima(study: StudyConfig, game: AcquisitionGame, seed: int) -> Iterator[PlatformOptimum]:
    """Return the platform's best share for every way of play that is asked for."""
    start = "random" if study.start == "random" else None
    for play in study.plays:
        for selection in study.selections if play == "pure" else ("optimistic",):
            yield optimal_alpha(game, selection, play, start=start, seed=seed)


def _optimum_row(game: AcquisitionGame, found: PlatformOptimum) -> Row:
    profile = np.asarray(found.profile)
    if found.play == "pure":
        private = float((profile == 0).mean())
        profile = game.counts(profile)
    else:
        private = float(np.atleast_2d(profile)[:, 0].mean())
    return {
        "play": found.play,
        "selection": found.selection,
        "alpha": found.alpha,
        "value": found.value,
        "value_se": 0.0,
        "utility": found.utility,
        "regime": found.regime,
        "private": private,
        "profile": json.dumps(profile.tolist()),
        "attained": int(found.attained),
        "regret": found.equilibrium.regret,
        "status": found.status,
    }


def _threshold_rows(found: list[PlatformOptimum], place: Row) -> list[Row]:
    """Return the costs at which the regime changes, once for each place that is no cost."""
    axes = [(place[f"{axis}_name"], place[axis]) for axis in ("x", "y") if place[f"{axis}_name"]]
    name, at = next(((n, v) for n, v in axes if n not in _COSTS), ("", float("nan")))
    return [
        {
            "axis": name,
            "at": at,
            "c_th": result.thresholds.c_th,
            "switch_off": result.thresholds.switch_off,
            "gamma_min": result.thresholds.gamma_min,
            "gamma_max": result.thresholds.gamma_max,
        }
        for result in found
        if result.thresholds is not None
    ]


def _partition_rows(game: AcquisitionGame, study: StudyConfig) -> Iterator[Row]:
    """Return every partition that is an equilibrium for some alpha, with its interval.

    A profile that is followed has a row of its own: its partition may hold others as well.
    """
    parts = partitions(game)
    found = parts.intervals()
    for row in np.lexsort((found.left, found.utility)).tolist():
        left, right = float(found.left[row]), float(found.right[row])
        middle, slack = (left + right) / 2.0, TOLERANCE * parts.scale
        profile = parts.profile(int(found.partition[row]), middle, slack)
        yield _interval_row(game, profile, left, right) | {"followed": 0}
    if study.profile:
        profile = game.check_profile(study.profile)
        left, right = equilibrium_interval(game, profile) or (float("nan"), float("nan"))
        yield _interval_row(game, profile, left, right) | {"followed": 1}


def _interval_row(game: AcquisitionGame, profile: Profile, left: float, right: float) -> Row:
    return {
        "counts": json.dumps(game.counts(profile).tolist()),
        "left": left,
        "right": right,
        "utility": float(game.value(profile)),
    }


def _end_rows(
    game: AcquisitionGame, aim: PlatformOptimum, study: StudyConfig, seed: int
) -> Iterator[Row]:
    """Return where best response from random starts ends at the share of the first optimum."""
    found = basins(game, aim.alpha, starts=study.starts, seed=seed)
    for number, share in enumerate(found.share.tolist()):
        utility = float(found.utility[number])
        yield {
            "alpha": aim.alpha,
            "starts": study.starts,
            "end": number,
            "counts": json.dumps(found.counts[number].tolist()),
            "share": share,
            "utility": utility,
            "value": (1.0 - aim.alpha) * utility,
            "promised": aim.value,
        }


def _columns(table: str, rows: list[Row], where: Row) -> dict[str, list[Any]]:
    return {name: [(row | where)[name] for row in rows] for name in TABLES[table]}
