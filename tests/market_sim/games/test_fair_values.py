"""Fair payments: what they promise, whichever algorithm computes them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market_sim.errors import InvalidInput
from market_sim.games import (
    DPMeanEstimation,
    FederatedMeanEstimation,
    FunctionUtility,
    PaymentsUnbalanced,
    TableUtility,
    Utility,
    counting,
    fair_values,
)
from market_sim.games.semivalue import Semivalue

RULES = [
    ("shapley", False, 1.0),
    ("shapley", True, 1.0),
    ("shapley", False, 0.6),
    ("shapley", True, 0.6),
    ("banzhaf", False, 1.0),
    ("banzhaf", True, 1.0),
    ("banzhaf", False, 0.3),
]


@st.composite
def tables(draw):
    """Any utility at all: a number for each profile of three levels, zero where nobody gives."""
    n = draw(st.integers(1, 4))
    values = draw(st.lists(st.floats(-10, 10, allow_subnormal=False), min_size=3**n, max_size=3**n))
    array = np.array(values).reshape((3,) * n)
    array[(0,) * n] = 0.0
    return array


@st.composite
def games(draw):
    table = draw(tables())
    levels = draw(st.lists(st.integers(0, 2), min_size=table.ndim, max_size=table.ndim))
    return table, np.array(levels)


@given(games())
def test_payments_add_up_to_the_utility(game):
    table, levels = game
    result = fair_values(TableUtility(table), levels)
    worth = table[tuple(levels)]
    assert result.users.sum() == pytest.approx(worth, abs=1e-9)
    assert result.utility == pytest.approx(worth)
    shared = fair_values(TableUtility(table), levels, platform=True)
    assert shared.users.sum() + shared.platform == pytest.approx(worth, abs=1e-9)


@given(games(), st.sampled_from(RULES))
def test_who_gives_nothing_gets_nothing(game, rule):
    table, levels = game
    index, platform, presence = rule
    result = fair_values(TableUtility(table), levels, platform, index=index, presence=presence)
    assert (result.users[levels == 0] == 0).all()


@given(tables(), tables(), st.floats(-3, 3), st.sampled_from(RULES))
def test_payments_are_linear_in_the_utility(one, two, factor, rule):
    if one.shape != two.shape:
        two = np.broadcast_to(np.zeros(()), one.shape)
    index, platform, presence = rule
    levels = np.ones(one.ndim)
    results = [
        fair_values(TableUtility(t), levels, platform, index=index, presence=presence)
        for t in (one, two, factor * one + two)
    ]
    users, platforms = ([getattr(r, name) for r in results] for name in ("users", "platform"))
    assert users[2] == pytest.approx(factor * users[0] + users[1], abs=1e-9)
    assert platforms[2] == pytest.approx(factor * platforms[0] + platforms[1], abs=1e-9)


@given(games(), st.sampled_from(RULES), st.randoms(use_true_random=False))
def test_payments_follow_the_users_when_they_change_places(game, rule, random):
    table, levels = game
    index, platform, presence = rule
    order = list(range(table.ndim))
    random.shuffle(order)
    before = fair_values(TableUtility(table), levels, platform, index=index, presence=presence)
    moved = TableUtility(np.transpose(table, order))
    after = fair_values(moved, levels[order], platform, index=index, presence=presence)
    assert after.users == pytest.approx(before.users[order], abs=1e-9)


@given(st.lists(st.sampled_from([0.0, 0.5, 4.0, np.inf]), min_size=2, max_size=7))
def test_equal_users_are_paid_equally(epsilon):
    paid = fair_values(DPMeanEstimation(len(epsilon)), epsilon).users
    for level in set(epsilon):
        same = paid[np.array(epsilon) == level]
        assert same == pytest.approx(np.full(same.size, same[0]), abs=1e-12)


@given(
    st.lists(st.sampled_from([5.0, 3.0, 40.0]), min_size=1, max_size=7),
    st.data(),
    st.sampled_from(RULES),
)
def test_all_algorithms_agree(size, data, rule):
    levels = data.draw(st.lists(st.integers(0, 2), min_size=len(size), max_size=len(size)))
    index, platform, presence = rule
    utility = FederatedMeanEstimation(size, r2=2.0, s2=3.0)
    settings_ = {"platform": platform, "index": index, "presence": presence}
    subsets = fair_values(utility, levels, method="subsets", **settings_)
    types = fair_values(utility, levels, method="types", **settings_)
    assert types.users == pytest.approx(subsets.users, abs=1e-10)
    assert types.platform == pytest.approx(subsets.platform, abs=1e-10)
    if index == "shapley" and not platform and presence == 1.0:
        table = fair_values(utility, levels, method="potential")
        assert table.users == pytest.approx(subsets.users, abs=1e-10)


@pytest.mark.parametrize(("index", "platform", "presence"), RULES)
@pytest.mark.parametrize(("r2", "s2"), [(10.0, 1.0), (1.0, 100.0)])
def test_the_integral_agrees_with_the_exact_sums(index, platform, presence, r2, s2):
    size = np.repeat([100.0, 10.0, 100.0], [30, 35, 40])
    levels = np.repeat([2, 1, 1], [30, 35, 40])
    utility = FederatedMeanEstimation(size, r2=r2, s2=s2)
    exact, owen = (
        fair_values(
            utility,
            levels,
            platform,
            method,
            index=index,
            presence=presence,
            tolerance=1e-10,
        )
        for method in ("types", "owen")
    )
    assert owen.method == "owen"
    assert owen.users == pytest.approx(exact.users, rel=1e-8)
    assert owen.platform == pytest.approx(exact.platform, rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("options", [{"min_group": 2}, {"group_mean": "inverse_variance"}])
def test_the_integral_respects_jumps_at_small_groups(options):
    size, levels = np.repeat([100.0, 10.0], 60), np.repeat([1, 2], 60)
    utility = FederatedMeanEstimation(size, r2=1.0, s2=100.0, **options)
    exact, owen = (fair_values(utility, levels, method=m) for m in ("types", "owen"))
    assert owen.users == pytest.approx(exact.users, rel=1e-7)


def test_the_integral_takes_the_kinks_of_private_data():
    epsilon = np.repeat([0.5, 2.0, np.inf], 50)
    utility = DPMeanEstimation(150)
    exact, owen = (fair_values(utility, epsilon, method=m) for m in ("types", "owen"))
    assert owen.users == pytest.approx(exact.users, rel=1e-6)


def test_a_million_users_add_up():
    users = 1_000_000
    utility = FederatedMeanEstimation(np.repeat([100.0, 10.0], users // 2), r2=10.0, s2=1.0)
    result = fair_values(utility, np.repeat([2, 1], users // 2))
    assert result.method == "owen"
    assert result.discrepancy < 1e-9
    assert result.users.sum() == pytest.approx(float(result.utility), rel=1e-9)


def test_presence_of_one_is_the_rule_without_presence_and_rare_users_stand_alone():
    utility = DPMeanEstimation(4)
    levels = [1.0, 2.0, 4.0, np.inf]
    alone = utility.value(np.diag(levels))
    rare = fair_values(utility, levels, presence=1e-7)
    assert rare.users / 1e-7 == pytest.approx(alone, rel=1e-5)


@given(games(), st.floats(0.05, 1.0))
def test_users_who_may_be_absent_share_the_expected_utility(game, presence):
    """Draw who is there with probability delta: the mean of U over that is what is paid."""
    table, levels = game
    result = fair_values(TableUtility(table), levels, presence=presence)
    expected = 0.0
    for mask in np.ndindex(*(2,) * levels.size):
        chance = np.prod(np.where(mask, presence, 1 - presence))
        expected += chance * table[tuple(levels * mask)]
    assert result.users.sum() == pytest.approx(expected, abs=1e-9)


def test_banzhaf_is_the_mean_gain_over_all_coalitions():
    table = np.random.default_rng(3).normal(size=(2,) * 4)
    table[0, 0, 0, 0] = 0.0
    paid = fair_values(TableUtility(table), [1, 1, 1, 1], index="banzhaf").users
    for user in range(4):
        gains = np.diff(table, axis=user)
        assert paid[user] == pytest.approx(gains.mean())


def test_negative_payments_are_reported():
    utility = FederatedMeanEstimation([100, 1, 1, 1], r2=1.0, s2=100.0)
    assert fair_values(utility, [1, 1, 0, 0]).users[1] < -0.6


def test_many_profiles_at_once_are_those_one_by_one():
    utility = FederatedMeanEstimation([5, 5, 5, 3, 3], r2=2.0, s2=3.0)
    levels = np.random.default_rng(0).integers(0, 3, (2, 20, 5))
    result = fair_values(utility, levels)
    assert result.method == "potential"
    assert result.users.shape == (2, 20, 5)
    assert result.utility.shape == result.platform.shape == (2, 20)
    one = fair_values(utility, levels[1, 7], method="subsets")
    assert result.users[1, 7] == pytest.approx(one.users, abs=1e-12)
    with_platform = fair_values(utility, levels, platform=True)
    assert with_platform.platform.shape == (2, 20)


@pytest.mark.parametrize(
    ("users", "levels", "method"),
    [
        (6, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], "subsets"),
        (6, [1.0] * 6, "types"),
        (4000, [1.0] * 2000 + [2.0] * 2000, "owen"),
    ],
)
def test_the_method_is_chosen_by_size_and_recorded(users, levels, method):
    assert fair_values(DPMeanEstimation(users), levels).method == method


def test_a_plain_function_is_a_utility():
    result = fair_values(lambda levels: levels.sum(axis=1) ** 2, [1.0, 2.0])
    assert result.users == pytest.approx([3.0, 6.0])


def test_nobody_gives():
    for method in ("auto", "subsets", "types", "potential"):
        result = fair_values(DPMeanEstimation(3), [0, 0, 0], method=method)
        assert (result.users == 0).all()
        assert result.utility == 0


class _Crooked(Utility):
    """Claims that users are interchangeable when they are not."""

    users = 3
    kinds = np.zeros(3, dtype=np.intp)

    def value(self, levels):
        return (np.asarray(levels) * [1.0, 2.0, 3.0]).sum(axis=-1)

    def value_of_counts(self, kind, level, counts):
        # wrong in the count of two
        total = np.asarray(sum(counts), dtype=float)
        return np.where(total == 2, 7.0, total)


def test_the_self_check_catches_payments_that_do_not_add_up(monkeypatch):
    """Halve one number of the computation: the result must be refused, not returned."""
    joining = counting._joining
    monkeypatch.setattr(counting, "_joining", lambda *args: joining(*args) * 1.001)
    with pytest.raises(PaymentsUnbalanced, match="miss the utility"):
        fair_values(DPMeanEstimation(4), [1.0] * 4, method="types")
    with pytest.raises(PaymentsUnbalanced, match="derivative"):
        fair_values(DPMeanEstimation(4), [1.0] * 4, method="types", index="banzhaf")


def test_the_integral_is_refused_where_it_is_not_accurate():
    """A utility with a jump in the middle is not for Gauss rules."""

    class Jump(_Crooked):
        users = 3000
        smooth = True
        kinds = np.zeros(3000, dtype=np.intp)

        def value(self, levels):
            return self.value_of_counts(None, None, [(np.asarray(levels) > 0).sum(axis=-1)])

        def value_of_counts(self, kind, level, counts):
            return np.where(np.asarray(counts[0]) >= 1200, 1.0, 0.0)

    with pytest.raises(PaymentsUnbalanced, match="owen"):
        fair_values(Jump(), np.ones(3000), method="owen")
    assert fair_values(Jump(), np.ones(3000)).users[0] == pytest.approx(1 / 3000)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"levels": 3.0}, "last axis of users"),
        ({"levels": [1.0, -1.0]}, "at least 0"),
        ({"levels": [1.0, np.nan]}, "NaN"),
        ({"levels": [1.0, 1.0, 1.0]}, "2 users"),
        ({"method": "guess"}, "method must be one of"),
        ({"index": "nucleolus"}, "index must be one of"),
        ({"presence": 0.0}, "presence"),
        ({"presence": 1.5}, "presence"),
        ({"method": "potential", "platform": True}, "Theorem 2 only"),
        ({"utility": 5.0}, "utility must be"),
        ({"utility": lambda levels: levels.sum(axis=1) + 1.0}, "no data must be 0"),
        ({"utility": lambda levels: levels.sum(axis=1) / 0.0 * 0.0}, "no data must be 0"),
        ({"utility": lambda levels: levels}, "one number a profile"),
        (
            {"utility": lambda x: np.where(x.sum(axis=1) == 2, np.inf, x.sum(axis=1))},
            "must be finite",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_bad_input_is_refused_in_one_sentence(arguments, words):
    given_ = {"utility": DPMeanEstimation(2), "levels": [1.0, 1.0]} | arguments
    with pytest.raises(InvalidInput, match=words) as caught:
        fair_values(given_.pop("utility"), given_.pop("levels"), **given_)
    assert "\n" not in str(caught.value)


def test_too_many_different_users_are_told_what_to_use():
    utility = FunctionUtility(lambda levels: levels.sum(axis=1), 40)
    with pytest.raises(InvalidInput, match="sampled_fair_values"):
        fair_values(utility, np.ones(40))
    with pytest.raises(InvalidInput, match="sampled_fair_values"):
        fair_values(utility, np.ones(40), method="subsets")
    with pytest.raises(InvalidInput, match="sampled_fair_values"):
        fair_values(utility, np.ones(40), method="owen")


@pytest.mark.parametrize(("index", "platform", "presence"), RULES)
@settings(max_examples=20)
@given(users=st.integers(1, 30))
def test_the_weights_of_sizes_have_the_mass_they_must(users, index, platform, presence):
    rule = Semivalue(index, platform, presence)
    mean_q = {("shapley", True): 0.5, ("banzhaf", True): 0.5}.get((index, platform), 1.0)
    assert rule.user_weights(users).sum() == pytest.approx(presence * mean_q)
    assert rule.platform_weights(users).sum() == pytest.approx(1.0)


def test_a_million_private_users_of_four_levels_are_paid():
    """Kinks limit the Gauss rules; the result that adds up best is returned and judged."""
    epsilon = np.repeat([0.5, 1.0, 2.0, 8.0], 250_000)
    result = fair_values(DPMeanEstimation(1_000_000), epsilon)
    assert result.discrepancy < 1e-8
    assert result.users.sum() == pytest.approx(float(result.utility), rel=1e-8)
    assert (np.diff(result.users[::250_000]) > 0).all()
