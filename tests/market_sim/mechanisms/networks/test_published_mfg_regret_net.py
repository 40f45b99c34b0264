"""The published MFG network as a mechanism, and learned auctions of the privacy auction game."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import market_sim as ms
from market_sim.mechanisms.networks.checkpoints import load_network, shipped_networks
from market_sim.mechanisms.networks.laws import MarketLaw
from market_sim.mechanisms.networks.regret_net_recipe import RegretNetRecipe

NETWORKS = [name for name in shipped_networks() if name.startswith("mfg-regret-net")]


def clear(law=None, mechanism=None, **changes):
    law = law or MarketLaw.of_game("uniform", owners=10, budget_low=50, budget_high=50)
    told, budget = law.sample(np.random.default_rng(0), 20)
    return told, budget, (mechanism or ms.PublishedMFGRegretNet(**changes)).clear(told, budget)


def test_what_ships():
    assert {"mfg-regret-net-10-b50", "mfg-regret-net-10-b5"} <= set(NETWORKS)


@pytest.mark.parametrize("network", NETWORKS)
def test_shipped_networks_clear_markets_of_their_law(network):
    mechanism = ms.PublishedMFGRegretNet(network=network)
    assert mechanism.name == network
    told, budget, outcome = clear(mechanism.law, mechanism)
    assert (outcome.spent <= budget).all()
    assert (outcome.epsilon <= told.cap).all()
    if mechanism.module.settings.form == "text":
        assert (outcome.payment <= told.unit_value * (1 + 1e-12)).all()
        assert (outcome.epsilon / told.cap).sum(axis=-1) == pytest.approx(1.0, abs=1e-5)


def test_in_cents_as_in_euros():
    told, budget, outcome = clear()
    cents = ms.PublishedMFGRegretNet().clear(told.scaled(128.0), 128.0 * budget)
    assert_allclose(cents.epsilon, outcome.epsilon, rtol=1e-6)
    assert_allclose(cents.payment, 128.0 * outcome.payment, rtol=1e-6)


REFUSALS = {
    "other owners": (
        lambda: clear(MarketLaw.of_game("uniform", 11, 50.0, 50.0)),
        "mfg-regret-net-10-b50 serves 10 owners but 11 report: train one for 11 owners",
    ),
    "one owner": (lambda: clear(MarketLaw.of_game("uniform", 1, 50.0, 50.0)), "serves 10 owners"),
    "sizes": (
        lambda: clear_of(
            ms.Reports(ms.Valuations.linear(np.full(10, 0.5)), np.ones(10), np.full(10, 3.0))
        ),
        "report with data sizes",
    ),
    "families": (
        lambda: clear_of(ms.Reports(ms.Valuations("sqrt", np.full(10, 0.5)), np.ones(10))),
        "defined for linear valuations only",
    ),
    "large caps": (
        lambda: clear_of(ms.Reports(ms.Valuations.linear(np.full(10, 0.5)), np.full(10, 11.0))),
        "more than twice the largest, 5",
    ),
    "no network": (lambda: ms.PublishedMFGRegretNet("mfg-regret-net-11"), "no shipped network"),
    "other network": (lambda: ms.PublishedMFGRegretNet("murba-low-10"), "is a regret-net but"),
}


def clear_of(reports):
    return ms.PublishedMFGRegretNet().clear(reports, 50.0)


@pytest.mark.parametrize("case", REFUSALS)
def test_what_it_cannot_take_is_refused_in_one_sentence(case):
    call, text = REFUSALS[case]
    with pytest.raises(ms.InvalidInput, match=text) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_a_network_does_not_transfer_to_another_number_of_owners():
    few = ms.privacy_auction_law("uniform", 9).sample(np.random.default_rng(0))
    with pytest.raises(ms.InvalidInput, match="train one for 9 owners"):
        ms.PublishedMFGRegretNet().clear(few.reports(), 50.0)


def test_identical_owners_are_treated_by_their_place():
    told = ms.Reports(ms.Valuations.linear(np.full(10, 0.5)), np.full(10, 2.0))
    outcome = ms.PublishedMFGRegretNet().clear(told, 50.0)
    assert not ms.PublishedMFGRegretNet().guarantees.anonymous
    assert np.ptp(outcome.epsilon) > 1e-4


def test_laws_of_the_game():
    law = MarketLaw.of_game("bimodal", 7, 3.0, 4.0)
    told, budget = law.sample(np.random.default_rng(0), 50)
    assert told.shape == (50, 7)
    assert told.unit_value.max() <= 1.0
    assert (budget >= 3.0).all()
    assert (budget <= 4.0).all()
    assert MarketLaw.from_plain(law.plain()) == law
    for changes in ({"max_cap": 2.0}, {"sizes": "reference"}, {"owner_law": "zipf"}):
        with pytest.raises(ms.InvalidInput):
            MarketLaw.from_plain({**law.plain(), **changes})


@pytest.mark.parametrize("auction", ["regret-net", "dm-regret-net", "m-regret-net"])
def test_recipes_of_the_game(auction):
    recipe = RegretNetRecipe.preset(
        auction,
        owner_law="realistic",
        hidden=8,
        layers=1,
        batch=8,
        iterations=2,
        audit_profiles=2,
        lie_steps=2,
    )
    assert recipe.law.budget_low == recipe.law.budget_high == 50.0
    assert recipe.network.options == (1 if auction == "regret-net" else 8)
    trained = recipe.train()
    deviation = trained.module.inputs.deviation
    assert (deviation > 1e-3).all()  # no constant input is blown up
    assert RegretNetRecipe(**trained.metadata["recipe"]) == recipe


def test_regret_net_has_one_option():
    with pytest.raises(ms.InvalidInput, match="one option, got 3"):
        RegretNetRecipe.preset("regret-net", options=3)


@pytest.mark.parametrize("name", [n for n in shipped_networks() if n.startswith("privacy-")])
def test_shipped_regret_nets_of_the_game(name):
    auction = load_network(name).metadata["auction"]
    mechanism = {"regret-net": ms.RegretNet, "dm-regret-net": ms.DMRegretNet}[auction](network=name)
    told, budget, outcome = clear(mechanism.law, mechanism)
    assert (outcome.spent <= budget).all()
    assert (outcome.epsilon <= told.cap).all()
    assert outcome.epsilon.mean() > 0.1
