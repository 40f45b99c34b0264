"""How users choose: best response, noise, learning from payments."""

import numpy as np
import pytest

import market_sim as ms
from agents.acquisition import AcquisitionMarket, BestResponse, LogitResponse, NoRegret
from agents.acquisition.behaviors import ChoiceView, Memory, Receipt
from market_sim.solvers import symmetric_equilibria


def view(payoffs, levels, draws=None, restless=None):
    users = len(payoffs)
    half = np.full(users, 0.5)
    rest = half if restless is None else np.asarray(restless)
    draw = half if draws is None else np.asarray(draws)
    return ChoiceView(np.arange(users), np.array(levels), np.array(payoffs), 1.0, rest, draw)


def test_best_response_stays_where_nothing_is_gained():
    asked = view([[0.0, 0.2, 0.1], [0.3, 0.3, 0.0], [0.0, 0.0, 1e-15]], [2, 1, 0])
    levels, answered = BestResponse(0.0).choose(asked, Memory.empty(3, 3))
    assert levels.tolist() == [1, 1, 0]
    assert answered.all()


def test_inertia_keeps_users_without_a_look():
    asked = view([[0.0, 1.0]] * 3, [0, 0, 0], restless=[0.1, 0.39, 0.41])
    for behavior in (BestResponse(0.4), LogitResponse(0.01, 0.4)):
        levels, answered = behavior.choose(asked, Memory.empty(3, 2))
        assert levels.tolist() == [0, 0, 1]
        assert answered.tolist() == [False, False, True]


def test_logit_frequencies_are_the_logit_law():
    payoffs = np.tile([0.0, 0.1, -0.05], (20_000, 1))
    draws = ms.Streams(0).generator("test").random(20_000)
    asked = view(payoffs, np.zeros(20_000, dtype=int), draws=draws)
    levels, _ = LogitResponse(0.1).choose(asked, Memory.empty(20_000, 3))
    expected = np.exp([0.0, 1.0, -0.5]) / np.exp([0.0, 1.0, -0.5]).sum()
    assert np.bincount(levels) / 20_000 == pytest.approx(expected, abs=0.012)


def test_logit_play_in_turn_has_the_gibbs_law(alike):
    game, alpha, temperature = alike(3, 0.15), 0.3, 0.02
    market = AcquisitionMarket(
        game, alpha, behavior=LogitResponse(temperature), timing="in turn", seed=3
    )
    market.run(2000)
    profiles = np.array(np.meshgrid(*[[0, 1]] * 3, indexing="ij")).reshape(3, -1).T
    weight = np.exp(game.potential(profiles, alpha) / temperature)
    expected = np.bincount(profiles.sum(axis=1), weight) / weight.sum()
    seen = np.bincount(market.tables()["rounds"]["givers"][100:], minlength=4) / 1900
    assert seen == pytest.approx(expected, abs=0.04)


def test_bandit_losses_are_unbiased_estimates():
    rng = ms.Streams(1).generator("bandit")
    users, payoffs = 40_000, np.array([0.1, 0.4, -0.2])
    memory, behavior = Memory.empty(users, 3), NoRegret("bandit")
    memory.loss[:] = [1.0, 0.0, 0.5]
    memory.rounds[:] = 4
    asked = view(np.zeros((users, 3)), np.zeros(users, dtype=int), draws=rng.random(users))
    levels, _ = behavior.choose(asked, memory)
    before = memory.loss.copy()
    everyone = np.arange(users)
    receipt = Receipt(everyone, levels, np.tile(payoffs, (users, 1)), 0.5, 1.0, everyone)
    behavior.learn(receipt, memory)
    assert (memory.loss - before).mean(axis=0) == pytest.approx(0.5 - payoffs, abs=0.02)
    assert ((memory.loss != before).sum(axis=1) == 1).all()


@pytest.mark.parametrize("feedback", ["full", "bandit"])
def test_regret_against_the_best_fixed_level_falls(feedback):
    """One learner against payoffs that change, half of the time better for either level."""
    rng = ms.Streams(2).generator("nature")
    behavior, memory = NoRegret(feedback), Memory.empty(1, 2)
    best, got = np.zeros(2), 0.0
    for number in range(3000):
        payoffs = np.array([[0.5, float(rng.random() < 0.7)]])
        asked = view(payoffs, [0], draws=rng.random(1))
        levels, _ = behavior.choose(asked, memory)
        behavior.learn(Receipt(np.array([0]), levels, payoffs, 1.0, 1.0, np.array([0])), memory)
        best += payoffs[0]
        got += payoffs[0, levels[0]]
        if number == 99:
            early = (best.max() - got) / 100
    assert (best.max() - got) / 3000 < 0.02
    assert (best.max() - got) / 3000 < max(early, 0.02)


def test_pooled_memories_stay_equal_also_when_users_are_absent(alike):
    market = AcquisitionMarket(alike(), 0.15, behavior=NoRegret(pooled=True), presence=0.5, seed=0)
    market.run(30)
    loss = market.memory_of(0).loss
    assert (loss == loss[0]).all()
    assert loss[0].max() > 0


@pytest.mark.parametrize("alpha", [0.15, 0.25])
@pytest.mark.parametrize(
    ("feedback", "near", "share"), [("full", 0.02, 0.01), ("bandit", 0.08, 0.08)]
)
def test_pooled_learners_come_near_the_symmetric_equilibrium(alike, alpha, feedback, near, share):
    """Mean play of the second half against the mixture, and the value in parts of it.

    Bandit estimates keep the mixture moving, which shifts means: payments are not linear in it.
    """
    game = alike()
    (found,) = symmetric_equilibria(game, alpha)
    assert 0.3 < found.strategy[1] < 0.9
    market = AcquisitionMarket(
        game,
        alpha,
        behavior=NoRegret(feedback, rate=10.0, pooled=True),
        seed=5,
        record_users=False,
    )
    market.run(1500)
    late = {name: column[750:].mean() for name, column in market.tables()["rounds"].items()}
    assert late["givers"] / 10 == pytest.approx(found.strategy[1], abs=near)
    assert late["kept"] == pytest.approx(found.value, rel=share)


def test_learners_on_their_own_drift_apart_to_a_pure_equilibrium(alike):
    """The mixed equilibrium is a saddle: each ends up a giver or not, at nearly the same mean."""
    market = AcquisitionMarket(
        alike(), 0.15, behavior=NoRegret(rate=10.0), seed=5, record_users=False
    )
    market.run(2000)
    chances = market.memory_of(0).chances[:, 1]
    assert (np.minimum(chances, 1 - chances) < 0.2).sum() >= 8
    assert market.tables()["rounds"]["givers"][1000:].mean() == pytest.approx(3.5, abs=0.6)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: BestResponse(1.0), "inertia must be one number from 0 to below 1, got 1.0"),
        (lambda: BestResponse(-0.1), "inertia must be at least 0"),
        (lambda: LogitResponse(0.0), "temperature must be greater than 0"),
        (lambda: LogitResponse([1.0, 2.0]), "temperature must be one number"),
        (lambda: NoRegret("half"), "feedback must be one of"),
        (lambda: NoRegret(rate=-1.0), "rate must be greater than 0"),
    ],
)
def test_bad_settings_of_behaviors(make, sentence):
    with pytest.raises(ms.InvalidInput, match=sentence):
        make()
