"""The reward contest: equilibrium against the closed form, brute force and other play."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import market_sim as ms
from market_sim.errors import InvalidInput

EXPONENTS = [(1, 1), (2, 2), (1, 1.05), (1, 1.5), (1, 2), (0.5, 1.3), (1, 4)]
cost_lists = st.lists(st.floats(0.05, 20.0), min_size=2, max_size=9)
exponents = st.tuples(st.floats(0.3, 2.0), st.floats(0.0, 3.0)).map(lambda t: (t[0], t[0] + t[1]))


def markets(seed, owners, q, p, **bounds):
    rng = np.random.default_rng(seed)
    cost = np.exp(rng.standard_normal(owners))
    return ms.RewardContest(cost, rng.integers(5, 50, owners), q, p, **bounds)


def payoff_on_grid(contest, epsilon, pool, owner, grid):
    """Utility of one owner for each epsilon of a grid, by the definition of the game."""
    rules = contest.rules
    others = np.delete(rules.size * epsilon**rules.q, owner).sum()
    own = rules.size[owner] * grid**rules.q
    return pool * own / (own + others) - rules.cost[owner] * grid**rules.p


@given(cost_lists, st.floats(0.01, 1e4))
def test_closed_form_and_solver_agree(cost, pool):
    size = np.linspace(1.0, 3.0, len(cost))
    contest = ms.RewardContest(cost, size, 1.5, 1.5)
    found, closed = contest.equilibrium(pool), contest.closed_form(pool)
    scale = closed.epsilon.max()
    np.testing.assert_allclose(found.share, closed.share, rtol=0, atol=1e-10)
    np.testing.assert_allclose(found.epsilon**1.5, closed.epsilon**1.5, atol=1e-10 * scale**1.5)
    assert found.total == pytest.approx(closed.total, rel=1e-10)
    assert closed.regret <= 1e-10 * pool
    assert (found.solver, closed.solver) == ("newton", "closed form")


def test_closed_form_by_hand():
    """Costs 1, 2: z_i = 1 - c_i / 3, Y = R / 3; a third owner at 3 = C / 1 is not attracted."""
    two, three = (ms.RewardContest(c).closed_form(3.0) for c in ([1, 2], [1, 2, 3.0001]))
    np.testing.assert_allclose(two.epsilon, [2 / 3, 1 / 3], rtol=1e-15)
    np.testing.assert_allclose(three.epsilon, [2 / 3, 1 / 3, 0], atol=1e-15)
    assert three.utility[2] == 0.0
    assert three.payment[2] == 0.0
    assert "1 not attracted" in three.status


def test_hu_gong_2020():
    """q = p = 1, one size: rho_i = (m-1) R / C (1 - (m-1) c_i / C) over the m cheapest."""
    cost = np.array([1.0, 1.1, 1.3, 1.4, 9.0])
    members, total = 4, cost[:4].sum()
    rho = 10.0 * (members - 1) / total * (1 - (members - 1) * cost[:4] / total)
    np.testing.assert_allclose(
        ms.RewardContest(cost).equilibrium(10.0).epsilon[:4], rho, rtol=1e-12
    )


@given(cost_lists, exponents, st.floats(0.01, 100.0))
def test_first_order_condition_and_accounts(cost, powers, pool):
    q, p = powers
    contest = ms.RewardContest(cost, None, q, p)
    found = contest.equilibrium(pool)
    z, total, a = found.share, found.total, p / q
    wanted = np.asarray(cost) * a * total**a / pool * z ** (a - 1)
    inside = z > 1e-200  # below, powers lose their digits
    np.testing.assert_allclose((1 - z)[inside], wanted[inside], rtol=1e-9, atol=1e-12)
    assert found.residual <= 1e-14
    assert found.regret <= 1e-10 * pool
    assert found.payment.sum() == pytest.approx(pool, rel=1e-12)
    assert (found.utility >= -1e-12 * pool).all()
    np.testing.assert_allclose(  # the published form of individual rationality
        found.utility, pool * z * (1 - (q / p) * (1 - z)), atol=1e-9 * pool
    )


@pytest.mark.parametrize(("q", "p"), EXPONENTS)
@pytest.mark.parametrize("bounds", [{}, {"low": 0.05, "high": 0.4}, {"low": 0.2}, {"high": 0.3}])
def test_no_point_of_a_dense_grid_is_better(q, p, bounds):
    contest = markets(7, 6, q, p, participation=False, **bounds)
    found = contest.equilibrium(40.0)
    rules, best = contest.rules, 0.0
    for owner in range(6):
        low, high = rules.low[owner], min(rules.high[owner], 50.0)
        own = found.epsilon[owner]
        near = np.clip(own + np.linspace(-1e-3, 1e-3, 2001), low, high)
        grid = np.concatenate([np.linspace(low, high, 20001), near])
        here = payoff_on_grid(contest, found.epsilon, 40.0, owner, np.array([own]))
        gain = payoff_on_grid(contest, found.epsilon, 40.0, owner, grid).max() - here[0]
        best = max(best, float(gain))
        assert low <= own <= high
    assert best <= 1e-12 * 40.0
    assert found.regret <= 1e-14 * 40.0


def answer(contest, others, pool, owner):
    """Best epsilon by bisection on the sign of the marginal payoff, one for each start."""
    rules = contest.rules
    low = np.full_like(others, rules.low[owner])
    high = np.full_like(others, min(rules.high[owner], 100.0))
    for _ in range(60):
        epsilon = 0.5 * (low + high)
        own = rules.size[owner] * epsilon**rules.q
        pay = pool * others * rules.q * own / (own + others) ** 2
        rising = pay > rules.cost[owner] * rules.p * epsilon**rules.p
        low, high = np.where(rising, epsilon, low), np.where(rising, high, epsilon)
    return 0.5 * (low + high)


@pytest.mark.parametrize(("q", "p"), [(1, 1), (1, 1.5), (0.5, 1.5), (1, 3)])
@pytest.mark.parametrize("bounds", [(0.0, np.inf), (0.05, 0.3)])
def test_one_equilibrium_from_a_hundred_starts(q, p, bounds):
    """Owners who answer one after the other end where the solver does, wherever they start."""
    contest = markets(3, 4, q, p, low=bounds[0], high=bounds[1], participation=False)
    found = contest.equilibrium(20.0).epsilon
    play = np.exp(2 * np.random.default_rng(0).standard_normal((100, 4)))
    for _ in range(60):
        for owner in range(4):
            contributions = contest.rules.size * play**q
            others = contributions.sum(axis=1) - contributions[:, owner]
            play[:, owner] = answer(contest, others, 20.0, owner)
    np.testing.assert_allclose(play, np.tile(found, (100, 1)), atol=1e-8)


def test_best_response_is_the_bisected_one():
    contest = markets(4, 5, 1, 1.7, low=0.02, high=0.6)
    play = np.array([0.1, 0.2, 0.05, 0.6, 0.3])
    contributions = contest.rules.size * play
    for owner, best in enumerate(contest.best_response(play, 8.0)):
        others = np.array([contributions.sum() - contributions[owner]])
        assert best == pytest.approx(answer(contest, others, 8.0, owner)[0], rel=1e-9)


@given(cost_lists, exponents, st.floats(0.01, 100.0), st.floats(0.1, 1000.0))
def test_scaling_laws(cost, powers, pool, factor):
    """Without bounds epsilon grows like R^(1/p), and only R / c counts."""
    q, p = powers
    one = ms.RewardContest(cost, None, q, p).equilibrium(pool)
    more = ms.RewardContest(cost, None, q, p).equilibrium(factor * pool)
    dear = ms.RewardContest(np.multiply(cost, factor), None, q, p).equilibrium(factor * pool)
    scale = one.epsilon.max()
    growth = factor ** (1 / p)
    np.testing.assert_allclose(more.epsilon, growth * one.epsilon, atol=1e-9 * growth * scale)
    np.testing.assert_allclose(dear.epsilon, one.epsilon, atol=1e-9 * scale)


@settings(max_examples=25)
@given(st.permutations(range(6)))
def test_owners_are_anonymous(order):
    order = list(order)
    contest = markets(1, 6, 1, 1.5, low=0.1, high=0.5)
    rules = contest.rules
    moved = ms.RewardContest(rules.cost[order], rules.size[order], 1, 1.5, 0.1, 0.5)
    here, there = contest.equilibrium(9.0), moved.equilibrium(9.0)
    np.testing.assert_allclose(here.epsilon[order], there.epsilon, rtol=1e-12)
    assert set(here.dropped) == {order[i] for i in there.dropped}


@pytest.mark.parametrize(("q", "p"), [(1, 1), (1, 1.01), (1, 1.7), (1, 2)])
def test_a_hundred_thousand_almost_equal_owners(q, p):
    """z = 1 - cc_i (m-1)/C would lose six digits here."""
    cost = 1.0 + 1e-9 * np.random.default_rng(0).random(10**5)
    found = ms.RewardContest(cost, None, q, p).equilibrium(50.0)
    assert found.residual <= 1e-14
    assert found.regret <= 1e-24
    np.testing.assert_allclose(found.share, 1e-5, rtol=2e-4)


@pytest.mark.parametrize("scale", [1e-200, 1e-30, 1e30, 1e200])
def test_costs_of_any_size(scale):
    cost = np.array([1.0, 2.0, 2.5, 7.0])
    one = ms.RewardContest(cost, None, 1, 2).equilibrium(2.0)
    far = ms.RewardContest(scale * cost, None, 1, 2).equilibrium(2.0)
    np.testing.assert_allclose(far.epsilon * np.sqrt(scale), one.epsilon, rtol=1e-12)


def test_forced_floors_that_cost_a_fortune_do_not_blur_the_regret():
    """A floor's cost of 10^12 pools times rounding would look like a gain of 10^-4."""
    cost = np.exp(5.0 * np.random.default_rng(0).standard_normal(50))
    contest = ms.RewardContest(1e6 * cost, None, 1, 3, low=0.7, participation=False)
    found = contest.equilibrium(1e-6)
    assert found.utility.min() < -1e9
    assert found.regret <= 1e-16


