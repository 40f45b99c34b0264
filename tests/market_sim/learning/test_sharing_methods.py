"""Methods of sharing: what they mix, what graph they mean, where they rest, whom they ignore."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from personal_tasks import IN_CLUSTER, SAME, make
from scipy.optimize import minimize

from market_sim.errors import InvalidInput
from market_sim.learning.personal_attacks import ConstantParameters, GaussianParameters, SignFlip
from market_sim.learning.sharing_methods import LocalPlan, Trained
from market_sim.learning.sharing_methods_baselines import Ditto, FedAvg, FedProx, Local
from market_sim.learning.sharing_methods_graph import (
    IPFL,
    PFedGraph,
    sharing_residual,
    simplex_projection,
)

M = 6
EVERYONE = ~np.eye(M, dtype=bool)


def in_cluster(_offers):
    return IN_CLUSTER


METHODS = [
    Local(),
    FedAvg(),
    FedAvg(fine_tuned=True),
    FedProx(),
    Ditto(),
    PFedGraph(),
    IPFL(in_cluster),
]


def run(method, task, rounds, active=None):
    plan = method.begin(task)
    for number in range(rounds):
        played = method.play(task, plan, number, active)
        plan = played.plan
    return played


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_each_method_learns_and_repeats_bit_for_bit(method):
    task = make(each=12)
    played = run(method, task, 6)
    assert task.evaluate(played.models).loss.mean() < task.evaluate(task.begin()).loss.mean()
    assert np.array_equal(run(method, make(each=12), 6).models, played.models)
    assert played.imports.dtype == bool
    assert not played.imports.diagonal().any()


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
@pytest.mark.parametrize("poison", [np.nan, np.inf, 1e300, 1e30, 1e17])
def test_a_broken_seller_is_ignored(method, poison):
    task = make(attacks={2: ConstantParameters(poison)})
    played = run(method, task, 3)
    assert np.isfinite(played.models).all()
    assert not played.imports[:, 2].any()
    others = [0, 1, 3, 4, 5]
    alone = run(method, make(), 3, active=np.arange(M) != 2)
    assert played.models[others] == pytest.approx(alone.models[others], abs=1e-5)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_who_is_away_neither_trades_nor_changes(method):
    task = make()
    active = np.array([True, True, False, True, True, True])
    played = run(method, task, 2, active)
    assert np.array_equal(played.models[2], task.initial)
    assert not played.imports[2].any()
    assert not played.imports[:, 2].any()


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_a_market_without_a_single_usable_model_goes_on(method):
    task = make(attacks=dict.fromkeys(range(M), ConstantParameters(np.nan)))
    played = run(method, task, 2)
    assert np.isfinite(played.models).all()
    assert not played.imports.any()


def test_a_huge_sender_leaves_deep_models_alone():
    task = make("mlp", attacks={2: ConstantParameters(1e17)})
    for method in METHODS:
        played = run(method, task, 3)
        others = task.evaluate(played.models).loss[[0, 1, 3, 4, 5]]
        assert (others < np.log(4) + 0.5).all(), method.name


def test_distances_protect_from_large_models_that_magnitude_lets_pass():
    task = make("mlp", each=20, local_steps=20, attacks={2: ConstantParameters(100.0)})
    honest = [0, 1, 3, 4, 5]
    accuracy = {
        method.name: task.evaluate(run(method, task, 4).models).accuracy[honest].mean()
        for method in (FedAvg(), Ditto(), PFedGraph(), IPFL(lambda _: EVERYONE))
    }
    assert max(accuracy["fedavg"], accuracy["ditto"]) < 0.8
    assert min(accuracy["pfedgraph"], accuracy["ipfl"]) > 0.9


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_the_callers_mask_stays_as_it_is(method):
    task = make(attacks={2: ConstantParameters(np.nan)})
    active = np.array([True, True, True, True, True, False])
    run(method, task, 2, active)
    assert active.tolist() == [True, True, True, True, True, False]


def test_local_is_training_and_nothing_else():
    task = make()
    models = task.begin()
    for number in range(2):
        models = task.train(models, number)
    played = run(Local(), task, 2)
    assert np.array_equal(played.models, models)
    assert not played.imports.any()


def test_fedavg_starts_from_the_mean_by_data_size():
    task = make()
    played = run(FedAvg(), task, 1)
    mean = np.average(played.trained.own, axis=0, weights=task.data_size)
    assert played.models == pytest.approx(np.tile(mean, (M, 1)))
    assert np.array_equal(played.imports, EVERYONE)
    tuned = run(FedAvg(fine_tuned=True), task, 2)
    second = task.train(played.plan.start, 1)
    assert np.array_equal(tuned.models, second)


def test_fedprox_is_pulled_to_the_mean():
    task = make()
    played = run(FedProx(mu=0.5), task, 1)
    assert np.array_equal(played.plan.target, played.plan.start)
    assert played.plan.strength == 0.5
    free, pulled = (run(method, task, 2).trained.own for method in (FedAvg(), FedProx(mu=5.0)))
    start = played.plan.start
    assert np.linalg.norm(pulled - start) < np.linalg.norm(free - start)
    weak = run(FedProx(mu=0.0), task, 3).models
    assert weak == pytest.approx(run(FedAvg(), task, 3).models, abs=1e-6)


def test_ditto_trains_a_common_model_beside_the_personal_ones():
    task = make()
    first = run(Ditto(strength=0.3), task, 1)
    common = task.train(task.begin(), 0, phase=1)
    assert np.array_equal(first.trained.sent, common)
    assert first.plan.shared == pytest.approx(common.mean(axis=0))
    assert np.array_equal(first.plan.start, first.trained.own)
    own = task.train(task.begin(), 0, target=task.begin(), strength=0.3)
    assert np.array_equal(first.models, own)
    alone = run(Ditto(strength=0.0), task, 3).models
    assert alone == pytest.approx(run(Local(), task, 3).models, abs=1e-6)


@settings(max_examples=30)
@given(seed=st.integers(0, 1000), entries=st.integers(1, 6))
def test_the_projection_is_the_nearest_point_of_the_simplex(seed, entries):
    values = np.random.default_rng(seed).normal(scale=1.5, size=entries)
    found = simplex_projection(values)
    best = minimize(
        lambda x: np.square(x - values).sum(),
        np.full(entries, 1 / entries),
        jac=lambda x: 2 * (x - values),
        bounds=[(0, 1)] * entries,
        constraints={"type": "eq", "fun": lambda x: x.sum() - 1, "jac": np.ones_like},
        options={"ftol": 1e-14},
    ).x
    assert found.sum() == pytest.approx(1.0)
    assert found.min() >= 0.0
    assert found == pytest.approx(best, abs=1e-6)


def test_pfedgraphs_rows_solve_their_program():
    task = make()
    trained = run(Local(), task, 2).trained
    method = PFedGraph(alpha=0.8)
    weights = method.mixture(task, trained)
    share = task.data_size / task.data_size.sum()
    delta = trained.own - task.initial
    unit = delta / np.linalg.norm(delta, axis=1, keepdims=True)
    linear = -unit @ unit.T - 1.6 * share
    slopes = 1.6 * weights + linear  # gradient of the objective: equal where x > 0, larger where 0
    for row, slope in zip(weights, slopes, strict=True):
        assert row.sum() == pytest.approx(1.0)
        assert np.ptp(slope[row > 0]) < 1e-9
        assert (slope[row == 0] >= slope[row > 0].min() - 1e-9).all()
    plan = method.exchange(task, trained, EVERYONE)
    assert plan.start == pytest.approx(weights @ trained.own)


def test_ipfl_asks_its_market_and_pulls_towards_what_it_gave():
    told = []

    def market(offers):
        told.append(offers)
        return np.ones((M, M), dtype=bool)

    task = make(attacks={0: SignFlip(), 1: ConstantParameters(np.nan)})
    method = IPFL(market, penalty=3.0, step=0.5)
    active = np.array([True] * 5 + [False])
    played = run(method, task, 1, active)
    assert told[0].usable.tolist() == [True, False, True, True, True, True]
    assert np.isinf(told[0].distance[0, 1])
    assert np.array_equal(told[0].data_size, task.data_size)
    expected = np.outer(active, active & told[0].usable) & EVERYONE
    assert np.array_equal(played.imports, expected)
    assert played.plan.strength == 6.0
    assert np.array_equal(played.plan.start, played.trained.own)
    assert not np.array_equal(played.plan.target[2], played.trained.own[2])
    assert np.array_equal(played.plan.target[5], played.trained.own[5])


def test_attackers_are_far_from_honest_participants():
    task = make(each=30, attacks={0: SignFlip(), 3: GaussianParameters()})
    method = IPFL(in_cluster)
    distance = method.offers(task, run(method, task, 1).trained).distance
    honest = IN_CLUSTER & ~np.isin(np.arange(M), (0, 3))
    assert distance[[1, 2], 0].min() > 1.0
    assert distance[[4, 5], 3].min() > 0.8
    assert distance[honest][:2].max() < 0.8


def test_with_the_graph_fixed_ipfl_rests_where_its_objective_does():
    task = make(
        batch=None,
        local_steps=60,
        learning_rate=0.5,
        momentum=0.5,
        weight_decay=0.1,
        dtype="float64",
    )
    method = IPFL(in_cluster, penalty=0.05, step=0.4)
    played = run(method, task, 60)
    residual = sharing_residual(task, played.models, IN_CLUSTER, 0.05)
    assert residual.max() < 1e-6
    alone = run(Local(), task, 60).models
    assert sharing_residual(task, alone, IN_CLUSTER, 0.05).min() > 1e-3
    assert sharing_residual(task, alone, np.zeros((M, M), dtype=bool), 0.05).max() < 1e-6


def test_sharing_inside_clusters_beats_learning_alone():
    task = make(each=6, local_steps=40)
    alone = task.evaluate(run(Local(), task, 15).models).loss
    shared = run(IPFL(in_cluster), task, 15)
    assert (task.evaluate(shared.models).loss < alone).all()
    distance = IPFL(in_cluster).offers(task, shared.trained).distance
    assert distance[IN_CLUSTER].max() < distance[~SAME].min()


def test_a_newcomer_starts_where_she_is_told():
    start = np.zeros((3, 2))
    who = np.array([False, True, False])
    joined = LocalPlan(start, start, 0.1).joined(who, [1.0, 2.0])
    assert joined.start.tolist() == [[0, 0], [1, 2], [0, 0]]
    assert joined.target.tolist() == [[0, 0], [1, 2], [0, 0]]
    assert LocalPlan(start).joined(who, [1.0, 2.0]).target is None
    with pytest.raises(InvalidInput, match="model must have 2 parameters"):
        LocalPlan(start).joined(who, [1.0])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: FedProx(mu=-1.0), "mu"),
        (lambda: Ditto(strength=-1.0), "strength"),
        (lambda: PFedGraph(alpha=0.0), "alpha"),
        (lambda: IPFL(in_cluster, penalty=0.0), "penalty"),
        (lambda: IPFL(in_cluster, step=0.0), "step"),
        (lambda: IPFL(in_cluster, penalty=1e39), "penalty must be at most 1e[+]30"),
        (lambda: IPFL(in_cluster, step=1e-30), "penalty / step must be at most 1e[+]30"),
        (lambda: FedProx(mu=1e39), "mu must be at most"),
        (lambda: Ditto(strength=[1.0, 2.0]), "strength must be one number"),
        (lambda: PFedGraph(alpha=[1.0, 2.0]), "alpha must be one number"),
        (lambda: run(IPFL(lambda _: np.ones((2, 2))), make(), 1), "the market must give 6 x 6"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(InvalidInput, match=words):
        call()


def test_methods_differ_in_name():
    names = [method.name for method in METHODS]
    assert names == ["local", "fedavg", "fedavg", "fedprox", "ditto", "pfedgraph", "ipfl"]
    assert Trained(np.zeros((1, 1)), np.zeros((1, 1))).own.shape == (1, 1)
