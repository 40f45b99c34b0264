"""The published MFG network: its heads and projection, and what is wrong with its inputs."""

import pytest
import torch
from mfg_markets import market, network
from numpy.testing import assert_allclose

import market_sim as ms
from market_sim.mechanisms.networks.base import Bids
from market_sim.mechanisms.networks.mfg_net import MeanFieldNetSettings, folded_header


@pytest.mark.parametrize("loud", [1.0, 5.0])
def test_the_mean_of_the_inputs_folds_into_the_first_layer(loud):
    module = network(owners=10, hidden=128, layers=3, loud=loud)
    _, told, budget = market(owners=10)
    seen = module.seen(told, budget)
    bids = seen.flatten(-2)
    whole = torch.cat([bids, seen.mean(dim=-2)], dim=-1)
    first, folded = module.header[0], folded_header(module)
    assert folded.in_features == 20 < first.in_features
    error = (folded(bids) - first(whole)).abs().max()
    assert error <= 1e-14 * first(whole).abs().max().clamp(min=1.0)
    rest = module.header[1:]
    assert_allclose(
        rest(folded(bids)).detach(), module.header(whole).detach(), rtol=0, atol=1e-13 * loud**3
    )


@pytest.mark.parametrize("owners", [2, 10, 100, 1000])
@pytest.mark.parametrize("loud", [1.0, 20.0])
def test_softmax_over_owners_leaves_less_to_each_the_more_there_are(owners, loud):
    module = network(owners=owners, loud=loud)
    _, told, budget = market(owners=owners, profiles=5)
    sold = module(told, budget).epsilon
    assert (sold.mean(dim=-1) <= told.cap.amax(dim=-1) / owners * (1 + 1e-12)).all()
    on_its_own = network(owners=owners, form="code")(told, budget).epsilon
    assert on_its_own.mean() > 0.2 * told.cap.mean()


@pytest.mark.parametrize("items", [1, 3])
def test_shares_of_the_text(items):
    module = network(items=items)
    _, told, budget = market()
    sold, share = module.rule(module.seen(told, budget))
    assert_allclose(sold.sum(dim=-1).detach(), 1.0, rtol=1e-12)
    paid = (share * budget[:, None]).detach()
    value = 2.0 * told.rate
    assert (paid <= value * (1 + 1e-12)).all()
    assert (paid > 0).all()


def test_a_payment_below_the_bid_may_be_below_the_cost():
    module = network()
    with torch.no_grad():  # all of the privacy is bought of one owner, all are paid half their bid
        module.allocation.bias.copy_(torch.tensor([50.0, 0.0, 0.0, 0.0]))
        module.payment.weight.zero_()
    told, bids, budget = market()
    outcome = module(bids, budget)
    utility = outcome.utility(bids)[:, 0].detach().numpy()
    rich = told.cap[:, 0] > 0.51
    assert (utility[rich] < 0).all()
    assert_allclose(utility, told.unit_value[:, 0] * (0.5 - told.cap[:, 0]), atol=1e-5)


@pytest.mark.parametrize("form", ["text", "code"])
def test_payments_are_projected_on_the_budget(form):
    module = network(form=form, budget=0.1)
    _, told, budget = market(budget=0.1)
    seen = module.seen(told, budget)
    _, share = module.rule(seen)
    assert (share.sum(dim=-1) <= 1 + 1e-12).all()
    assert (module(told, budget).payment.sum(dim=-1) <= budget).all()
    if form == "text":  # plenty of money: the projection does nothing
        ample = network(budget=50.0)
        seen = ample.seen(told, torch.full_like(budget, 50.0))
        own = torch.sigmoid(ample.payment(ample.header(_with_mean(seen))))
        assert_allclose(
            ample.rule(seen)[1].detach(), (own * seen[..., 0] / 50.0).detach(), rtol=1e-12
        )


def _with_mean(seen):
    return torch.cat([seen, seen.mean(dim=-2, keepdim=True)], dim=-2).flatten(-2)


def test_caps_above_the_largest_count_as_the_largest():
    module = network()
    _, told, budget = market()
    high = told.with_lie(told.rate, torch.full_like(told.cap, 9.0))
    top = told.with_lie(told.rate, torch.full_like(told.cap, 5.0))
    first, second = module(high, budget), module(top, budget)
    assert (first.epsilon == second.epsilon).all()
    assert (first.payment == second.payment).all()


def test_outcomes_lie_on_a_grid_and_have_slopes():
    module = network()
    _, told, budget = market()
    outcome = module(told, budget)
    share = outcome.payment / budget[:, None] * 2.0**24
    assert_allclose(share.detach(), share.detach().round(), atol=1e-6)
    outcome.payment.sum().backward()
    assert module.payment.weight.grad.abs().sum() > 0
    single = module.float()(Bids(told.kind, told.rate.float(), told.cap.float()), budget.float())
    assert_allclose(single.payment.detach(), outcome.payment.detach(), rtol=1e-4, atol=1e-5)


def test_the_critic_expects_nothing_of_an_owner_without_privacy():
    module = network()
    _, told, budget = market()
    state = module.seen(told, budget)
    mean = state.mean(dim=-2, keepdim=True)
    assert (module.value_of(state, mean).abs() > 0).all()
    state[..., 1] = 0.0
    assert (module.value_of(state, mean) == 0).all()


def test_a_network_grows_with_the_owners_and_their_regret_with_the_square():
    def numbers(owners):
        module = network(owners=owners, hidden=128, layers=3)
        return sum(p.numel() for p in [*module.header.parameters(), *module.payment.parameters()])

    first, second, third = (numbers(owners) for owners in (100, 200, 300))
    per_owner = (second - first) / 100
    assert per_owner == (third - second) / 100 > 0
    # The regret of each owner needs a pass of its own: N passes of O(N).
    work = [owners * per_owner * owners for owners in (1000, 2000)]
    assert work[1] == 4 * work[0]


@pytest.mark.parametrize(
    "changes",
    [{"form": "prose"}, {"owners": 0}, {"budget": 0.0}, {"max_cap": -1.0}, {"items": 0}],
)
def test_bad_settings(changes):
    with pytest.raises(ms.InvalidInput):
        MeanFieldNetSettings(**changes)