def test_everybody_at_a_bound():
    floor = ms.RewardContest([1, 2, 3], None, 1, 1, low=5.0, participation=False).equilibrium(3.0)
    np.testing.assert_array_equal(floor.epsilon, [5, 5, 5])
    assert floor.at_low.all()
    assert floor.utility.min() < 0
    ceiling = ms.RewardContest([1, 2, 3], None, 1, 2, high=0.1).equilibrium(30.0)
    np.testing.assert_array_equal(ceiling.epsilon, [0.1, 0.1, 0.1])
    assert ceiling.at_high.all()
    np.testing.assert_allclose(ceiling.payment, [10, 10, 10], rtol=1e-14)


def test_the_play_of_others_reaches_a_regret():
    """Away from equilibrium the regret is what a grid finds, for those who stay out too."""
    contest = markets(5, 5, 1, 1.5, low=0.0, high=2.0)
    play = np.array([0.0, 0.3, 2.0, 0.001, 0.7])
    gains = contest.deviation_gains(play, 30.0)
    grid = np.linspace(0, 2.0, 400001)
    for owner in range(5):
        utilities = payoff_on_grid(contest, play, 30.0, owner, grid)
        here = payoff_on_grid(contest, play, 30.0, owner, play[[owner]])[0]
        assert gains[owner] == pytest.approx(utilities.max() - here, abs=1e-7)
    assert contest.regret(play, 30.0) == gains.max()
    assert gains.max() > 0.1


