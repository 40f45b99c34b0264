"""The reference results on utilities, fair payments, potential and mixed payments.

Those on equilibria and on the best share are checked where the solvers are tested.
"""

import json

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from market_sim.games import (
    AcquisitionGame,
    DPMeanEstimation,
    FederatedMeanEstimation,
    PotentialTable,
    fair_values,
)

FIG5_LEVELS = [2, 2, 2, 2, 1, 1, 1, 1, 1, 0]
FIG5_TYPES = [0, 1, 4, 5]  # one user of each type of the figure


@pytest.fixture(scope="module")
def reference(shared_reference):
    """Read cases by name; infinities are written as text."""
    cases = json.loads((shared_reference / "fair_value.json").read_text())["references"]
    return {case["id"]: case for case in cases}


def numbers(values):
    return np.array([float(value) for value in values])


def federated(inputs, **options):
    size = inputs["n"]
    return FederatedMeanEstimation(
        size, r2=inputs["r2"], s2=inputs["s2"], importance=inputs.get("a"), **options
    )


@pytest.mark.parametrize(
    "name", ["dp_utility_dp2_a", "dp_utility_dp2_c", "dp_utility_dp2_d", "dp_homog_n5"]
)
def test_dp_utilities(reference, name):
    case = reference[name]
    epsilon = numbers(case["inputs"]["eps"])
    value = DPMeanEstimation(epsilon.size).value(epsilon)
    assert value == pytest.approx(case["expected"]["U"], abs=case["tolerance"])


def test_dp_estimator_of_different_users(reference):
    case, level = reference["dp_hetero_n3"], reference["dp_hetero_n3_k"]
    epsilon = numbers(case["inputs"]["eps"])
    utility = DPMeanEstimation(3)
    expected, tolerance = case["expected"], case["tolerance"]
    assert utility.weights(epsilon) == pytest.approx(expected["w"], abs=tolerance)
    assert utility.noise_scale(epsilon) == pytest.approx(expected["b"], abs=tolerance)
    assert utility.risk(epsilon) == pytest.approx(expected["risk"], abs=tolerance)
    tolerance = level["tolerance"]
    assert utility.saturation(epsilon) == pytest.approx(level["expected"]["k"], abs=tolerance)
    assert utility.value(epsilon) == pytest.approx(level["expected"]["U"], abs=tolerance)


def test_theorem_1_with_two_users(reference):
    case = reference["thm1_n2"]
    result = fair_values(DPMeanEstimation(2), numbers(case["inputs"]["eps"]), platform=True)
    tolerance = case["tolerance"]
    assert result.platform == pytest.approx(case["expected"]["platform"], abs=tolerance)
    assert result.users == pytest.approx(case["expected"]["users"], abs=tolerance)


@pytest.mark.parametrize("method", ["auto", "subsets", "types"])
def test_both_theorems_with_three_users(reference, method):
    case = reference["thm12_dp_n3"]
    epsilon, tolerance = numbers(case["inputs"]["eps"]), case["tolerance"]
    one = fair_values(DPMeanEstimation(3), epsilon, True, method)
    two = fair_values(DPMeanEstimation(3), epsilon, method=method)
    assert one.utility == pytest.approx(case["expected"]["U"], abs=tolerance)
    assert one.platform == pytest.approx(case["expected"]["thm1_platform"], abs=tolerance)
    assert one.users == pytest.approx(case["expected"]["thm1_users"], abs=tolerance)
    assert two.users == pytest.approx(case["expected"]["thm2_users"], abs=tolerance)


def test_federated_errors_weights_and_utility(reference):
    case = reference["fl_emse_n6"]
    utility, levels = federated(case["inputs"]), case["inputs"]["rho"]
    assert utility.emse(levels) == pytest.approx(case["expected"], abs=case["tolerance"])
    case = reference["fl_weights_n6"]
    weights = utility.weights(levels)
    for user, row in case["expected"].items():
        assert weights[int(user)] == pytest.approx(row, abs=case["tolerance"])
    case = reference["fl_utility_n6"]
    assert utility.value(levels) == pytest.approx(case["expected"], abs=case["tolerance"])


