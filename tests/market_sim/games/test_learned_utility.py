"""The utility of data to a model that is trained on it."""

import json

import numpy as np
import pytest

from market_sim.aggregation import ErrorOpt
from market_sim.errors import InvalidInput
from market_sim.games import LearnedUtility, fair_values, sampled_fair_values
from market_sim.learning import Dataset, FederatedTask, Partition, TrainTest
from market_sim.privacy import LaplacePerturbation
from market_sim.streams import Streams

OWNERS = 4


def make_task(seed=1, swap=False):
    """Two clusters that a line tells apart; user 3 has labels at random."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 240)
    features = rng.normal(size=(240, 3)) + 2.0 * labels[:, None]
    train_labels = labels[:160].copy()
    train_labels[120:] = rng.integers(0, 2, 40)
    data = TrainTest(
        "two clusters",
        Dataset(features[:160], train_labels, 2),
        Dataset(features[160:], labels[160:], 2),
    )
    rows = [np.arange(40 * i, 40 * (i + 1)) for i in range(OWNERS)]
    if swap:
        rows[0], rows[3] = rows[3], rows[0]
    return FederatedTask(
        data,
        "logistic",
        Partition(tuple(rows), 160),
        LaplacePerturbation(clip=1.0),
        learning_rate=1.0,
        streams=Streams(seed),
    )


@pytest.fixture
def utility():
    return LearnedUtility(make_task(), rounds=8)


def test_no_data_is_worth_nothing_and_is_not_trained(utility):
    assert utility.value(np.zeros(OWNERS)) == 0.0
    assert utility.trained == 0


def test_utility_is_accuracy_above_the_untrained_model(utility):
    levels = np.full(OWNERS, np.inf)
    gain = float(utility.value(levels))
    task = make_task()
    base = task.evaluate().accuracy
    for round_ in range(8):
        task.update(task.deliver(levels, np.full(OWNERS, 0.25), round_))
    assert gain == pytest.approx(task.evaluate().accuracy - base)
    assert utility.baseline == base


def test_every_coalition_is_trained_once(utility):
    levels = np.full(OWNERS, np.inf)
    result = fair_values(utility, levels)
    assert utility.trained == 2**OWNERS - 1
    again = fair_values(utility, levels)
    assert utility.trained == 2**OWNERS - 1
    assert again.users.tobytes() == result.users.tobytes()
    assert result.users.sum() == pytest.approx(float(result.utility))


def test_a_computation_goes_on_where_it_was_stopped():
    """The store holds plain text and numbers: it survives a trip through a file."""
    memo = {}
    levels = np.array([np.inf, np.inf, 0.0, 0.0])
    first = fair_values(LearnedUtility(make_task(), rounds=3, memo=memo), levels)
    kept = json.loads(json.dumps(memo))
    resumed = LearnedUtility(make_task(), rounds=3, memo=kept)
    assert fair_values(resumed, levels).users.tobytes() == first.users.tobytes()
    assert resumed.trained == 0
    longer = LearnedUtility(make_task(), rounds=3, memo=kept, repeats=2)
    longer.value(levels)
    assert longer.trained == 1


@pytest.mark.parametrize(
    "other",
    [
        lambda memo: LearnedUtility(make_task(), rounds=4, memo=memo),
        lambda memo: LearnedUtility(make_task(seed=2), rounds=3, memo=memo),
        lambda memo: LearnedUtility(make_task(swap=True), rounds=3, memo=memo),
        lambda memo: LearnedUtility(make_task(), rounds=3, measure="loss", memo=memo),
        lambda memo: LearnedUtility(make_task(), rounds=3, aggregator=ErrorOpt(), memo=memo),
    ],
    ids=["rounds", "seed", "partition", "measure", "aggregator"],
)
def test_results_of_another_setting_are_not_taken(other):
    memo = {}
    levels = np.array([2.0, 0.0, 1.0, 3.0])
    LearnedUtility(make_task(), rounds=3, memo=memo).value(levels)
    different = other(memo)
    different.value(levels)
    assert different.trained == 1


def test_repeats_have_noise_of_their_own_and_a_standard_error():
    utility = LearnedUtility(make_task(), rounds=2, measure="loss", repeats=4)
    noisy = np.full(OWNERS, 1.0)
    assert utility.standard_error(noisy) > 0
    assert utility.standard_error(np.full(OWNERS, np.inf)) == pytest.approx(0.0, abs=1e-12)
    assert utility.standard_error(np.zeros(OWNERS)) == 0
    with pytest.raises(InvalidInput, match="at least 2"):
        LearnedUtility(make_task(), rounds=2).standard_error(noisy)


def test_a_fall_of_the_loss_is_a_gain():
    utility = LearnedUtility(make_task(), rounds=8, measure="loss")
    assert utility.value(np.full(OWNERS, np.inf)) > 0


def test_sampled_values_of_a_learned_utility():
    utility = LearnedUtility(make_task(), rounds=8, measure="loss")
    levels = np.full(OWNERS, np.inf)
    exact = fair_values(utility, levels).users
    sampled = sampled_fair_values(utility, levels, permutations=40)
    assert (np.abs(sampled.users - exact) <= 5 * sampled.standard_error + 1e-9).all()
    assert utility.trained == 2**OWNERS - 1
    assert exact[3] < exact[:3].min()  # labels at random are worth least


def test_profiles_are_a_batch(utility):
    levels = np.array([[np.inf, 0, 0, 0], [0, 0, 0, 0], [np.inf, 0, 0, 0]])
    values = utility.value(levels)
    assert values.shape == (3,)
    assert values[0] == values[2]
    assert utility.trained == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rounds": 0}, "rounds"),
        ({"repeats": 0}, "repeats"),
        ({"measure": "speed"}, "measure must be one of"),
    ],
)
def test_bad_settings_are_refused(change, words):
    with pytest.raises(InvalidInput, match=words):
        LearnedUtility(make_task(), **({"rounds": 1} | change))
