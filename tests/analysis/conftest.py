"""Small made-up runs on disk, in the layout that scenarios write: input for the tests of analysis.

The numbers follow simple laws and mean nothing; what matters is that they are known exactly.
"""

import itertools
import json

import numpy as np
import pandas as pd
import pytest


def write_run(folder, kind, tables, *, parts=1, status="complete", **manifest):
    """Write a manifest and tables; with `parts` > 1 as the parts of an unfinished run."""
    folder.mkdir(parents=True)
    for name, frame in tables.items():
        if parts == 1:
            frame.to_parquet(folder / f"{name}.parquet", index=False)
            continue
        (folder / "parts" / name).mkdir(parents=True)
        for part, rows in enumerate(np.array_split(np.arange(len(frame)), parts)):
            file = folder / "parts" / name / f"{part:04d}.parquet"
            frame.iloc[rows].to_parquet(file, index=False)
    content = {
        "format": 1,
        "experiment": kind,
        "title": f"made-up {kind}",
        "figures": [],
        "status": status,
        "scenario": {},
        **manifest,
    }
    (folder / "manifest.json").write_text(json.dumps(content))
    return folder


def auctions_table(
    *,
    seeds=(0, 1, 2),
    settings=("low", "high"),
    owners=(10,),
    budgets=None,
    mechanisms=("all-in-critical", "all-in-singer"),
    aggregators=("error-opt", "bias-opt"),
    winners=True,
):
    """Error bounds that fall with budget and owners; `singer` has no winner in some profiles."""
    budgets = budgets or {"fixed": (2.0, 5.0, 10.0, 20.0), "proportional": (0.1, 0.25, 0.5, 1, 2)}
    points = [(law, level) for law, levels in budgets.items() for level in levels]
    rows = []
    for seed, setting, size, (law, level), mechanism, aggregator in itertools.product(
        seeds, settings, owners, points, mechanisms, aggregators
    ):
        rng = np.random.default_rng([seed, size, int(100 * level)])
        factor = {"all-in-singer": 1.3}.get(mechanism, 1.0) * (3 if setting == "high" else 1)
        factor *= {"error-opt": 1, "bias-opt": 1.5, "water-filling": 1.35, "data-size": 2}.get(
            aggregator, 2.6
        )
        strength = level / (20 if law == "fixed" else 1)
        missing = 0.09 / strength**0.5 if mechanism == "all-in-singer" else 0.0
        missing = 0 if missing < 0.1 else min(missing, 1)
        won = int(1000 * (1 - missing)) if winners else 0
        mean = factor * 1.4 / (strength**0.6 * (size / 10) ** 0.5) * rng.uniform(0.93, 1.07)
        rows.append(
            {
                "seed": seed,
                "setting": setting,
                "owners": size,
                "budget_law": law,
                "budget": float(level),
                "mechanism": mechanism,
                "aggregator": aggregator,
                "profiles": 1000,
                "profiles_with_winner": won,
                "error_bound_mean": mean if won else np.nan,
                "error_bound_se": mean / 40 if won else np.nan,
                "error_bound_median": mean * 0.9 if won else np.nan,
                "spent_share_mean": 0.93 - 0.2 * (mechanism == "all-in-singer") if won else 0.0,
                "winners_mean": min(size, 12 * strength**0.7) if won else 0.0,
                "epsilon_mean": 1.0,
                "owner_utility_mean": 0.4,
            }
        )
    return pd.DataFrame(rows)


