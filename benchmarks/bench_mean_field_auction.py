"""Purchases and times of MFGRegretNet beside ProportionalShare, in the privacy auction game.

Purchases are shares of what the money buys from owners who cannot lie. Both rules meet the same
markets, on other seeds than the training's; in brackets are standard errors, of the first rule and
of the difference. `--profiles N` sets how many markets of ten owners are behind a mean (2000 by
default; fewer where there are more owners).
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from _timing import Row, at_most, report, timed

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import torch

import market_sim as ms
from market_sim.mechanisms.networks.checkpoints import load_network, save_network

LAWS = ("uniform", "bimodal", "realistic")
MONEY = (0.05, 0.2, 0.5, 1.0, 2.0)
SEED = 2026


def profiles_wanted() -> int:
    """Take `--profiles N` out of the arguments."""
    if "--profiles" not in sys.argv:
        return 2000
    place = sys.argv.index("--profiles")
    number = int(sys.argv[place + 1])
    del sys.argv[place : place + 2]
    return number


def unlearned(folder: Path) -> ms.MFGRegretNet:
    """Return the same rule with all of the budget released at once."""
    stored = load_network("mean-field-auction")
    tensors = {**stored.tensors, "top.bias": torch.full((1,), -1e4)}
    path = save_network(folder / "at-once.safetensors", stored.kind, stored.metadata, tensors)
    return ms.MFGRegretNet(path)


def drawn(law: str, owners: int, profiles: int) -> ms.Reports:
    """Draw truthful markets."""
    generator = np.random.default_rng(SEED)
    return ms.privacy_auction_law(law, owners).sample(generator, (profiles,)).reports()


def share(rule: ms.Mechanism, truth: ms.Reports, budget: float) -> np.ndarray:
    """Return what a rule buys over the full-information bound, a market each."""
    bought = rule.clear(truth, budget).epsilon.sum(axis=-1)
    return np.asarray(bought / ms.purchase_bound(truth, budget))


def line(label: str, rules: list[ms.Mechanism], truth: ms.Reports, budget: float) -> str:
    """Return means of all rules, and the first one's advantage over the last."""
    shares = [share(rule, truth, budget) for rule in rules]
    count = len(shares[0]) ** 0.5
    gap = shares[0] - shares[-1]
    means = " ".join(f"{values.mean():.4f}" for values in shares)
    return (
        f"{label:24} {means}  ({shares[0].std() / count:.4f})  "
        f"{gap.mean():+.5f} ({gap.std() / count:.5f})"
    )


def table(profiles: int, folder: Path) -> list[str]:
    """Return lines of purchase shares."""
    rules: list[ms.Mechanism] = [ms.MFGRegretNet(), unlearned(folder), ms.ProportionalShare()]
    lines = ["share of the bound: MFGRegretNet, all released at once, ProportionalShare; advantage"]
    for owners in (10, 50, 100, 200, 1000, 10_000, 100_000, 1_000_000):
        count = max(1, min(profiles, 20 * profiles // owners))
        truth = drawn("uniform", owners, count)
        lines.append(line(f"uniform .5 N={owners}", rules, truth, owners / 2.0))
    for law in LAWS:
        for owners in (10, 10_000):
            for money in MONEY:
                truth = drawn(law, owners, max(3, min(profiles, 20 * profiles // owners)))
                label = f"{law} {money:g} N={owners}"
                lines.append(line(label, rules, truth, owners * money))
    return lines


def times() -> list[Row]:
    """Time one auction of 10^3 to 10^6 owners."""
    rows = []
    for owners in (1000, 10_000, 100_000, 1_000_000):
        truth = drawn("uniform", owners, 1)
        for rule in (ms.MFGRegretNet(), ms.ProportionalShare()):
            spent = timed(lambda: rule.clear(truth, owners / 2.0), repeats=3)  # noqa: B023
            rows.append(at_most(f"{rule.name} N={owners}", spent, 2.0))
    return rows


if __name__ == "__main__":
    torch.set_num_threads(1)
    number = profiles_wanted()
    with tempfile.TemporaryDirectory() as place:
        report("MFGRegretNet: one core", times(), table(number, Path(place)))
