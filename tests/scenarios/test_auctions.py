"""Experiment "auctions": the numbers, recomputed by plain loops over profiles and owners."""

import math
import statistics

import pytest

import market_sim as ms
from scenarios import auctions as module
from scenarios.auctions import run_auctions
from scenarios.loading import load_scenario
from scenarios.units import plan

BASES = {
    "linear": lambda e: 2 * e,
    "quadratic": lambda e: e * e,
    "sqrt": lambda e: 2 * math.sqrt(e),
    "exponential": lambda e: math.exp(e) - 1,
}


def _published(profile, budget):
    """All-in with the printed payment, one owner after another."""
    order = sorted(range(len(profile)), key=lambda i: profile[i]["value"] / profile[i]["mass"])
    winners, mass = [], 0.0
    for i in order:
        unit = profile[i]["value"] / profile[i]["mass"]
        if (mass + profile[i]["mass"]) * unit <= budget:
            winners.append(i)
            mass += profile[i]["mass"]
    return winners, {i: profile[i]["mass"] * budget / mass for i in winners}


def _row(profiles, budgets):
    """Means of one row for the data-size aggregator."""
    bounds, spent, won, sold, utility = [], [], [], [], []
    for profile, budget in zip(profiles, budgets, strict=True):
        winners, paid = _published(profile, budget)
        total = sum(owner["size"] for owner in profile)
        bought = sum(profile[i]["size"] for i in winners)
        spent.append(sum(paid.values()) / budget)
        won.append(len(winners))
        sold.append(sum(profile[i]["cap"] for i in winners) / len(profile))
        utility.append(sum(paid[i] - profile[i]["value"] for i in winners) / len(profile))
        if winners:
            noise = sum(8 * (profile[i]["size"] / bought / profile[i]["cap"]) ** 2 for i in winners)
            weight = {i: profile[i]["size"] / bought for i in winners}
            gaps = [abs(weight.get(i, 0) - o["size"] / total) for i, o in enumerate(profile)]
            bounds.append(noise + sum(gaps) ** 2)
    return {
        "profiles_with_winner": len(bounds),
        "error_bound_mean": statistics.fmean(bounds),
        "error_bound_se": statistics.stdev(bounds) / math.sqrt(len(bounds)),
        "error_bound_median": statistics.median(bounds),
        "spent_share_mean": statistics.fmean(spent),
        "winners_mean": statistics.fmean(won),
        "epsilon_mean": statistics.fmean(sold),
        "owner_utility_mean": statistics.fmean(utility),
    }


def _plain_profiles(population):
    profiles = []
    for row in range(population.shape[0]):
        profile = []
        for i in range(population.owners):
            cap = float(population.cap[row, i])
            size = 1.0 if population.data_size is None else float(population.data_size[row, i])
            kind = str(population.valuations.names[row, i])
            value = size * float(population.valuations.rate[row, i]) * BASES[kind](cap)
            profile.append({"cap": cap, "size": size, "value": value, "mass": cap * size})
        profiles.append(profile)
    return profiles


@pytest.mark.parametrize(("law", "sizes"), [("fixed", "none"), ("proportional", "reference")])
def test_a_row_is_what_plain_loops_find(auctions, law, sizes):
    changes = [f"budget.law={law}", f"budget.sizes={sizes}", "budget.levels=0.8", "settings=low"]
    changes += ["mechanisms=all-in-published", "aggregators=data-size", "seeds=1"]
    scenario = load_scenario(auctions, changes)
    (unit,) = plan(scenario)
    found = {name: column[0] for name, column in run_auctions(scenario, unit)["auctions"].items()}
    drawn = ms.PopulationLaw(owners=4, cap=(0.5, 5.0), sizes=sizes)
    population = drawn.sample(ms.Streams(3).generator("profiles", 0), (40,))
    profiles = _plain_profiles(population)
    budgets = [
        0.8 * (1.0 if law == "fixed" else sum(owner["value"] for owner in profile))
        for profile in profiles
    ]
    for name, value in _row(profiles, budgets).items():
        assert found[name] == pytest.approx(value, rel=1e-9), name
    assert (found["seed"], found["owners"], found["profiles"]) == (3, 4, 40)
    assert (found["budget_law"], found["budget"]) == (law, 0.8)


def test_mechanisms_and_budgets_meet_the_same_profiles(auctions, monkeypatch):
    drawn = []
    sample = ms.PopulationLaw.sample

    def spy(self, rng, profiles=()):
        drawn.append(sample(self, rng, profiles))
        return drawn[-1]

    monkeypatch.setattr(ms.PopulationLaw, "sample", spy)
    scenario = load_scenario(auctions, ["settings=low", "seeds=1"])
    for unit in plan(scenario):
        run_auctions(scenario, unit)
    first, second = drawn
    assert (first.cap == second.cap).all()
    assert (first.valuations.rate == second.valuations.rate).all()


def test_batches_change_the_memory_and_not_the_count(auctions, monkeypatch):
    monkeypatch.setattr(module, "_NUMBERS_AT_ONCE", 4 * 7)
    scenario = load_scenario(auctions)
    table = run_auctions(scenario, plan(scenario)[1])["auctions"]
    assert set(table["profiles"]) == {40}
    assert all(0 < count <= 40 for count in table["profiles_with_winner"])


def test_without_any_winner_the_error_is_infinite(auctions):
    scenario = load_scenario(auctions, ["budget.levels=1e-6"])
    table = run_auctions(scenario, plan(scenario)[0])["auctions"]
    assert set(table["profiles_with_winner"]) == {0}
    assert all(math.isinf(value) for value in table["error_bound_mean"])
    assert all(math.isnan(value) for value in table["error_bound_se"])
    assert set(table["spent_share_mean"]) == {0.0}


def test_the_dimension_scales_the_noise(auctions):
    one, many = (load_scenario(auctions, [f"error.dim={dim}"]) for dim in (1, 50))
    small = run_auctions(one, plan(one)[1])["auctions"]["error_bound_mean"]
    large = run_auctions(many, plan(many)[1])["auctions"]["error_bound_mean"]
    assert all(b > 10 * a for a, b in zip(small, large, strict=True))
