"""The static mean field: closed forms, jumps of demand, and the game of N owners."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

import market_sim as ms
from market_sim.errors import InvalidInput, MarketSimWarning
from market_sim.laws import LogNormal, Mixture, Uniform
from market_sim.solvers import static_mean_field, static_regret


@pytest.mark.parametrize(("owners", "budget"), [(1, 0.5), (10, 5.0), (1000, 50.0), (10**6, 1.0)])
def test_the_uniform_law_has_a_closed_form(owners, budget):
    found = ms.mean_field_price(Uniform(0, 1), Uniform(0.1, 5), budget, owners=owners)
    assert abs(found - np.sqrt(budget / (2.55 * owners))) < 1e-10
    frozen = ms.mean_field_price(
        scipy.stats.uniform(0, 1), scipy.stats.uniform(0.1, 4.9), budget, owners=owners
    )
    assert abs(found - frozen) < 1e-10


@pytest.mark.parametrize("value", [LogNormal(0, 0.5), Mixture((Uniform(0, 0.2), Uniform(0.7, 1)))])
def test_any_law_clears(value):
    found = static_mean_field(value, 2.0, 0.3)
    assert abs(found.price * 2.0 * float(value.cdf(found.price)) - 0.3) < 1e-12
    assert abs(found.residual) < 1e-12
    assert found.binds


def test_a_law_with_an_atom_leaves_its_owners_indifferent():
    found = static_mean_field(scipy.stats.randint(1, 4), 1.0, 1.0)
    # p P(v <= p) is 1/3 just at p = 1 and jumps from 2/3 to 4/3 at p = 2
    assert found.price == pytest.approx(2.0)
    assert found.indifferent == pytest.approx(0.5)
    assert found.supply == pytest.approx(0.5)
    assert abs(found.residual) < 1e-12
    assert "indifferent" in found.status


samples = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.8, 3.0]), st.floats(0.1, 5)),
    min_size=1,
    max_size=9,
)


@given(owners=samples, budget=st.floats(0.01, 30))
def test_a_sample_has_the_largest_price_that_can_be_paid(owners, budget):
    value, cap = np.array(owners).T
    found = static_mean_field(value, cap, budget)
    strictly = (cap * (value < found.price)).sum()
    weakly = (cap * (value <= found.price)).sum()
    slack = 1e-9 * budget
    assert found.price * strictly <= budget + slack  # whatever is a bit cheaper can be paid
    assert found.price * weakly >= budget - slack  # whatever is a bit dearer cannot
    assert strictly - 1e-9 <= found.supply <= weakly + 1e-9
    assert abs(found.residual) <= slack
    assert 0 < found.share <= 1 + 1e-12


def test_a_large_sample_approaches_its_law():
    rng = np.random.default_rng(0)
    value, cap = rng.uniform(0, 1, 200_000), rng.uniform(0.1, 5, 200_000)
    found = ms.mean_field_price(value, cap, 0.5 * value.size)
    assert found == pytest.approx(np.sqrt(0.5 / 2.55), rel=0.01)


def test_a_budget_that_never_binds_is_spread_and_said():
    for arguments in (([0.2, 0.4], [1.0, 3.0], 8.0), (Uniform(0, 1), 4.0, 8.0)):
        with pytest.warns(MarketSimWarning, match="never binds"):
            assert ms.mean_field_price(*arguments) == pytest.approx(2.0)
        assert not static_mean_field(*arguments).binds


def test_identical_owners_all_sell_the_same_part():
    found = static_mean_field([0.5] * 4, 1.0, 1.0)
    assert (found.price, found.indifferent, found.supply) == (0.5, 0.5, 2.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], [], 1.0), "empty"),
        (([0.1], [1.0], 0.0), "greater than 0"),
        (([-0.1], [1.0], 1.0), "at least 0"),
        (([0.1, 0.2], [1.0], 1.0), "number of owners"),
        (([0.1], [0.0], 1.0), "every cap is 0"),
        (([0.1], Uniform(0, 1), 1.0), "two samples or two laws"),
        ((Uniform(0, 1), [1.0], 1.0), "two samples or two laws"),
        ((scipy.stats.norm(1, 1), 1.0, 1.0), "no negative number"),
        ((scipy.stats.cauchy(0, 1), 1.0, 1.0), "no negative number"),
        ((Uniform(0, 1), scipy.stats.halfcauchy(), 1.0), "positive finite mean"),
        (([[0.1]], [[1.0]], 1.0), "one sample"),
        (([0.1], [1.0], 1.0, 7.0), "counts its own"),
        ((Uniform(0, 1), 1.0, [1.0, 2.0]), "one number"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        ms.mean_field_price(*arguments)


def test_an_object_that_is_no_law_is_refused():
    class OnlyCdf:
        def cdf(self, x):
            return x

    with pytest.raises(InvalidInput, match="needs cdf, rvs, mean and support"):
        ms.mean_field_price(OnlyCdf(), 1.0, 1.0)


def test_regret_is_the_best_of_many_amounts():
    rng = np.random.default_rng(3)
    value, cap = rng.uniform(0, 1, (5, 6)), rng.uniform(0.1, 5, (5, 6))
    value[0, 0] = 0.0
    gain = static_regret(value, cap, 3.0, 0.5)
    plan = np.where(value <= 0.5, cap, 0.0)
    others = plan.sum(-1, keepdims=True) - plan

    def utility(amount):
        total = amount + others
        part = np.divide(amount, total, out=np.zeros_like(total), where=total > 0)
        return 3.0 * part - value * amount

    tries = np.max([utility(share * cap) for share in np.linspace(0, 1, 4001)], axis=0)
    assert np.abs(gain - (tries - utility(plan)))[others > 0].max() < 1e-4
    assert (gain >= -1e-12).all()


def test_alone_an_owner_wants_to_sell_next_to_nothing():
    gain = static_regret(np.array([0.2, 0.9]), np.array([2.0, 1.0]), 3.0, 0.5)
    assert gain[0] == pytest.approx(0.2 * 2.0)
    nobody = static_regret(np.array([0.8, 0.9]), np.array([2.0, 1.0]), 3.0, 0.5)
    assert nobody.tolist() == [3.0, 3.0]


def test_regret_falls_with_the_number_of_owners():
    price = ms.mean_field_price(Uniform(0, 1), Uniform(0.1, 5), 0.5)
    rng = np.random.default_rng(0)
    mean = []
    for owners in (30, 3000):
        shape = (60_000 // owners, owners)
        value, cap = rng.uniform(0, 1, shape), rng.uniform(0.1, 5, shape)
        mean.append(static_regret(value, cap, 0.5 * owners, price).mean())
    assert -1.3 < np.log(mean[1] / mean[0]) / np.log(100) < -0.7
