"""The command `market-sim solve fair-value`: answers, JSON, and sentences for bad options."""

import json

import pytest
from typer.testing import CliRunner

from market_sim.errors import MarketSimError
from scenarios.cli import app


def solve(*arguments):
    return CliRunner().invoke(app, ["solve", "fair-value", *arguments])


def answer(*arguments):
    done = solve(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


@pytest.fixture(scope="module")
def reference(shared_reference):
    cases = json.loads((shared_reference / "fair_value.json").read_text())["references"]
    return {case["id"]: case for case in cases}


@pytest.mark.parametrize("cost", ["0.05", "0.1"])
def test_symmetric_play_of_five(reference, cost):
    known = reference[f"thm3_n5_c{cost}_epsinf"]
    found = answer("--users", "5", "--cost", cost, "--level", "inf", "--play", "symmetric")
    expected, tolerance = known["expected"], known["tolerance"]
    assert found["alpha"] == pytest.approx(expected["alpha"], abs=tolerance)
    assert found["value"] == pytest.approx(expected["value"], abs=tolerance)
    assert found["profile"][0] == pytest.approx(expected["p"], abs=tolerance)
    assert found["regret"] < 1e-12
    assert found["thresholds"]["c_th"] == pytest.approx(1 / 15)


def test_different_costs(reference):
    known = reference["hetero_c_n6"]
    found = answer("--cost", ",".join(map(str, known["inputs"]["c"])))
    for name in ("alpha", "value"):
        assert found[name] == pytest.approx(known["expected"][name], abs=known["tolerance"])
    assert sum(found["profile"]) == known["expected"]["k"]
    assert found["users"] == 6


def test_mixed_play_of_two(reference):
    known = reference["fig9_0.3_0.29"]
    found = answer("--cost", "0.3,0.29", "--play", "mixed")
    assert found["alpha"] == pytest.approx(known["expected"]["alpha"], abs=known["tolerance"])
    private = [row[0] for row in found["profile"]]
    assert private == pytest.approx(known["expected"]["pq"], abs=known["tolerance"])


@pytest.mark.parametrize(
    ("selection", "case"), [("optimistic", "fig7_hetero"), ("pessimistic", "fig7_robust_hetero")]
)
def test_federated_mean(reference, selection, case):
    known = reference[case]
    inputs = known["inputs"]
    columns = [",".join(str(row[level]) for row in inputs["cost"]) for level in (1, 2)]
    found = answer(
        *("--utility", "federated-mean", "--data-size", ",".join(map(str, inputs["n"]))),
        *("--s2", str(inputs["s2"]), "--r2", str(inputs["r2"]), "--selection", selection),
        *("--cost", columns[0], "--cost", columns[1]),
    )
    for name in ("alpha", "value"):
        assert found[name] == pytest.approx(known["expected"][name], abs=known["tolerance"])
    assert found["attained"] is (selection == "optimistic")


def test_people_read_lines():
    done = solve("--cost", "0.4", "--play", "symmetric")
    assert done.exit_code == 0
    assert "alpha*       0.75\n" in done.output
    assert "some share" in done.output
    assert "level 0 with 0.2, level inf with 0.8" in done.output
    assert "regret" in done.output
    assert "everyone shares up to c = 0.33333333" in done.output
    pure = solve("--users", "3", "--cost", "0.4")
    assert "at level inf" in pure.output
    limit = solve("--cost", "0.4", "--selection", "pessimistic")
    assert "approached, not reached" in limit.output
    mixed = solve("--cost", "0.3,0.29", "--play", "mixed")
    assert "user 2: level 0 with 0.103448" in mixed.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--cost", "x"], "--cost is 'x', expected a number"),
        (["--cost", "-1"], "--cost is -1.0, expected greater than or equal to 0"),
        (["--cost", "nan"], "--cost is nan, expected a finite number"),
        (["--cost", "1", "--cost", "2"], "--cost is given 2 times, expected once a level: 1"),
        (["--cost", "1,2,3", "--users", "2"], "--cost has 3 numbers, expected one, or one a user"),
        (["--cost", "1", "--level", "-2"], "--level is -2.0, expected greater than or equal to 0"),
        (["--cost", "1", "--users", "0"], "--users is 0, expected at least 1"),
        (["--cost", "1", "--utility", "x"], "--utility is x, expected 'dp-mean' or"),
        (["--cost", "1", "--play", "x"], "play must be one of"),
        (["--cost", "1", "--selection", "x"], "selection must be one of"),
        (["--cost", "1", "--data-size", "3"], "--data-size is for --utility federated-mean"),
        (["--cost", "1,2", "--play", "symmetric"], "symmetric play needs identical users"),
        (
            ["--utility", "federated-mean", "--level", "1", "--cost", "1", "--cost", "2"],
            "--level is for dp-mean",
        ),
        (
            [
                "--utility",
                "federated-mean",
                "--data-size",
                "1,2",
                "--users",
                "3",
                *2 * ["--cost", "1"],
            ],
            "expected no users = 3 beside 2 entries",
        ),
    ],
)
def test_bad_options_are_told_in_one_sentence(arguments, sentence):
    done = solve(*arguments)
    assert isinstance(done.exception, MarketSimError)
    assert sentence in str(done.exception)
    assert "\n" not in str(done.exception)


def test_three_ways_print_their_gaps():
    found = answer("--users", "20", "--cost", "0.02", "--play", "symmetric", "--three-ways")
    ways = found["three_ways"]
    agents = ways["plays"]["agents"]
    assert set(ways["gaps"]) == {"pure", "symmetric", "mean field"}
    for name, gaps in ways["gaps"].items():
        for measure, gap in gaps.items():
            assert gap == pytest.approx(agents[measure] - ways["plays"][name][measure])
    assert ways["plays"]["symmetric"]["value"] == pytest.approx(found["value"])
    assert agents["value"] == pytest.approx(ways["plays"]["pure"]["value"])
    text = solve("--users", "20", "--cost", "0.02", "--play", "symmetric", "--three-ways").output
    assert "agents less this" in text
    assert all(len(line) <= 80 for line in text.splitlines() if line.startswith(("agents", "pure")))
