"""Experiment "mean-field": games of owners without number, solved, and compared with N owners."""

from typing import TYPE_CHECKING, Any

import numpy as np

from market_sim import MeanFieldGame, Streams, privacy_auction_law, solve_mean_field
from market_sim.errors import InvalidInput, ScenarioError
from scenarios.config import Scenario
from scenarios.joining import joined
from scenarios.privacy_games import MeanFieldConfig
from scenarios.units import Unit

if TYPE_CHECKING:
    from market_sim.solvers.mean_field_result import MeanFieldSolution

_TABLES = (
    "mean_field",
    "mean_field_rounds",
    "mean_field_states",
    "mean_field_history",
    "mean_field_players",
)
_FACTS = (
    "exploitability",
    "relative_exploitability",
    "mean_value",
    "clearing_error",
    "mass_error",
    "steps",
)


def run_mean_field(scenario: Scenario, unit: Unit) -> dict[str, dict[str, Any]]:
    """Solve the game that a unit names by every method and on every grid.

    Returns
    -------
    The tables "mean_field", "mean_field_rounds", "mean_field_states", "mean_field_history" and
    "mean_field_players"; states and players are of the first method on the first grid.
    """
    entry = next(each for each in scenario.mean_field if each.name == unit.setting)
    parts: dict[str, list[dict[str, Any]]] = {name: [] for name in _TABLES}
    for place, (method, grid) in enumerate(entry.variants()):
        solution = solve_mean_field(game_of(entry, grid), method)
        where = {
            "seed": unit.seed,
            "game": entry.name,
            "title": entry.title or entry.name,
            "method": method,
            "cells": grid[0],
            "nodes": grid[1],
        }
        parts["mean_field"].append(where | _facts(solution))
        parts["mean_field_rounds"].append(where | _rounds(solution))
        parts["mean_field_history"].append(where | _history(solution))
        if place == 0:
            parts["mean_field_states"] += [where | block for block in _states(solution)]
            parts["mean_field_players"] += [
                where | block for block in _players(solution, entry, unit.seed)
            ]
    return {name: joined(name, blocks) for name, blocks in parts.items()}


def check_mean_field(scenario: Scenario, origin: str) -> None:
    """Refuse games that cannot be set up, before anything runs.

    Raises
    ------
    ScenarioError
        Naming the file, the game and what is wrong with it.
    """
    for entry in scenario.mean_field:
        try:
            for _, grid in entry.variants():
                game_of(entry, grid)
        except InvalidInput as problem:
            raise ScenarioError(f"{origin}: mean_field.{entry.name}: {problem}") from problem


def game_of(entry: MeanFieldConfig, grid: tuple[int, int]) -> MeanFieldGame:
    """Return the game of a record on a grid.

    Raises
    ------
    InvalidInput
        If a part is outside its domain.
    """
    return MeanFieldGame(
        value=privacy_auction_law(entry.law).unit_value_law,
        privacy=entry.privacy,
        cap=entry.cap,
        budget=entry.budget[0] if len(entry.budget) == 1 else entry.budget,
        rounds=entry.rounds,
        reversion=entry.reversion,
        mean_value=entry.mean_value,
        volatility=entry.volatility,
        curvature=entry.curvature,
        value_range=entry.value_range,
        cells=grid[0],
        nodes=grid[1],
    )


def _facts(solution: "MeanFieldSolution") -> dict[str, Any]:
    facts = {name: getattr(solution, name) for name in _FACTS}
    return facts | {"converged": int(solution.converged), "status": solution.status}


def _rounds(solution: "MeanFieldSolution") -> dict[str, Any]:
    game, law = solution.game, solution.law[:-1]
    return {
        "round": np.arange(game.rounds),
        "price": solution.price,
        "supply": solution.supply,
        "money": game.money,
        "privacy_left": law.sum(axis=1) @ game.left,
        "selling": (law * (solution.amount > 0)).sum(axis=(1, 2)),
    }


def _history(solution: "MeanFieldSolution") -> dict[str, Any]:
    return {"step": np.arange(1, len(solution.history) + 1), "residual": solution.history}


def _states(solution: "MeanFieldSolution") -> list[dict[str, Any]]:
    """Return law and policy before the first, a middle and the last round, state by state."""
    game = solution.game
    middle = 0.5 * (game.edges[1:] + game.edges[:-1])
    value, left = (axis.ravel() for axis in np.meshgrid(middle, game.left, indexing="ij"))
    return [
        {
            "round": number,
            "value": value,
            "privacy_left": left,
            "mass": solution.law[number].ravel(),
            "amount": solution.amount[number].ravel(),
        }
        for number in sorted({0, game.rounds // 2, game.rounds - 1})
    ]


def _players(
    solution: "MeanFieldSolution", entry: MeanFieldConfig, seed: int
) -> list[dict[str, Any]]:
    from market_sim.solvers.mean_field_players import players_gap

    found = []
    for owners in entry.players:
        gap = players_gap(solution, owners, Streams(seed).seed("players", owners), entry.markets)
        names = ("owners", "markets", "gain", "relative_gain", "price_error", "idle")
        found.append({name: getattr(gap, name) for name in names})
    return found
