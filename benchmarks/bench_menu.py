"""Error bounds and times of SequentialMenu beside All-in, under the reference law of sizes.

`--profiles N` sets how many markets are behind each mean (20,000 by default). The means are those
of `market_sim.reference.SIZE_LAW`, on other seeds than the training's; both auctions meet the same
markets. The menu is truthful for all of these multi-minded owners, All-in is not.
"""

import sys
import time
from pathlib import Path

import numpy as np
from _timing import Row, plain, report, timed

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import torch

import market_sim as ms
from market_sim.mechanisms.networks.menu_recipe import MenuRecipe
from market_sim.mechanisms.networks.menu_training import MenuTrainer
from market_sim.reference import SIZE_LAW

RATES = (0.1, 0.25, 0.5, 1.0, 2.0)
SEED = 2024


def profiles_wanted() -> int:
    """Take `--profiles N` out of the arguments."""
    if "--profiles" not in sys.argv:
        return SIZE_LAW.profiles
    place = sys.argv.index("--profiles")
    number = int(sys.argv[place + 1])
    del sys.argv[place : place + 2]
    return number


def law(owners: int, single_minded: bool = False) -> ms.PopulationLaw:
    """Return the reference law for other numbers and minds of owners."""
    return ms.PopulationLaw(
        owners=owners, cap=(0.5, 2.0), sizes="reference", single_minded=single_minded
    )


def mean_error(auction: ms.Mechanism, population: ms.Population, rate: float) -> str:
    """Return mean, standard error and share of the markets without a winner, as text."""
    size = population.data_size
    outcome = auction.clear(population.reports(), ms.budgets(population, rate, "proportional"))
    weights = ms.ErrorOpt().weights(outcome.epsilon, size)
    bound = ms.error_bound(weights, outcome.epsilon, size)
    bought = bound[np.isfinite(bound)]
    text = f"{bought.mean():.3f} ({bought.std() / len(bought) ** 0.5:.3f})"
    lost = 1.0 - len(bought) / len(bound)
    return text if lost == 0 else f"{text} none in {100 * lost:.2f} %"


def errors(auction: ms.Mechanism, population: ms.Population) -> str:
    """Return the mean errors at all rates as one line."""
    return " | ".join(mean_error(auction, population, rate) for rate in RATES)


def table(profiles: int) -> list[str]:
    """Return lines of mean error bounds at the rates."""
    lines = [f"mean error bound (standard error) at rates {RATES}"]
    auctions = [ms.SequentialMenu(), ms.SequentialMenu(order="random"), ms.AllIn()]
    for single in (False, True):
        population = law(10, single).sample(np.random.default_rng(SEED), (profiles,))
        minds = "single-minded" if single else "multi-minded"
        lines += [f"{minds:13} {a.name:23} {errors(a, population)}" for a in auctions]
    for owners in (5, 30, 100, 1000, 10_000, 100_000):
        count = max(2, min(profiles, 200_000 // owners))
        population = law(owners).sample(np.random.default_rng(SEED), (count,))
        for auction in (auctions[0], auctions[2]):
            lines.append(f"n = {owners:<9} {auction.name:23} {errors(auction, population)}")
    return lines


def clearing(owners: int, profiles: int) -> Row:
    """Time one call that clears some profiles."""
    population = law(owners).sample(np.random.default_rng(SEED), (profiles,))
    reports, money = population.reports(), ms.budgets(population, 0.5, "proportional")
    auction = ms.SequentialMenu()
    seconds = timed(lambda: auction.clear(reports, money), repeats=3)
    return plain(f"clear {profiles} x {owners}", seconds)


def training() -> Row:
    """Time iterations of the training, and say how long the shipped recipe takes."""
    trainer = MenuTrainer(MenuRecipe())
    start = time.perf_counter()
    count = 40
    for _ in range(count):
        trainer.step()
    each = (time.perf_counter() - start) / count
    minutes = each * trainer.recipe.iterations / 60.0
    return Row("iteration", each, each, "<= 15 min", f"{minutes:.1f} min", minutes <= 15.0)


if __name__ == "__main__":
    torch.set_num_threads(1)
    number = profiles_wanted()
    rows = [clearing(10, 1000), clearing(100, 100), clearing(100_000, 1), training()]
    report("SequentialMenu: one core", rows, table(number))