@pytest.mark.parametrize("name", ["fl_edge_N2=0", "fl_edge_N1=1", "fl_edge_one_user"])
def test_federated_edge_cases(reference, name):
    case = reference[name]
    utility, levels = federated(case["inputs"]), case["inputs"]["rho"]
    expected, tolerance = case["expected"], case["tolerance"]
    assert utility.emse(levels) == pytest.approx(expected["emse"], abs=tolerance)
    assert utility.value(levels) == pytest.approx(expected["U"], abs=tolerance)


def test_utility_that_falls_and_payments_below_zero(reference):
    case = reference["fl_nonmonotone"]
    utility, expected = federated(case["inputs"]), case["expected"]
    values = utility.value([[1, 0, 0, 0], [1, 1, 0, 0]])
    assert values == pytest.approx([expected["U1000"], expected["U1100"]], abs=case["tolerance"])
    paid = fair_values(utility, [1, 1, 0, 0]).users
    assert paid == pytest.approx(expected["phi1100"], abs=case["tolerance"])
    case = reference["fl_negative_payment"]
    paid = fair_values(federated(case["inputs"]), case["inputs"]["rho"]).users
    assert paid == pytest.approx(case["expected"], abs=case["tolerance"])


@pytest.mark.parametrize("method", ["subsets", "types", "potential"])
@pytest.mark.parametrize("name", ["fig5a_left", "fig5a_centre"])
def test_figure_5a(reference, name, method):
    case = reference[name]
    result = fair_values(federated(case["inputs"]), case["inputs"]["rho"], method=method)
    assert result.utility == pytest.approx(case["expected"]["U"], abs=case["tolerance"])
    assert result.users[FIG5_TYPES] == pytest.approx(case["expected"]["phi"], abs=case["tolerance"])


@pytest.mark.parametrize("method", ["subsets", "types", "potential"])
@pytest.mark.parametrize("name", ["fig5b_star_user0_left", "fig5b_star_user4_left"])
def test_figure_5b(reference, name, method):
    case = reference[name]
    result = fair_values(federated(case["inputs"]), case["inputs"]["rho"], method=method)
    assert result.users[FIG5_TYPES] == pytest.approx(case["expected"], abs=case["tolerance"])


def test_potential_of_ten_users(reference):
    case = reference["potential_n10"]
    utility = federated(case["inputs"])
    levels = np.array(case["inputs"]["rho"])
    table = PotentialTable(utility, [0, 1, 2])
    counts = [
        [((utility.kinds == kind) & (levels == a)).sum() for a in range(3)] for kind in range(2)
    ]
    got = table.potential[table.index(counts)]
    assert got == pytest.approx(case["expected"], abs=case["tolerance"])
    game = AcquisitionGame(utility, np.zeros((10, 3)))
    assert game.potential(levels) == pytest.approx(case["expected"], abs=case["tolerance"])


def test_figure_6_is_an_equilibrium_exactly_on_its_interval(reference):
    case = reference["fig6_interval"]
    game = AcquisitionGame(federated(case["inputs"]), case["inputs"]["cost"])
    low, high = case["expected"]
    margin = 10 * case["tolerance"]
    for alpha, holds in (
        (low - margin, False),
        (low + margin, True),
        (high - margin, True),
        (high + margin, False),
    ):
        assert (game.deviation_gains(FIG5_LEVELS, alpha).max() <= 0) == holds
        assert (game.regret(FIG5_LEVELS, alpha) <= 0) == holds


