"""Solve small markets with mfglib, and write tables/mean_field_mfglib.json.

Run by hand where mfglib is installed (`pip install mfglib`); the tests read the table only. mfglib
knows finite states, so each cell of value is split into so many equally likely values. Its online
mirror descent moves a policy's logits; nothing of it is shared with ours.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from mfglib.alg import OnlineMirrorDescent
from mfglib.env import Environment
from mfglib.scoring import exploitability_score
from mfglib.utils import mean_field_from_policy

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1])]
import market_sim as ms  # noqa: E402 - the source tree comes first
from market_sim.laws import Uniform  # noqa: E402

BASE = {"cells": 3, "nodes": 4, "rounds": 3, "cap": 2.0, "privacy": 3.0, "split": 36}
CASES = [
    {"budget": [0.5, 0.5, 0.5], "reversion": 0.2, "volatility": 0.3, "curvature": 0.2},
    {"budget": [0.3, 0.6, 0.2], "reversion": 0.0, "volatility": 0.2, "curvature": 0.0},
    {"budget": [0.2, 0.1, 0.8], "reversion": 0.5, "volatility": 0.4, "curvature": 0.5},
]


def market(case: dict) -> ms.MeanFieldGame:
    """Return our game of a case."""
    settings = {key: value for key, value in case.items() if key not in {"split", "privacy"}}
    return ms.MeanFieldGame(Uniform(0, 1), case["privacy"], **settings)


def states(case: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return cell, value and node of each state."""
    cells, split, nodes = case["cells"], case["split"], case["nodes"]
    cell, part, node = np.indices((cells, split, nodes)).reshape(3, -1)
    return cell, (cell + (part + 0.5) / split) / cells, node


def environment(case: dict) -> Environment:
    """Return the same market as mfglib states it."""
    game = market(case)
    cell, value, node = states(case)
    actions = np.arange(game.units.size + 1)
    sold = game.step * np.minimum(actions, node[:, None])
    cost = torch.tensor(value[:, None] * sold + 0.5 * game.curvature * sold**2)
    after = node[:, None] - np.minimum(actions, node[:, None])
    move = game.kernel[cell][:, cell].T[:, :, None] / case["split"]
    chance = torch.tensor(move * (node[:, None, None] == after))
    amount, money = torch.tensor(sold), game.money

    def reward(_: Environment, round_: int, law: torch.Tensor) -> torch.Tensor:
        price = float(money[round_]) / (law * amount).sum().clamp(min=1e-9)
        return price * amount - cost

    start = game.initial_law[cell, node] / case["split"]
    return Environment(
        T=case["rounds"] - 1,
        S=(cell.size,),
        A=(actions.size,),
        mu0=torch.tensor(start),
        r_max=10.0,
        reward_fn=reward,
        transition_fn=lambda *_: chance,
    )


def prices(case: dict, env: Environment, policy: torch.Tensor) -> np.ndarray:
    """Return the prices that clear under a policy."""
    game = market(case)
    _, _, node = states(case)
    sold = game.step * np.minimum(np.arange(game.units.size + 1), node[:, None])
    law = mean_field_from_policy(policy, env=env).numpy()
    return game.money / np.einsum("tsa,sa->t", law, sold)


def ours(case: dict) -> torch.Tensor:
    """Return our policy as a table of probabilities."""
    found = market(case).equilibrium()
    cell, value, node = states(case)
    table = np.zeros((case["rounds"], cell.size, found.game.units.size + 1))
    for round_ in range(case["rounds"]):
        units = found.amount_at(round_, value, cell, node) / found.game.step
        table[round_, np.arange(cell.size), np.rint(units).astype(int)] = 1.0
    return torch.tensor(table)


def solved(case: dict) -> dict:
    """Return what mfglib finds, and what it thinks of our policy."""
    env = environment(case)
    policies, scores, _ = OnlineMirrorDescent(alpha=1.0).solve(
        env, max_iter=1500, atol=1e-7, rtol=None
    )
    best = int(np.argmin(scores))
    return {
        **case,
        "price": prices(case, env, policies[best]).tolist(),
        "exploitability": float(scores[best]),
        "exploitability_of_ours": float(exploitability_score(env, ours(case))),
        "price_of_ours": prices(case, env, ours(case)).tolist(),
    }


def main() -> None:
    """Write the table."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    table = [solved({**BASE, **case}) for case in CASES]
    target = HERE / "tables" / "mean_field_mfglib.json"
    target.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    for row in table:
        found = market({key: row[key] for key in {**BASE, **CASES[0]}}).equilibrium()
        print(row["price"], found.price.tolist())  # noqa: T201 - a script for the console
        print(row["exploitability"], row["exploitability_of_ours"])  # noqa: T201 - the same


if __name__ == "__main__":
    main()
