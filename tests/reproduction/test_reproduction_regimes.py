"""Published and derived numbers on equilibria, the best share, thresholds and regimes."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from market_sim.games import AcquisitionGame, DPMeanEstimation, FederatedMeanEstimation
from market_sim.solvers import (
    basins,
    best_response,
    cost_map,
    equilibrium_interval,
    equilibrium_partitions,
    mixed_equilibria,
    optimal_alpha,
    optimal_alpha_unknown_costs,
    pure_equilibria,
    pure_regret,
    symmetric_equilibria,
    symmetric_thresholds,
)

FIGURE_6 = [2, 2, 2, 2, 1, 1, 1, 1, 1, 0]


@pytest.fixture(scope="module")
def case(shared_reference):
    cases = json.loads((shared_reference / "fair_value.json").read_text(encoding="utf-8"))
    found = {entry["id"]: entry for entry in cases["references"]}
    return lambda name: (found[name]["inputs"], found[name]["expected"], found[name]["tolerance"])


def figure_game(inputs: dict) -> AcquisitionGame:
    utility = FederatedMeanEstimation(inputs["n"], r2=inputs["r2"], s2=inputs["s2"])
    return AcquisitionGame(utility, inputs["cost"])


def mean_game(*cost: float, level: float = np.inf) -> AcquisitionGame:
    return AcquisitionGame(DPMeanEstimation(len(cost)), [[0.0, c] for c in cost], (0.0, level))


def test_figure_7b_optimistic(case):
    inputs, expected, tolerance = case("fig7_hetero")
    game = figure_game(inputs)
    best = optimal_alpha(game)
    assert_allclose(best.alpha, expected["alpha"], atol=tolerance)
    assert_allclose(best.value, expected["value"], atol=tolerance)
    assert_allclose(best.utility, expected["U"], atol=tolerance)
    large = np.array(inputs["n"]) == 100
    counts = [np.sum(best.profile[kind] == rho) for kind in (large, ~large) for rho in (1, 2)]
    assert counts == expected["partition"]
    partitions = equilibrium_partitions(game)
    assert len(set(partitions.partition.tolist())) == expected["ne_partitions"]
    assert best.regime == "some share"
    assert best.equilibrium.regret <= 1e-12


def test_figure_7b_pessimistic(case):
    inputs, expected, tolerance = case("fig7_robust_hetero")
    game = figure_game(inputs)
    robust = optimal_alpha(game, "pessimistic")
    assert_allclose(robust.value, expected["value"], atol=tolerance)
    assert_allclose(robust.alpha, expected["alpha"], atol=tolerance)
    assert not robust.attained
    assert min(e.value for e in pure_equilibria(game, robust.alpha)) < 33.0
    just_above = pure_equilibria(game, robust.alpha + 1e-7)
    assert_allclose(min(e.value for e in just_above), expected["value"], rtol=1e-6)


def test_figure_6_is_an_equilibrium_on_an_interval(case):
    inputs, expected, tolerance = case("fig6_interval")
    game = figure_game(inputs)
    assert_allclose(equilibrium_interval(game, inputs["rho"]), expected, atol=tolerance)
    for alpha in (expected[0] - 1e-6, expected[1] + 1e-6):
        assert pure_regret(game, inputs["rho"], alpha) > 0
    for alpha in (expected[0] + 1e-9, sum(expected) / 2, expected[1] - 1e-9):
        assert pure_regret(game, inputs["rho"], alpha) <= 0


def test_figure_7a(case):
    inputs, _, _ = case("fig7_hetero")
    game = figure_game({**inputs, "s2": 0.1, "r2": 100.0})
    best = optimal_alpha(game)
    assert_allclose(best.alpha, 0.003944, atol=5e-7)
    assert best.profile.tolist() == [1, 0, 0, 0, 1, 0, 0, 0, 0, 0]


def test_best_response_finds_the_bad_equilibrium(case):
    inputs, expected, _ = case("fig7_hetero")
    game = figure_game(inputs)
    alpha = optimal_alpha(game).alpha
    found = basins(game, alpha, starts=600, order="random", seed=0)
    assert game.counts(FIGURE_6).tolist() == found.counts[0].tolist()
    assert_allclose(found.share[0], 0.98, atol=0.02)
    assert_allclose((1 - alpha) * found.utility[0], 32.98, atol=0.005)
    assert (1 - alpha) * found.mean_utility() < 0.6 * expected["value"]
    assert best_response(game, alpha).strategy.tolist() == FIGURE_6
    dynamics = optimal_alpha(game, "dynamics")
    assert dynamics.value <= expected["value"] + 1e-9


@pytest.mark.parametrize("cost", ["0.2", "0.4", "0.6"])
def test_figure_8(case, cost):
    inputs, expected, tolerance = case(f"fig8_c{cost}")
    c = inputs["c"]
    best = optimal_alpha(mean_game(c, c), play="symmetric")
    assert_allclose(best.alpha, expected["alpha"], atol=tolerance)
    assert_allclose(best.value, expected["value"], atol=tolerance)
    assert_allclose(best.profile[0], expected["p"], atol=tolerance)
    assert best.equilibrium.regret <= 1e-14
    if c >= 1 / 3:
        lopsided = optimal_alpha(mean_game(c, c))  # the asymmetric pure equilibrium pays more
        assert_allclose([lopsided.alpha, lopsided.value], [1.5 * c, 2 / 3 - c], atol=1e-12)
        assert lopsided.value > best.value


def test_appendix_e_central_cell(case):
    inputs, expected, tolerance = case("appE_mixed")
    found = mixed_equilibria(mean_game(inputs["c1"], inputs["c2"]), inputs["alpha"])
    private = sorted(e.strategy[:, 0].tolist() for e in found)
    assert_allclose(private, sorted(expected), atol=tolerance)


@pytest.mark.parametrize("ratio1", ["low", "middle", "high"])
@pytest.mark.parametrize("ratio2", ["low", "middle", "high"])
def test_appendix_e_table(ratio1, ratio2):
    alpha, size = 0.9, {"low": 0.4, "middle": 0.6, "high": 0.7}  # c / alpha: 1/2 and 2/3 divide
    costs = alpha * size[ratio1], alpha * size[ratio2]
    found = {
        tuple(np.round(e.strategy[:, 0], 9)) for e in mixed_equilibria(mean_game(*costs), alpha)
    }
    table = {
        ("low", "low"): {(0, 0)},
        ("low", "middle"): {(0, 1)},
        ("low", "high"): {(0, 1)},
        ("middle", "low"): {(1, 0)},
        ("middle", "middle"): {(0, 1), (1, 0), (0.6, 0.6)},
        ("middle", "high"): {(0, 1)},
        ("high", "low"): {(1, 0)},
        ("high", "middle"): {(1, 0)},
        ("high", "high"): {(1, 1)},
    }
    assert found == table[ratio1, ratio2]


@pytest.mark.parametrize("name", ["fig9_0.3_0.1", "fig9_0.3_0.29"])
def test_figure_9(case, name):
    inputs, expected, tolerance = case(name)
    best = optimal_alpha(mean_game(inputs["c1"], inputs["c2"]), play="mixed")
    assert_allclose(best.value, expected["value"], atol=tolerance)
    assert_allclose(best.alpha, expected["alpha"], atol=tolerance)
    assert_allclose(best.profile[:, 0], expected["pq"], atol=tolerance)
    point = cost_map(DPMeanEstimation(2), [inputs["c1"]], [inputs["c2"]], play="mixed")
    assert_allclose([point.alpha[0, 0], point.value[0, 0]], [best.alpha, best.value], atol=1e-12)


@pytest.mark.parametrize("users", [2, 5])
def test_theorem_3_thresholds(case, users):
    _, expected, tolerance = case(f"thm3_thresholds_n{users}")
    found = symmetric_thresholds(mean_game(*[0.1] * users))
    assert_allclose(found.gamma_min, expected["gmin"], atol=tolerance)
    assert_allclose(found.gamma_max, expected["gmax"], atol=tolerance)
    assert_allclose(found.c_th, expected["cth"], atol=tolerance)
    assert_allclose(found.switch_off, expected["gmax"], atol=tolerance)
    for cost, regime in (
        (found.c_th - 1e-6, "everyone shares"),
        (found.c_th + 1e-6, "some share"),
        (found.switch_off - 1e-6, "some share"),
        (found.switch_off + 1e-6, "nobody is paid"),
    ):
        assert optimal_alpha(mean_game(*[cost] * users), play="symmetric").regime == regime


@pytest.mark.parametrize("name", ["thm3_n5_c0.05_epsinf", "thm3_n5_c0.1_epsinf"])
def test_theorem_3_optimum(case, name):
    inputs, expected, tolerance = case(name)
    best = optimal_alpha(mean_game(*[inputs["c"]] * inputs["N"]), play="symmetric")
    assert_allclose(best.alpha, expected["alpha"], atol=tolerance)
    assert_allclose(best.value, expected["value"], atol=tolerance)
    assert_allclose(best.profile[0], expected["p"], atol=tolerance)


def test_theorem_3_counterexample(case):
    _, expected, tolerance = case("thm3_counterexample")

    def game(cost: float) -> AcquisitionGame:
        return AcquisitionGame(
            DPMeanEstimation(2), [[0, cost]] * 2, (1.0, np.inf), private_gives=True
        )

    found = symmetric_thresholds(game(0.1))
    assert_allclose(found.switch_off, expected["switch_off"], atol=tolerance)
    assert_allclose(found.gamma_max, expected["gamma_max"], atol=tolerance)
    below = optimal_alpha(game(found.switch_off - 1e-5), play="symmetric")
    above = optimal_alpha(game(found.switch_off + 1e-5), play="symmetric")
    assert below.regime != "nobody is paid"
    assert (above.regime, above.alpha) == ("nobody is paid", 0.0)
    assert_allclose(above.value, 0.25, atol=1e-12)


def test_different_costs(case):
    inputs, expected, tolerance = case("hetero_c_n6")
    best = optimal_alpha(mean_game(*inputs["c"]))
    assert_allclose(best.value, expected["value"], atol=tolerance)
    assert_allclose(best.alpha, expected["alpha"], atol=tolerance)
    assert best.profile.sum() == expected["k"]


def test_symmetric_equilibrium_of_three_users(case):
    inputs, expected, tolerance = case("symNE_n3")
    found = symmetric_equilibria(mean_game(*[inputs["c"]] * 3), inputs["alpha"])
    assert len(found) == 1
    assert_allclose(found[0].strategy[0], expected, atol=tolerance)


def test_symmetric_equilibrium_of_three_levels(case):
    inputs, expected, tolerance = case("symNE_3level")
    utility = FederatedMeanEstimation([inputs["n"]] * inputs["N"], r2=inputs["r2"], s2=inputs["s2"])
    game = AcquisitionGame(utility, [inputs["c"]] * inputs["N"])
    found = symmetric_equilibria(game, inputs["alpha"])
    assert len(found) == 1
    assert_allclose(found[0].strategy, expected, atol=tolerance)


def test_unknown_costs():
    scipy_stats = pytest.importorskip("scipy.stats")
    best = optimal_alpha_unknown_costs(DPMeanEstimation(20), scipy_stats.uniform(0, 0.1), 20)
    assert_allclose(best.value, 0.632260, atol=5e-7)
    assert_allclose(best.alpha, 0.172905, atol=5e-5)
    rng = np.random.default_rng(0)
    known = [optimal_alpha(mean_game(*(0.1 * rng.random(20)))).value for _ in range(1500)]
    error = np.std(known) / np.sqrt(len(known))
    assert abs(np.mean(known) - 0.677216) < 4 * error
