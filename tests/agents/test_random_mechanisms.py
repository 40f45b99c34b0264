"""A random mechanism tosses its coins anew each round and for each buyer."""

import numpy as np

import market_sim as ms
from agents import BuyerTerms, Market
from market_sim.privacy import LaplacePerturbation


def run(seed, mechanism, buyers=1, rounds=12):
    population = ms.fl_market_2021(owners=4).sample(np.random.default_rng(0))
    market = Market(
        population,
        [BuyerTerms(f"buyer {i}", 2.0, None) for i in range(buyers)],
        mechanism=mechanism,
        aggregator=ms.ErrorOpt(),
        perturbation=LaplacePerturbation(),
        seed=seed,
    )
    market.run(rounds)
    owners = market.tables()["owners"]
    return np.stack([owners["epsilon"][owners["round"] == r] for r in range(rounds)])


def test_the_same_market_meets_different_orders_in_different_rounds():
    sold = run(1, ms.LinearPrice(order="random"))
    assert len(np.unique(sold, axis=0)) > 1


def test_the_coins_depend_on_the_seed_only():
    mechanism = ms.LinearPrice(order="random")
    assert np.array_equal(run(1, mechanism), run(1, mechanism))
    assert not np.array_equal(run(1, mechanism), run(2, mechanism))


def test_a_deterministic_rule_does_the_same_every_round():
    sold = run(1, ms.LinearPrice(order="given"))
    assert len(np.unique(sold, axis=0)) == 1
