"""Experiments "fair-value" and "platform": tables equal the reference results."""

import json

import pytest

from analysis import load_run
from market_sim.errors import ScenarioError
from scenarios.loading import load_scenario, validated
from scenarios.planes import map_rows
from scenarios.platform import changed, places, run_platform
from scenarios.run import resume_run, run_scenario
from scenarios.schemas import TABLES
from scenarios.studies import AxisConfig, StudyConfig, UsersConfig
from scenarios.units import plan

TYPES = [0, 1, 4, 5]  # one user of each type of Figure 5


@pytest.fixture(scope="module")
def reference(shared_reference):
    cases = json.loads((shared_reference / "fair_value.json").read_text())["references"]
    return {case["id"]: case for case in cases}


@pytest.fixture(scope="module")
def payments(tmp_path_factory):
    folder = run_scenario("fair-payments", out=tmp_path_factory.mktemp("runs") / "pay")
    return load_run(folder.path).table("payments")


@pytest.fixture(scope="module")
def equilibria(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "equilibria"
    folder = run_scenario(
        "fair-equilibria", {f"studies.{i}.starts": 40 for i in range(3)}, out=path
    )
    return load_run(folder.path)


@pytest.fixture(scope="module")
def regimes():
    scenario = load_scenario("fair-regimes")
    few = AxisConfig(parameter="cost", values=(0.2, 0.4, 0.6, 0.7))
    study = scenario.studies[0].model_copy(update={"x": few})
    scenario = scenario.model_copy(update={"studies": (study,)})
    return run_platform(scenario, plan(scenario)[0])


@pytest.mark.parametrize(("case", "name"), [("equal-apart", "left"), ("equal-noisy", "centre")])
def test_figure_5a(payments, reference, case, name):
    rows, known = payments[payments["case"] == case], reference[f"fig5a_{name}"]
    expected, tolerance = known["expected"], known["tolerance"]
    assert rows["payment"].iloc[TYPES].tolist() == pytest.approx(expected["phi"], abs=tolerance)
    assert rows["utility"].iloc[0] == pytest.approx(expected["U"], abs=tolerance)
    assert rows["payment"].sum() == pytest.approx(expected["U"], abs=1e-9)


@pytest.mark.parametrize(("case", "user"), [("star-1-apart", 0), ("star-5-apart", 4)])
def test_figure_5b(payments, reference, case, user):
    rows, known = payments[payments["case"] == case], reference[f"fig5b_star_user{user}_left"]
    found = rows["payment"].iloc[TYPES].tolist()
    assert found == pytest.approx(known["expected"], abs=known["tolerance"])
    assert rows["importance"].iloc[user] == 100.0


def test_payments_with_a_platform_and_random_presence():
    document = {
        "name": "two",
        "experiment": "fair-value",
        "payments": {
            "name": "both",
            "users": {"users": 2},
            "profile": [float("inf"), float("inf")],
            "platform": True,
        },
    }
    scenario = validated(document, "two.toml")
    from scenarios.fair_value import run_fair_value

    table = run_fair_value(scenario, plan(scenario)[0])["payments"]
    assert table["platform_payment"] == pytest.approx(5 / 9)
    assert table["payment"].tolist() == pytest.approx([2 / 9, 2 / 9])
    assert set(table) == set(TABLES["payments"])


def test_figure_7_and_its_robust_share(equilibria, reference):
    table = equilibria.table("optima", where={"study": "apart"}).set_index("selection")
    known, robust = reference["fig7_hetero"], reference["fig7_robust_hetero"]
    best = table.loc["optimistic"]
    for name in ("alpha", "value"):
        assert best[name] == pytest.approx(known["expected"][name], abs=known["tolerance"])
        worst = table.loc["pessimistic"][name]
        assert worst == pytest.approx(robust["expected"][name], abs=robust["tolerance"])
    assert best["utility"] == pytest.approx(known["expected"]["U"], abs=known["tolerance"])
    assert (table["regret"] <= 1e-12).all()
    assert (best["attained"], table.loc["pessimistic"]["attained"]) == (1, 0)


def test_figure_7a(equilibria):
    table = equilibria.table("optima", where={"study": "very-noisy"}).set_index("selection")
    assert table.loc["optimistic"]["alpha"] == pytest.approx(0.003944, abs=1e-6)
    counts = json.loads(table.loc["optimistic"]["profile"])
    assert counts == [[8, 0, 0], [0, 2, 0]]  # only the two with 100 samples, at level 1


def test_the_partitions_and_the_profile_of_figure_6(equilibria, reference):
    table = equilibria.table("partitions", where={"study": "apart"})
    known = reference["fig6_interval"]
    followed = table[table["followed"] == 1].iloc[0]
    ends = [followed["left"], followed["right"]]
    assert ends == pytest.approx(known["expected"], abs=known["tolerance"])
    others = table[table["followed"] == 0]
    assert others["counts"].nunique() == reference["fig7_hetero"]["expected"]["ne_partitions"]
    assert (others["left"] <= others["right"]).all()
    kept = (1 - others["left"]) * others["utility"]
    assert kept.max() == pytest.approx(reference["fig7_hetero"]["expected"]["value"], abs=1e-8)


def test_where_dynamics_end_is_mostly_worse(equilibria):
    ends = equilibria.table("ends", where={"study": "apart"})
    assert ends["share"].sum() == pytest.approx(1.0)
    most = ends.iloc[0]
    assert most["share"] > 0.8
    assert most["value"] == pytest.approx(32.98, abs=0.005)
    assert most["promised"] == pytest.approx(64.057, abs=0.001)


@pytest.mark.parametrize("cost", ["0.2", "0.4", "0.6"])
def test_figure_8(regimes, reference, cost):
    table, known = regimes["optima"], reference[f"fig8_c{cost}"]
    rows = [i for i, x in enumerate(table["x"]) if x == float(cost)]
    row = next(i for i in rows if table["play"][i] == "symmetric")
    expected, tolerance = known["expected"], known["tolerance"]
    assert table["alpha"][row] == pytest.approx(expected["alpha"], abs=tolerance)
    assert table["value"][row] == pytest.approx(expected["value"], abs=tolerance)
    assert table["private"][row] == pytest.approx(expected["p"], abs=tolerance)
    asymmetric = next(i for i in rows if table["play"][i] == "pure")
    c = float(cost)
    assert table["value"][asymmetric] == pytest.approx(max(1 - 2 * c, 2 / 3 - c))


def test_thresholds_and_regimes_of_two_users(regimes):
    assert regimes["thresholds"]["c_th"] == pytest.approx([1 / 3] * 4)
    assert regimes["thresholds"]["switch_off"] == pytest.approx([2 / 3] * 4)
    table = regimes["optima"]
    symmetric = [
        r for r, play in zip(table["regime"], table["play"], strict=True) if play != "pure"
    ]
    assert symmetric == ["everyone shares", "some share", "some share", "nobody is paid"]


def small_map(name, parameters, x, y, users):
    axes = [AxisConfig(parameter=p, values=v) for p, v in zip(parameters, (x, y), strict=True)]
    play = {"cost": "symmetric", "cost_1": "mixed", "s2": "pure"}[parameters[0]]
    return StudyConfig(name=name, users=users, x=axes[0], y=axes[1], plays=(play,), regret=False)


def test_figure_9(reference):
    for case in ("fig9_0.3_0.1", "fig9_0.3_0.29"):
        known = reference[case]
        costs = known["inputs"]
        study = small_map(
            "nine", ("cost_1", "cost_2"), (costs["c1"],), (costs["c2"],), UsersConfig(users=2)
        )
        (row,) = map_rows(study)[0]
        for name in ("alpha", "value"):
            assert row[name] == pytest.approx(known["expected"][name], abs=known["tolerance"])


@pytest.mark.parametrize(
    ("parameters", "x", "y", "users"),
    [
        (("cost", "users"), (0.02, 0.1, 0.5), (2.0, 5.0), UsersConfig(users=2)),
        (("cost_1", "cost_2"), (0.1, 0.35, 0.7), (0.2, 0.45), UsersConfig(users=2)),
        (
            ("s2", "r2"),
            (0.5, 20.0),
            (1.0, 3.0),
            UsersConfig(
                utility="federated-mean", data_size=(50, 5, 5), costs=((0.0, 0.02, 0.3),) * 3
            ),
        ),
    ],
)
def test_maps_equal_point_by_point_solutions(parameters, x, y, users):
    study = small_map("map", parameters, x, y, users)
    rows, _ = map_rows(study)
    slow = study.model_copy(update={"regret": True})
    document = {"name": "m", "experiment": "platform", "studies": slow.model_dump()}
    scenario = validated(document, "m.toml")
    table = run_platform(scenario, plan(scenario)[0])["optima"]
    assert len(rows) == len(table["alpha"]) == len(x) * len(y)
    for name in ("x", "y", "alpha", "value", "private"):
        assert [row[name] for row in rows] == pytest.approx(table[name], abs=1e-7), name
    assert [row["regime"] for row in rows] == table["regime"]
    assert max(table["regret"]) < 1e-9


def test_thresholds_of_a_map_over_users(reference):
    study = small_map("map", ("cost", "users"), (0.1,), (2.0, 5.0), UsersConfig(users=2))
    lines = map_rows(study)[1]
    for line, users in zip(lines, (2, 5), strict=True):
        known = reference[f"thm3_thresholds_n{users}"]["expected"]
        assert (line["axis"], line["at"]) == ("users", users)
        assert line["c_th"] == pytest.approx(known["cth"], abs=1e-9)
        assert line["switch_off"] == pytest.approx(known["gmax"], abs=1e-9)


def test_not_knowing_costs_has_its_published_price():
    document = {
        "name": "unknown",
        "experiment": "platform",
        "studies": {
            "name": "unknown",
            "users": {"users": 20},
            "x": {"parameter": "cost_bound", "values": [0.1]},
            "draws": 200,
        },
    }
    scenario = validated(document, "unknown.toml")
    table = run_platform(scenario, plan(scenario)[0])["optima"]
    assert table["selection"] == ["unknown costs", "known costs"]
    assert table["value"][0] == pytest.approx(0.632260, abs=1e-6)
    assert table["alpha"][0] == pytest.approx(0.172905, abs=1e-4)  # the value is flat around it
    assert abs(table["value"][1] - 0.677216) < 4 * table["value_se"][1]
    assert table["value_se"][0] == 0.0


def test_a_platform_run_resumes_to_the_same_bytes(tmp_path, monkeypatch, tables):
    changes = {f"studies.{place}.starts": 5 for place in range(3)}
    whole = run_scenario("fair-equilibria", changes, out=tmp_path / "whole")
    from scenarios import execution

    calls = []

    def stop(scenario, unit, path, log=None, real=execution.run_unit):
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(unit)
        real(scenario, unit, path)

    with monkeypatch.context() as patch:
        patch.setattr(execution, "run_unit", stop)
        with pytest.raises(KeyboardInterrupt):
            run_scenario("fair-equilibria", changes, out=tmp_path / "cut")
    resumed = resume_run(tmp_path / "cut")
    assert resumed.status == "complete"
    assert tables(resumed.path) == tables(whole.path)


def test_groups_of_users_get_their_costs():
    users = UsersConfig(users=5)
    users = changed(changed(users, "cost_1", 0.1), "cost_2", 0.4)
    assert [row[1] for row in users.costs] == [0.1, 0.1, 0.1, 0.4, 0.4]
    scaled = changed(users, "cost_scale", 2.0)
    assert [row[1] for row in scaled.costs] == [0.2, 0.2, 0.2, 0.8, 0.8]
    assert changed(users, "cost", 0.3).costs == ((0.0, 0.3),)
    assert changed(users, "s2", 4.0).s2 == 4.0
    assert changed(UsersConfig(), "users", 7.0).number == 7


def test_axes_are_even_or_by_ratio():
    even = AxisConfig(parameter="cost", low=0.0, high=1.0, points=3)
    assert even.grid == (0.0, 0.5, 1.0)
    ratio = AxisConfig(parameter="s2", low=1.0, high=100.0, points=3, scale="log")
    assert ratio.grid == pytest.approx((1.0, 10.0, 100.0))
    whole = AxisConfig(parameter="users", low=2, high=4, points=9)
    assert whole.grid == (2.0, 3.0, 4.0)
    study = StudyConfig(name="s", x=even, y=whole)
    assert len(list(places(study))) == 9


def fair(**entry):
    return {"name": "f", "experiment": "fair-value", "payments": {"name": "p"} | entry}


def platform(**entry):
    return {"name": "f", "experiment": "platform", "studies": {"name": "s"} | entry}


AXIS = {"parameter": "cost", "values": [0.1]}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"name": "f", "experiment": "platform"}, r"a list \[\[studies\]\]"),
        (platform() | {"experiment": "fair-value"}, r"a list \[\[payments\]\]"),
        (platform() | {"budget": {"levels": [1]}}, r"no \[\[budget\]\]"),
        (fair(users={"users": 2}, profile=[1]), "a profile of 2 levels"),
        (fair(users={"users": 1}, profile=[1]) | {"seeds": 2}, "one seed"),
        (platform(users={"utility": "federated-mean"}), "a list data_size"),
        (platform(users={"data_size": [1, 2]}), "no data_size"),
        (platform(users={"users": 3, "costs": [[0, 1], [0, 2]]}), "one entry of costs a user"),
        (platform(x={"parameter": "cost"}), "either a list of values"),
        (platform(x={"parameter": "cost", "points": 3}), "low and high"),
        (platform(x={"parameter": "users", "values": [2.5]}), "whole numbers of users"),
        (platform(x=AXIS, y=AXIS), "different parameters"),
        (platform(y=AXIS), "an axis x"),
        (platform(x=AXIS, starts=3), "no axis beside partitions or starts"),
        (platform(regret=False), "where regret is left out"),
        (platform(selections=["best"]), "expected 'optimistic', 'pessimistic' or 'dynamics'"),
        (platform(usr={}), "unknown key 'studies.0.usr'; did you mean 'users'"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(document, words):
    with pytest.raises(ScenarioError, match=words) as caught:
        validated(document, "f.toml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("costs = [[0.0, 1.0, 2.0]]", "studies.s: a row of costs has 3 numbers"),
        ("costs = [[0.5, 1.0]]", "studies.s: the most private level costs nothing"),
        ("level_values = [0.0, 2.0]\nusers = 1", None),
        ("level_values = [2.0, 1.0]", "studies.s: level_values must ascend"),
    ],
)
def test_users_who_cannot_play_are_refused_before_anything_runs(tmp_path, text, words):
    file = tmp_path / "odd.toml"
    head = 'experiment = "platform"\n[[studies]]\nname = "s"\n[studies.users]\n'
    file.write_text(head + text)
    if words is None:
        assert load_scenario(file).studies[0].users.number == 1
        return
    with pytest.raises(ScenarioError, match=f"odd.toml: {words}"):
        load_scenario(file)


def test_scenarios_without_an_auction_have_no_mechanism_to_audit():
    from scenarios.audits import audit_targets

    with pytest.raises(ScenarioError, match="fair-payments holds no auction"):
        audit_targets(["fair-payments"])