def market_tables(
    *,
    seeds=(0, 1, 2),
    settings=("low", "high"),
    levels=(2.0, 5.0, 10.0),
    mechanisms=("all-in-critical", "all-in-singer"),
    aggregators=("error-opt",),
    buyers=("bank",),
    owners=10,
    rounds=12,
    winners=True,
    learning=True,
    first=0,
):
    """Rounds, owners and ledger of a sweep of markets; the sums of the three agree."""
    lines, sales, ledger = [], [], []
    for seed, setting, level, mechanism, aggregator in itertools.product(
        seeds, settings, levels, mechanisms, aggregators
    ):
        rng = np.random.default_rng([seed, int(10 * level)])
        market = {
            "seed": seed,
            "setting": setting,
            "budget_law": "fixed",
            "budget_level": level,
            "mechanism": mechanism,
            "aggregator": aggregator,
        }
        caps = rng.uniform(0.5, 5 if setting == "low" else 2, owners)
        spent_so_far = np.zeros(owners)
        for step, (place, buyer) in itertools.product(range(rounds), enumerate(buyers)):
            key = {**market, "round": first + step, "buyer": buyer}
            shut = not winners or (mechanism == "all-in-singer" and step % 5 == 3)
            won = (rng.random(owners) < 0.25 + level / 20) & (not shut)
            won &= np.arange(owners) % len(buyers) == place
            epsilon = np.where(won, caps, 0)
            cost = epsilon * rng.uniform(0.5, 1.0, owners)
            weight = epsilon / max(epsilon.sum(), 1e-12)
            cost = cost * level / max(level, (cost * 1.2).sum(), 1e-12)
            payment = cost * 1.2
            spent_so_far = spent_so_far + epsilon
            learned = 0.5 + 0.42 * (1 - np.exp(-(step + 1) * level / 40)) + rng.normal(0, 0.01)
            lines.append(
                {
                    **key,
                    "status": "traded" if won.any() else "no winner",
                    "participants": owners,
                    "winners": int(won.sum()),
                    "budget": level,
                    "spent": payment.sum(),
                    "returned": level - payment.sum(),
                    "epsilon_sold": epsilon.sum(),
                    "error_bound": 40 / epsilon.sum() if won.any() else np.inf,
                    "owner_utility": (payment - cost).sum(),
                    "accuracy": min(learned + 0.06, 1) if learning else np.nan,
                    "balanced_accuracy": learned - 0.1 if learning else np.nan,
                    "auc": learned if learning else np.nan,
                    "loss": 1 - learned if learning else np.nan,
                }
            )
            sales.append(
                pd.DataFrame(
                    {
                        **key,
                        "owner": np.arange(owners),
                        "kind": "linear",
                        "reported_value": 1.0,
                        "reported_cap": caps,
                        "cap": caps,
                        "epsilon": epsilon,
                        "payment": payment,
                        "cost": cost,
                        "utility": payment - cost,
                        "weight": weight,
                        "privacy_spent": spent_so_far,
                        "status": np.where(won, "won", "lost"),
                    }
                )
            )
            ledger.append(
                {**key, "currency": "money", "debit": buyer, "credit": "escrow", "amount": level}
            )
    return {
        "rounds": pd.DataFrame(lines),
        "owners": pd.concat(sales, ignore_index=True),
        "ledger": pd.DataFrame(ledger).drop(columns="buyer"),
    }


def audit_table(*, seeds=(0, 1), mechanisms=None, settings=("low",)):
    """Regrets: nothing to gain for single-minded owners except under `published`."""
    mechanisms = mechanisms or ("all-in-critical", "all-in-published", "all-in-singer")
    rows = []
    for seed, setting, mechanism, population, deviation in itertools.product(
        seeds, settings, mechanisms, ("single-minded", "multi-minded"), ("value", "cap", "both")
    ):
        safe = population == "single-minded" and mechanism != "all-in-published"
        gain = 0.0 if safe or (population == "multi-minded" and deviation == "value") else 1.0
        gain *= 1 + 0.1 * seed
        rows.append(
            {
                "seed": seed,
                "setting": setting,
                "mechanism": mechanism,
                "population": population,
                "deviation": deviation,
                "profiles": 500,
                "owners": 10,
                "regret_mean": 0.03 * gain,
                "regret_p95": 0.4 * gain,
                "regret_max": 5.2 * gain,
                "gain_share": 0.33 * gain,
                "ir_violation_max": 0.0,
                "budget_excess_max": 0.0,
                "method": "exact",
                "witness": "{}",
            }
        )
    return pd.DataFrame(rows)


@pytest.fixture
def make_auctions(tmp_path):
    """Return a function that writes a run of auctions and returns its folder."""

    def make(*, name="auctions", manifest=None, parts=1, **options):
        table = {"auctions": auctions_table(**options)}
        return write_run(tmp_path / name, "auctions", table, parts=parts, **(manifest or {}))

    return make


@pytest.fixture
def make_market(tmp_path):
    """Return a function that writes a run of markets and returns its folder."""

    def make(*, name="market", manifest=None, parts=1, **options):
        tables = market_tables(**options)
        return write_run(tmp_path / name, "market", tables, parts=parts, **(manifest or {}))

    return make


@pytest.fixture
def make_audit(tmp_path):
    """Return a function that writes a run of audits and returns its folder."""

    def make(*, name="audit", manifest=None, parts=1, **options):
        table = {"audit": audit_table(**options)}
        return write_run(tmp_path / name, "audit", table, parts=parts, **(manifest or {}))

    return make
