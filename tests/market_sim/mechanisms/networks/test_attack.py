"""The strong attack reaches what is known by formula, and beats a dense search on any network."""

import numpy as np
import pytest
import torch
from differentiable_auctions import FirstPrice, RandomNetwork

import market_sim as ms
from market_sim.mechanisms.networks.attack import attack
from market_sim.mechanisms.networks.attack_starts import Region, peaks_first, starts
from market_sim.mechanisms.networks.attack_trials import Liars
from market_sim.mechanisms.networks.base import Bids

BUDGET = 5.0
GRID = np.geomspace(1e-3, 1e3, 49)


def owners(profiles=4, count=3, seed=0, **settings):
    law = ms.fl_market_2021(owners=count, max_cap=2.0, **settings)
    return law.sample(np.random.default_rng(seed), (profiles,)).reports()


def told(reports, owner_of_all):
    """Reports in which only `owner` of each profile says what the result of an attack says."""
    lie, owner = owner_of_all
    return reports.replace(
        owner, kind=lie.kind[:, owner], rate=lie.rate[:, owner], cap=lie.cap[:, owner]
    )


def utility_of(mechanism, reports, truth):
    return mechanism.expectation(reports, BUDGET, truth)[0]


def test_the_best_ask_against_a_softmax_of_first_prices_is_found_to_ten_digits():
    reports = owners()
    found = attack(FirstPrice(), reports, BUDGET, deviation="value")
    np.testing.assert_allclose(found.regret, FirstPrice().best_regret(reports), atol=1e-10)
    np.testing.assert_allclose(found.utility, 0.0, atol=1e-12)
    assert (found.cap == reports.cap).all()
    assert found.gain_share == 1.0


def test_lies_in_both_parts_sell_next_to_nothing_at_the_best_ask():
    """The cost of the smallest cap allowed takes the place of the cost of the whole cap."""
    reports = owners()
    found = attack(FirstPrice(), reports, BUDGET, region=Region(cap=(0.01, 1.0)))
    cost = reports.cost(0.01 * reports.cap)
    np.testing.assert_allclose(found.regret, FirstPrice().best_regret(reports, cost), atol=1e-9)
    np.testing.assert_allclose(found.cap, 0.01 * reports.cap, rtol=1e-9)


def test_one_start_at_the_truth_is_enough_where_there_is_one_peak():
    reports = owners()
    found = attack(FirstPrice(), reports, BUDGET, deviation="value", restarts=1)
    np.testing.assert_allclose(found.regret, FirstPrice().best_regret(reports), atol=1e-10)


