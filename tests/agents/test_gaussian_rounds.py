"""Rounds under Gaussian noise, and the two baselines: weights, noise, and what the ledger says."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import market_sim as ms
from agents import BuyerTerms
from market_sim.privacy import GaussianPerturbation, LaplacePerturbation, compose

GAUSSIAN = GaussianPerturbation()


def people(cap, lifetime_cap=None):
    cap = np.asarray(cap)
    return ms.Population(
        ms.Valuations("linear", np.full(cap.size, 0.1)), cap, lifetime_cap=lifetime_cap
    )


@pytest.mark.parametrize("perturbation", [GAUSSIAN, LaplacePerturbation(clip=2.0)])
def test_laplace_epsilon_has_the_variance_of_the_noise(perturbation):
    epsilon = np.array([0.1, 1.0, 5.0])
    draws = perturbation.unit_noise(np.random.default_rng(1), 200_000)
    variance = (perturbation.scale(epsilon) * draws.std()) ** 2
    assert_allclose(
        8 * perturbation.clip**2 / perturbation.laplace_epsilon(epsilon) ** 2, variance, rtol=0.02
    )


@pytest.mark.parametrize("perturbation", [GAUSSIAN, LaplacePerturbation()])
def test_var_opt_has_the_least_noise_and_epsilon_share_follows_epsilon(market, perturbation):
    epsilon = np.array([0.3, 1.0, 2.0, 5.0])
    variance = perturbation.scale(epsilon) ** 2
    weights, bounds = {}, {}
    for aggregator in (ms.VarOpt(), ms.EpsilonShare()):
        one = market(
            people(epsilon),
            mechanism=ms.UniformEpsilon(np.inf),
            aggregator=aggregator,
            perturbation=perturbation,
        )
        one.step()
        weights[aggregator.name] = one.tables()["owners"]["weight"]
        bounds[aggregator.name] = one.tables()["rounds"]["error_bound"][0]
    best = (1 / variance) / (1 / variance).sum()
    assert_allclose(weights["var-opt"], best, rtol=1e-9)
    assert_allclose(weights["epsilon-share"], epsilon / epsilon.sum(), rtol=1e-12)
    unit = 2.0 if perturbation.name == "laplace" else 1.0  # variance of noise of scale 1
    for name, given in weights.items():
        bias = np.abs(given - 0.25).sum() ** 2
        assert bounds[name] == pytest.approx(unit * (given**2 * variance).sum() + bias)


def test_the_ledger_states_the_exact_composition_of_each_owner(market):
    one = market(people([0.4, 1.0, 3.0]), mechanism=ms.UniformEpsilon(), perturbation=GAUSSIAN)
    one.run(7)
    sold = one.tables()["owners"]["epsilon"].reshape(7, 3)
    stated = one.ledger.owner_privacy
    for owner in range(3):
        exact = compose(GAUSSIAN, sold[:, owner])
        assert stated[owner] == pytest.approx(exact.epsilon, rel=1e-3)
        assert exact.delta == GAUSSIAN.delta
    assert (stated < sold.sum(axis=0)).all()


def test_no_privacy_is_federated_averaging(market, task):
    caps = np.array([0.1, 1.0, 2.0, 5.0])
    own, other = task(4, GAUSSIAN), task(4, GAUSSIAN)
    one = market(
        people(caps),
        buyers=[BuyerTerms("buyer", 5.0, own)],
        mechanism=ms.NoPrivacy(),
        aggregator=ms.VarOpt(),
        perturbation=GAUSSIAN,
    )
    one.run(2)
    shares = other.data_size / other.data_size.sum()
    for round_ in range(2):
        delivered = other.deliver(np.full(4, np.inf), shares, round_)
        assert delivered.noise_norm == 0.0
        other.update(delivered)
    assert_allclose(own.parameters(), other.parameters(), rtol=1e-6)
    tables = one.tables()
    assert_allclose(tables["rounds"]["error_bound"], 0.0, atol=1e-12)
    assert (tables["owners"]["privacy_spent"] == np.inf).all()
    assert tables["rounds"]["spent"].tolist() == [0.0, 0.0]


def test_without_privacy_a_lifetime_is_spent_at_once(market):
    one = market(people([1.0, 1.0], lifetime_cap=[3.0, np.inf]), mechanism=ms.NoPrivacy())
    one.run(2)
    assert one.tables()["rounds"]["winners"].tolist() == [2, 1]
    assert one.departed.tolist() == [True, False]


def test_all_rules_meet_the_same_noise(market, task):
    """The same owners sell the same under two rules: the models agree bit for bit."""
    learned = []
    for mechanism in (ms.UniformEpsilon(1.0), ms.UniformEpsilon(np.inf)):
        buyer = BuyerTerms("buyer", 5.0, task(3, GAUSSIAN))
        one = market(
            people([1.0, 1.0, 1.0]), buyers=[buyer], mechanism=mechanism, perturbation=GAUSSIAN
        )
        one.run(2)
        learned.append(buyer.task.parameters())
    assert_array_equal(*learned)


@pytest.mark.parametrize("delta", [0.25, 0.5])
def test_a_delta_that_exposes_an_owner_on_average_is_noted(market, delta):
    with pytest.warns(UserWarning, match="of 4 owners is weak, since [12] of them may be exposed"):
        market(people(np.ones(4)), perturbation=GaussianPerturbation(delta=delta))


def test_a_small_delta_is_not(market, recwarn):
    market(people(np.ones(4)), perturbation=GaussianPerturbation(delta=0.24))
    market(people(np.ones(4)), perturbation=LaplacePerturbation())
    assert not recwarn.list
