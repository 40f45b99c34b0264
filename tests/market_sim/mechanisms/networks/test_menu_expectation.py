"""The chances of a menu auction are its outcome, with slopes."""

import numpy as np
import pytest
import torch
from menu_networks import mixed_population, random_network
from numpy.testing import assert_allclose, assert_array_equal

import market_sim as ms
from market_sim.mechanisms.networks.base import Bids
from market_sim.mechanisms.networks.menu import SequentialMenu


def market(seed=0, profiles=30, owners=5):
    population = mixed_population(seed, profiles, owners)
    return population.reports(), ms.budgets(population, 0.4, "proportional")


@pytest.mark.parametrize("order", ["size", "random", "given"])
def test_expectation_is_the_outcome(tmp_path, order):
    auction = SequentialMenu(random_network(tmp_path, 4, order="random"), order=order)
    if order == "size":
        auction = SequentialMenu(random_network(tmp_path, 4))
    reports, budget = market()
    outcome = auction.clear(reports, budget)
    found = auction.expected_outcome(Bids.from_reports(reports), torch.tensor(budget))
    assert_array_equal(found.epsilon, outcome.epsilon)
    assert_array_equal(found.payment, outcome.payment)
    assert set(found.probability.unique().tolist()) == {0.0, 1.0}
    utility = found.utility(Bids.from_reports(reports))
    assert_allclose(utility, outcome.utility(reports.valuations, reports.cap), atol=1e-9)


def test_slopes_go_from_reports_of_earlier_owners_to_later_ones_only(tmp_path):
    auction = SequentialMenu(random_network(tmp_path, 4, order="random", spread=1.0), order="given")
    reports, budget = market()
    bids = Bids.from_reports(reports)
    bids.rate.requires_grad_(True)
    paid = auction.expected_outcome(bids, torch.tensor(budget)).payment
    (slope,) = torch.autograd.grad(paid[:, 2].sum(), bids.rate)
    assert torch.isfinite(slope).all()
    assert (slope[:, :3] != 0).any(dim=0).all()
    assert (slope[:, 3:] == 0).all()


def test_leading_axes(tmp_path):
    auction = SequentialMenu(random_network(tmp_path, 4))
    reports, budget = market(profiles=6)
    flat = auction.expected_outcome(Bids.from_reports(reports), torch.tensor(budget))
    cube = ms.Reports(
        ms.Valuations(
            reports.valuations.kind.reshape(2, 3, 5), reports.valuations.rate.reshape(2, 3, 5)
        ),
        reports.cap.reshape(2, 3, 5),
        reports.data_size.reshape(2, 3, 5),
    )
    found = auction.expected_outcome(Bids.from_reports(cube), torch.tensor(budget.reshape(2, 3)))
    assert_array_equal(found.payment.reshape(6, 5), flat.payment)


def test_reported_sizes_have_no_expectation(tmp_path):
    path = random_network(tmp_path, 4, order="random", verified=False)
    reports, budget = market(profiles=2)
    with pytest.raises(ms.InvalidInput, match="verified"):
        SequentialMenu(path, order="random").expected_outcome(
            Bids.from_reports(reports), torch.tensor(budget)
        )


def test_owners_without_sizes(tmp_path):
    auction = SequentialMenu(random_network(tmp_path, 4, order="random"), order="random")
    reports, budget = market(profiles=4)
    bare = ms.Reports(reports.valuations, reports.cap)
    money = budget / np.mean(reports.data_size)
    found = auction.expected_outcome(Bids.from_reports(bare), torch.tensor(money))
    assert_array_equal(found.payment, auction.clear(bare, money).payment)