def test_payments_against_a_mixture_of_five(reference):
    case = reference["gamma_n5"]
    users, epsilon = case["inputs"]["N"], case["inputs"]["eps"]
    game = AcquisitionGame(DPMeanEstimation(users), [[0, 0]] * users, level_values=(0, epsilon))
    private = np.array(case["inputs"]["p"], dtype=float)
    gamma = game.symmetric.payments(np.column_stack([private, 1 - private]))
    assert (gamma[:, 0] == 0).all()
    assert gamma[:, 1] == pytest.approx(case["expected"], abs=case["tolerance"])


@pytest.mark.parametrize("name", ["thm3_thresholds_n2", "thm3_thresholds_n5"])
def test_ends_of_the_mixed_payment(reference, name):
    case = reference[name]
    users = case["inputs"]["N"]
    game = AcquisitionGame(DPMeanEstimation(users), [[0, 0]] * users, level_values=(0, np.inf))
    coefficients, values = game.symmetric.coefficients, game.symmetric.values
    expected, tolerance = case["expected"], case["tolerance"]
    assert coefficients[-1] == pytest.approx(expected["gmin"], abs=tolerance)
    assert coefficients[0] == pytest.approx(expected["gmax"], abs=tolerance)
    assert values[-1] - values[-2] == pytest.approx(expected["cth"], abs=tolerance)


def test_mixed_payment_when_the_private_option_gives_data(reference):
    """The counterexample's largest payment for leaving privacy, all others private."""
    case = reference["thm3_counterexample"]
    game = AcquisitionGame(
        DPMeanEstimation(2),
        [[0, 0]] * 2,
        level_values=numbers(case["inputs"]["levels"]),
        private_gives=True,
    )
    low, high = game.symmetric.payments([1.0, 0.0])
    tolerance = case["tolerance"]
    assert high - low == pytest.approx(case["expected"]["gamma_max"], abs=tolerance)
    assert game.value([0, 0]) == pytest.approx(0.25, abs=tolerance)

    def margin(p):  # switch-off at max_p gamma(p) (1 - U(all private) / U(p))
        paid = game.symmetric.payments([p, 1 - p])
        worth = float(game.symmetric.value([p, 1 - p]))
        return float(paid[1] - paid[0]) * (1 - 0.25 / worth)

    best = minimize_scalar(lambda p: -margin(p), bounds=(0, 1), method="bounded")
    top = max(margin(0.0), -best.fun)
    assert top == pytest.approx(case["expected"]["switch_off"], abs=tolerance)


def test_symmetric_equilibrium_points_leave_no_gain(reference):
    case = reference["symNE_n3"]
    inputs = case["inputs"]
    game = AcquisitionGame(DPMeanEstimation(3), [[0, inputs["c"]]] * 3, level_values=(0, np.inf))
    private = case["expected"]
    regret = game.symmetric.regret([private, 1 - private], inputs["alpha"])
    assert regret == pytest.approx(0.0, abs=case["tolerance"])
    case = reference["symNE_3level"]
    inputs = case["inputs"]
    users = inputs["N"]
    utility = FederatedMeanEstimation([inputs["n"]] * users, r2=inputs["r2"], s2=inputs["s2"])
    game = AcquisitionGame(utility, [inputs["c"]] * users)
    regret = game.symmetric.regret(case["expected"], inputs["alpha"])
    assert regret == pytest.approx(0.0, abs=case["tolerance"])


@pytest.mark.parametrize("method", ["types", "owen"])
def test_a_hundred_users_of_four_types(reference, method):
    case = reference["shapley_n100"]
    inputs = case["inputs"]
    levels, size = (np.repeat(column, inputs["m"]) for column in zip(*inputs["types"], strict=True))
    utility = FederatedMeanEstimation(size, r2=inputs["r2"], s2=inputs["s2"])
    paid = fair_values(utility, levels, method=method, tolerance=1e-8).users
    first = np.cumsum([0, *inputs["m"][:-1]])
    assert paid[first] == pytest.approx(case["expected"], abs=case["tolerance"])