def test_who_contributes_alone_could_always_take_the_pool_for_less():
    contest = ms.RewardContest([1.0, 1.0])
    np.testing.assert_allclose(contest.deviation_gains([1.0, 0.0], 3.0)[0], 1.0)
    assert contest.best_response([1.0, 0.0], 3.0)[0] == 0.0
    assert contest.regret([0.0, 0.0], 3.0) == pytest.approx(3.0)
    np.testing.assert_array_equal(contest.payment([0.0, 0.0], 3.0), [0, 0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), "at least one owner"),
        ((3.0,), "last axis of owners"),
        (([[1.0, 2.0]],), "one number an owner"),
        (([1.0, 0.0],), "cost must be greater than 0"),
        (([1.0, np.nan],), "cost must not be NaN"),
        (([1.0, 2.0], [1.0]), "1 sizes for 2 costs"),
        (([1.0, 2.0], [1.0, -1.0]), "size must be greater than 0"),
        (([1.0, 2.0], None, 2, 1), "p must be at least q"),
        (([1.0, 2.0], None, 0, 1), "q must be greater than 0"),
        (([1.0, 2.0], None, [1, 1], 2), "one number each"),
        (([1.0, 2.0], None, 1, 1, 2.0, 1.0), "low must not exceed high"),
        (([1.0, 2.0], None, 1, 1, -1.0), "low must be at least 0"),
        (([1.0, 2.0], None, 1, 1, np.inf), "low must be finite"),
        (([1.0, 2.0], None, 1, 1, 0.0, [1.0, 2.0, 3.0]), "one for each of 2 owners"),
    ],
)
def test_bad_games_are_refused(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        ms.RewardContest(*arguments)


@pytest.mark.parametrize("pool", [0.0, -1.0, np.inf, np.nan, [1.0, 2.0]])
def test_bad_pools_are_refused(pool):
    with pytest.raises(InvalidInput, match="pool must"):
        ms.RewardContest([1.0, 2.0]).equilibrium(pool)


def test_one_owner_alone():
    with pytest.raises(InvalidInput, match="owner 0 is alone and takes the whole pool"):
        ms.RewardContest([1.0]).equilibrium(1.0)
    with pytest.raises(InvalidInput, match="owner 0 is alone"):
        ms.RewardContest([1.0]).closed_form(1.0)
    with pytest.raises(InvalidInput, match="owner 1 is alone"):
        ms.RewardContest([1.0, 2.0], None, 1, 2, high=[0.0, 3.0]).equilibrium(1.0)
    with pytest.raises(InvalidInput, match="ceiling is 0"):
        ms.RewardContest([1.0, 2.0], high=0.0).equilibrium(1.0)
    alone = ms.RewardContest([1.0], low=0.2).equilibrium(1.0)
    np.testing.assert_allclose(
        [alone.epsilon[0], alone.payment[0], alone.utility[0]], [0.2, 1, 0.8]
    )
    assert alone.regret == 0.0


def test_play_outside_the_rules_is_refused():
    contest = ms.RewardContest([1.0, 2.0], low=0.5, high=1.0)
    forced = ms.RewardContest([1.0, 2.0], low=0.5, high=1.0, participation=False)
    contest.utility([0.0, 1.0], 1.0)
    with pytest.raises(InvalidInput, match="epsilon of owner 0 must be within"):
        forced.utility([0.0, 1.0], 1.0)
    with pytest.raises(InvalidInput, match="epsilon of owner 1 must be within"):
        contest.regret([0.5, 1.5], 1.0)
    with pytest.raises(InvalidInput, match="each of 2 owners"):
        contest.payment([0.5], 1.0)
    with pytest.raises(InvalidInput, match="closed form holds for q = p without bounds"):
        contest.closed_form(1.0)