def test_a_lie_is_worth_what_is_said():
    mechanism, reports = RandomNetwork(), owners()
    found = attack(mechanism, reports, BUDGET, restarts=4, steps=40)
    for owner in range(3):
        lying = told(reports, (found, owner))
        utility, payment, _ = mechanism.expectation(lying, BUDGET, reports)
        gained = utility[:, owner] - found.utility[:, owner]
        np.testing.assert_allclose(gained, found.regret[:, owner], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(payment[:, owner], found.lie_payment[:, owner])
    honest = utility_of(mechanism, reports, reports)
    np.testing.assert_allclose(found.utility, honest, rtol=1e-9)
    assert (found.regret >= 0).all()
    assert found.regret.mean() > 0.5


@pytest.mark.parametrize(("choose", "seed"), [(False, 0), (True, 1)])
def test_it_beats_a_dense_grid_on_random_networks(choose, seed):
    mechanism, reports = RandomNetwork(seed=seed, choose=choose), owners(3)
    found = attack(mechanism, reports, BUDGET, region=Region(families=False))
    rates, caps = (axis.reshape(-1) for axis in np.meshgrid(GRID, np.append(GRID[GRID < 1], 1.0)))
    dense = np.zeros(reports.shape)
    for owner in range(3):
        lies = reports.replace(
            owner,
            rate=rates[:, None] * reports.valuations.rate[:, owner],
            cap=caps[:, None] * reports.cap[:, owner],
        )
        every = np.zeros((len(rates), 1))  # the truth, as often as there are lies
        truth = reports.replace(owner, rate=every + reports.valuations.rate[:, owner])
        gained = utility_of(mechanism, lies, truth)[..., owner].max(axis=0)
        dense[:, owner] = np.maximum(gained - found.utility[:, owner], 0.0)
    assert found.regret.mean() >= dense.mean()
    assert (found.regret >= 0.9 * dense).all()


def test_more_restarts_find_more_where_there_are_many_peaks():
    reports = owners(10)
    weak, strong = (
        attack(RandomNetwork(), reports, BUDGET, restarts=restarts, steps=60).regret
        for restarts in (1, 6)
    )
    assert strong.mean() > 1.05 * weak.mean()


def test_restarts_know_other_families():
    mechanism, reports = RandomNetwork(), owners()
    all_, own = (
        attack(mechanism, reports, BUDGET, steps=40, deviation="value", region=region)
        for region in (None, Region(families=False))
    )
    assert (own.kind == reports.valuations.kind).all()
    assert (all_.kind != reports.valuations.kind).mean() > 0.1
    assert all_.regret.mean() > own.regret.mean()


def test_a_lie_in_cap_changes_the_cap_alone():
    reports = owners()
    found = attack(RandomNetwork(), reports, BUDGET, restarts=4, steps=40, deviation="cap")
    assert (found.rate == reports.valuations.rate).all()
    assert (found.kind == reports.valuations.kind).all()
    assert (found.cap != reports.cap).mean() > 0.5


def test_a_cap_above_the_truth_is_told_where_the_option_sold_stays_below():
    reports = owners(8)
    deterministic = attack(RandomNetwork(choose=True), reports, BUDGET, steps=40)
    random = attack(RandomNetwork(), reports, BUDGET, steps=40)
    assert (deterministic.cap > reports.cap).any()
    assert (random.cap <= reports.cap * (1 + 1e-12)).all()
    for owner in range(3):
        lying = told(reports, (deterministic, owner))
        outcome = RandomNetwork(choose=True).clear(lying, np.full(8, BUDGET))
        assert (outcome.epsilon[:, owner] <= reports.cap[:, owner] * (1 + 1e-12)).all()
        cost = reports.cost(np.minimum(outcome.epsilon, reports.cap))
        np.testing.assert_allclose(
            (outcome.payment - cost)[:, owner],
            (deterministic.utility + deterministic.regret)[:, owner],
        )


def test_lies_stay_within_the_region():
    reports = owners()
    region = Region(rate=(0.9, 1.2), cap=(0.8, 1.0), families=False)
    found = attack(RandomNetwork(), reports, BUDGET, steps=30, region=region)
    rate, cap = found.rate / reports.valuations.rate, found.cap / reports.cap
    assert (rate >= 0.9 - 1e-12).all()
    assert (rate <= 1.2 + 1e-12).all()
    assert (cap >= 0.8 - 1e-12).all()
    assert (cap <= 1.0 + 1e-12).all()


def test_the_same_seed_gives_the_same_bytes_and_blocks_do_not_matter(monkeypatch):
    mechanism, reports = RandomNetwork(), owners()
    run = [attack(mechanism, reports, BUDGET, restarts=5, steps=20, seed=3) for _ in range(2)]
    assert (run[0].regret == run[1].regret).all()
    assert (run[0].cap == run[1].cap).all()
    draws = [
        starts(Liars.of(mechanism, reports, BUDGET), Region(), "both", 5, seed) for seed in (3, 4)
    ]
    assert (draws[0][1][:, :3] == draws[1][1][:, :3]).all()  # the truth and the peaks of the grid
    assert (draws[0][1][:, 3:] != draws[1][1][:, 3:]).all()
    monkeypatch.setattr("market_sim.mechanisms.networks.attack_trials.CELLS", 100)
    blocks = attack(mechanism, reports, BUDGET, restarts=5, steps=20, seed=3)
    np.testing.assert_allclose(blocks.regret, run[0].regret, rtol=1e-6, atol=1e-9)


def test_leading_axes_and_budgets_of_profiles():
    reports = owners(6)
    money = np.linspace(2.0, 8.0, 6)
    flat = attack(RandomNetwork(), reports, money, restarts=2, steps=5)
    valuations = ms.Valuations(
        reports.valuations.kind.reshape(2, 3, 3), reports.valuations.rate.reshape(2, 3, 3)
    )
    cube = ms.Reports(valuations, reports.cap.reshape(2, 3, 3))
    shaped = attack(RandomNetwork(), cube, money.reshape(2, 3), restarts=2, steps=5)
    assert (shaped.regret.reshape(6, 3) == flat.regret).all()
    one = ms.Reports(valuations[0, 0], cube.cap[0, 0])
    alone = attack(RandomNetwork(), one, 2.0, restarts=2, steps=0)
    assert alone.regret.shape == (3,)


def test_owners_with_sizes_and_owners_who_ask_nothing():
    law = ms.fl_market_2022(owners=3, max_cap=2.0)
    reports = law.sample(np.random.default_rng(1), (5,)).reports()
    reports = reports.replace(1, rate=0.0)
    found = attack(FirstPrice(heat=20.0, reserve=100.0), reports, 50.0, deviation="value")
    best = FirstPrice(heat=20.0, reserve=100.0).best_regret(reports)
    np.testing.assert_allclose(found.regret, best, rtol=1e-9)


def test_single_precision_networks_are_attacked_in_their_precision():
    class Single(RandomNetwork):
        def expected_outcome(self, bids, budget):
            size = None if bids.data_size is None else bids.data_size.float().double()
            single = Bids(bids.kind, bids.rate.float().double(), bids.cap.float().double(), size)
            outcome = super().expected_outcome(single, budget)
            return type(outcome)(
                outcome.probability.float(), outcome.options.float(), outcome.payment.float()
            )

    reports = owners()
    found = attack(Single(), reports, BUDGET, restarts=3, steps=20)
    double = attack(RandomNetwork(), reports, BUDGET, restarts=3, steps=20)
    assert np.isfinite(found.regret).all()
    assert found.regret.mean() == pytest.approx(double.regret.mean(), rel=0.05)


def test_measures_of_a_table():
    found = attack(RandomNetwork(), owners(6), BUDGET, restarts=2, steps=5)
    row = found.columns()
    assert (row["restarts"], row["steps"]) == (2, 5)
    assert row["regret_mean"] == pytest.approx(found.regret.mean())
    assert row["regret_p95"] == pytest.approx(np.quantile(found.regret, 0.95))
    assert row["regret_max"] == found.regret.max()
    assert row["relative_regret_mean"] == pytest.approx(found.regret.mean() / found.payment.mean())
    share = found.regret / found.payment
    np.testing.assert_allclose(found.relative_regret, share)
    assert row["gain_share"] == pytest.approx((share > 0.01).mean())


def test_starts_are_peaks_before_anything_else():
    heights = torch.tensor([[5.0, 4.0, 1.0, 3.0, 0.0], [6.0, 4.5, 0.5, 2.0, 0.1]]).double()
    score = peaks_first(heights.reshape(1, 1, 2, 5)).reshape(-1)
    order = score.argsort(descending=True).tolist()
    assert order[:2] == [5, 3]  # 6 beside 5, and 3 above 2
    assert order[2:4] == [0, 6]  # then what is left, by height


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"restarts": 0}, "restarts must be a whole number of at least 1"),
        ({"steps": -1}, "steps must be a whole number of at least 0"),
        ({"deviation": "price"}, "deviation must be one of"),
        ({"budget": 0.0}, "budget must be greater than 0"),
        ({"budget": [1.0, 2.0, 3.0]}, "budget has shape"),
        ({"seed": -1}, "seed must be"),
    ],
)
def test_settings_out_of_their_domain_are_refused(settings, words):
    money = settings.pop("budget", BUDGET)
    with pytest.raises(ms.InvalidInput, match=words):
        attack(FirstPrice(), owners(2), money, **settings)


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (1.1, 2.0), (0.5, 0.9), (0.5, np.inf)])
def test_a_region_without_the_truth_is_refused(bounds):
    with pytest.raises(ms.InvalidInput, match="so that it holds the truth"):
        Region(cap=bounds)
