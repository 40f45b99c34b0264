"""Experiment "fair-value": what every user's data is worth; and users from their records."""

from typing import Any

import numpy as np

from market_sim.errors import InvalidInput, ScenarioError
from market_sim.games import (
    AcquisitionGame,
    DPMeanEstimation,
    FederatedMeanEstimation,
    Utility,
    fair_values,
)
from market_sim.shapes import Array
from scenarios.config import Scenario
from scenarios.studies import PaymentsConfig, UsersConfig
from scenarios.units import Unit

_FEDERATED_LEVELS = (0.0, 1.0, 2.0)


def run_fair_value(scenario: Scenario, unit: Unit) -> dict[str, dict[str, Any]]:
    """Compute the fair payments that a unit names.

    Returns
    -------
    The table "payments" with a row for each user.
    """
    entry = next(each for each in scenario.payments if each.name == unit.setting)
    utility = utility_of(entry.users)
    levels = np.array(entry.profile)
    paid = fair_values(utility, levels, entry.platform, presence=entry.presence)
    return {
        "payments": {
            "case": entry.name,
            "title": entry.title or entry.name,
            "user": np.arange(levels.size),
            "data_size": sizes_of(entry.users),
            "importance": importance_of(entry.users),
            "level": levels,
            "payment": paid.users,
            "platform_payment": float(paid.platform),
            "utility": float(paid.utility),
            "presence": entry.presence,
            "method": paid.method,
            "discrepancy": paid.discrepancy,
        }
    }


def utility_of(users: UsersConfig) -> Utility:
    """Return the utility of a record of users."""
    if users.utility == "dp-mean":
        return DPMeanEstimation(users.number)
    return FederatedMeanEstimation(
        sizes_of(users),
        r2=users.r2,
        s2=users.s2,
        importance=importance_of(users),
        group_mean=users.group_mean,
        min_group=users.min_group,
    )


def sizes_of(users: UsersConfig) -> Array:
    """Return the data size of each user; 1 where the utility knows none."""
    return np.broadcast_to(np.array(users.data_size or (1.0,)), users.number).copy()


def importance_of(users: UsersConfig) -> Array:
    """Return the importance of each user's error."""
    return np.broadcast_to(np.array(users.importance or (1.0,)), users.number).copy()


def costs_of(users: UsersConfig) -> Array:
    """Return costs of shape `(users, levels)`.

    Raises
    ------
    ScenarioError
        If a row does not have a number for each level.
    """
    levels = len(levels_of(users))
    rows = users.costs or ((0.0,) * levels,)
    odd = [len(row) for row in rows if len(row) != levels]
    if odd:
        raise ScenarioError(f"a row of costs has {odd[0]} numbers, expected one a level: {levels}")
    return np.broadcast_to(np.array(rows), (users.number, levels)).copy()


def levels_of(users: UsersConfig) -> tuple[float, ...]:
    """Return what a user gives at each level."""
    return users.level_values if users.utility == "dp-mean" else _FEDERATED_LEVELS


def game_of(users: UsersConfig) -> AcquisitionGame:
    """Return the data acquisition game of a record of users.

    Raises
    ------
    InvalidInput
        If costs or levels are outside their domain.
    """
    values = levels_of(users)
    return AcquisitionGame(utility_of(users), costs_of(users), values, private_gives=values[0] > 0)


def check_fair(scenario: Scenario, origin: str) -> None:
    """Refuse users who cannot play, before anything runs.

    Raises
    ------
    ScenarioError
        Naming the file, the entry and what is wrong with it.
    """
    entries: tuple[tuple[str, tuple[Any, ...]], ...] = (
        ("payments", scenario.payments),
        ("studies", scenario.studies),
    )
    for section, records in entries:
        for entry in records:
            try:
                _check_entry(entry)
            except InvalidInput as problem:
                raise ScenarioError(f"{origin}: {section}.{entry.name}: {problem}") from problem


def _check_entry(entry: Any) -> None:
    if isinstance(entry, PaymentsConfig):
        utility_of(entry.users).value(np.array(entry.profile))
        return
    from scenarios.platform import corners

    for users in corners(entry):
        game = game_of(users)
        if entry.profile:
            game.check_profile(entry.profile)
