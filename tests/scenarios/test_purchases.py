"""Auctions for privacy: purchases against what is possible, budgets an owner, cautions."""

import numpy as np
import pytest

import market_sim as ms
from market_sim.bounds import purchase_bound, purchase_limit
from market_sim.errors import MarketSimWarning
from scenarios.auctions import run_auctions
from scenarios.cautions import caution
from scenarios.loading import validated
from scenarios.run import run_scenario
from scenarios.units import plan


def scenario(**changes):
    document = {
        "name": "small",
        "experiment": "auctions",
        "profiles": 30,
        "population": {"law": "uniform", "owners": 12},
        "budget": {"law": "per-owner", "levels": [0.5]},
        "mechanisms": [{"name": "posted-price", "price": 0.4}],
    }
    return validated(document | changes, "small.toml")


def table(one):
    return run_auctions(one, plan(one)[0])["auctions"]


def test_the_ratio_is_what_was_bought_by_what_could_be():
    found = table(scenario())
    owners = ms.privacy_auction_law("uniform", 12).sample(
        ms.Streams(0).generator("profiles", 0), (30,)
    )
    sold = ms.PostedPrice(0.4).clear(owners.reports(), 6.0)
    ratio = sold.epsilon.sum(axis=-1) / purchase_bound(owners.reports(), 6.0)
    assert found["purchase_ratio_mean"] == pytest.approx([ratio.mean()], rel=1e-12)
    spread = ratio.std(ddof=1) / np.sqrt(30)
    assert found["purchase_ratio_se"] == pytest.approx([spread], rel=1e-12)
    limit = purchase_limit(ms.privacy_auction_law("uniform"), 0.5).ratio
    assert found["purchase_limit"] == pytest.approx([limit])
    cost = owners.cost(sold.epsilon).mean()
    assert found["cost_mean"] == pytest.approx([cost], rel=1e-12)


def test_other_valuations_have_no_such_ratio():
    found = table(scenario(population={"owners": 12}, budget={"levels": [6.0]}))
    assert np.isnan(found["purchase_ratio_mean"]).all()
    assert np.isnan(found["purchase_limit"]).all()


def test_a_budget_an_owner_grows_with_the_market():
    owners = ms.privacy_auction_law("uniform", 7).sample(np.random.default_rng(0), (2,))
    np.testing.assert_array_equal(ms.budgets(owners, 0.5, "per-owner"), [3.5, 3.5])
    one = scenario(owners=[4, 40])
    small, large = (run_auctions(one, unit)["auctions"] for unit in plan(one))
    fixed = scenario(owners=[4, 40], budget={"law": "fixed", "levels": [20.0]})
    same = run_auctions(fixed, plan(fixed)[1])["auctions"]
    assert large["epsilon_mean"] == same["epsilon_mean"]
    assert small["purchase_limit"] == large["purchase_limit"]


def test_a_budget_that_never_binds_is_said_before_the_run(tmp_path):
    loose = scenario(budget={"law": "per-owner", "levels": [5.0]})
    with pytest.warns(MarketSimWarning, match="never binds"):
        run_scenario(loose, out=tmp_path / "run")
    caution(scenario())
    with pytest.warns(MarketSimWarning, match="never binds"):
        caution(loose.model_copy(update={"experiment": "bidding"}))
    caution(scenario(population={"law": "realistic", "owners": 12}))
