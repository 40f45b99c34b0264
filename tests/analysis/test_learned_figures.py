"""Figures of learned auctions: what is drawn equals small made-up tables."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest

from analysis import draw_figure, figure_names, load_run
from analysis.figures import training_curves
from analysis.figures.attacks import strongest, zero_scale
from analysis.figures.panels import profiles_text
from analysis.figures.regret_tests import TABLE_1
from analysis.figures.training_curves import grouped, label_of
from analysis.names import written
from analysis.style import theme
from market_sim.errors import ResultsError

REGRET = {"all-in-critical": 0.04, "murba-10": 0.2, "sequential-menu": 0.0}
STRENGTHS = ((1, 10), (1, 100), (10, 200))


def attack_rows(settings=("low", "high"), budgets=(10.0,), seeds=(0, 1, 2), mechanisms=REGRET):
    """Rows of "attack": regret grows with the strength and the seed, the test sees a tenth."""
    rows = []
    for seed, setting, budget, name in itertools.product(seeds, settings, budgets, mechanisms):
        share = REGRET[name] * (1 + 0.1 * seed) * (2 if setting == "high" else 1)
        row = {
            "seed": seed,
            "setting": setting,
            "owners": 10,
            "budget_law": "fixed",
            "budget": budget,
            "mechanism": name,
            "aggregator": "error-opt",
            "profiles": 50,
            "gain_share": 0.5,
            "ir_violation_mean": 0.001 * share,
            "ir_violation_max": 0.01 * share,
            "no_winner": 0.0,
            "error_bound_mean": 4.0 + 10 * share + 0.1 * seed,
            "error_bound_se": 0.05,
        }
        tests = [("published", 1, 25, 0.1)] + [
            ("gradient", *s, s[0] * s[1] / 2000) for s in STRENGTHS
        ]
        for method, restarts, steps, part in tests if name == "murba-10" else [("exact", 0, 0, 1)]:
            found = share * part
            rows.append(
                row
                | {
                    "method": method,
                    "restarts": restarts,
                    "steps": steps,
                    "regret_mean": found / 10,
                    "regret_p95": found,
                    "regret_max": 2 * found,
                    "regret_share": found,
                }
            )
    return pd.DataFrame(rows)


def certificate_rows(seeds=(0, 1)):
    return pd.DataFrame(
        {
            "seed": seed,
            "setting": "low",
            "owners": 10,
            "budget_law": "fixed",
            "budget": 10.0,
            "mechanism": "murba-10",
            "radius": radius,
            "profiles": 3,
            "lower_mean": radius,
            "upper_mean": 2 * radius,
            "lower_max": radius,
            "upper_max": 2 * radius,
            "lower_share": radius * (1 + seed),
            "upper_share": 2 * radius * (1 + seed),
            "closed_share": 0.75,
            "boxes": 100,
        }
        for seed in seeds
        for radius in (0.01, 0.1)
    )


def training_rows(seeds=(0, 1), settings=("default",)):
    rows = []
    for seed, setting, iteration in itertools.product(seeds, settings, range(1, 11)):
        values = {
            "temperature": 1.0,
            "loss": 100.0 / iteration + seed,
            "error_bound": 5.0 - 0.1 * iteration + seed,
            "regret": 10.0 ** (-iteration / 2),
        }
        if iteration % 5 == 0:
            values["held_out_error_bound"] = 4.0 - 0.1 * iteration
            values["held_out_regret"] = 0.01 / iteration
        place = {"seed": seed, "setting": setting, "recipe": "murba", "iteration": iteration}
        rows += [place | {"measure": name, "value": value} for name, value in values.items()]
    return pd.DataFrame(rows)


@pytest.fixture
def make_run(tmp_path):
    """Return a function that writes tables and opens their run."""

    def make(experiment, **tables):
        folder = tmp_path / f"run-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        for name, frame in tables.items():
            frame.to_parquet(folder / f"{name}.parquet", index=False)
        manifest = {"format": 1, "experiment": experiment, "scenario": {}, "status": "complete"}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        return load_run(folder)

    return make


def render(figure, folder):
    with theme():
        figure.savefig(folder / "figure.png", dpi=40)


def note_of(figure):
    (legend,) = figure.legends
    return " ".join(legend.get_title().get_text().split())


def entries_of(figure):
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


def curves_of(axes):
    return [line for line in axes.get_lines() if len(line.get_xdata())]


def test_training_curves_are_means_over_seeds(make_run, tmp_path):
    run = make_run("training", training=training_rows())
    figure = draw_figure("training-curves", run)
    render(figure, tmp_path)
    labels = [axes.get_ylabel() for axes in figure.axes if axes.get_visible()]
    assert labels == [
        "error bound\n(squared gradient norm)",
        "regret\n(sum over owners)",
        "regret, held out\n(mean an owner)",
        "loss",
    ]
    error, regret, _, loss = figure.axes
    trained, held = curves_of(error)
    np.testing.assert_allclose(trained.get_ydata(), 5.5 - 0.1 * np.arange(1, 11))
    np.testing.assert_allclose(held.get_xdata(), [5, 10])
    assert regret.get_yscale() == "log"
    assert error.get_yscale() == "linear"
    np.testing.assert_allclose(curves_of(loss)[0].get_ydata(), 100 / np.arange(1, 11) + 0.5)
    assert entries_of(figure) == ["MURBA", "MURBA, held out"]
    assert note_of(figure) == (
        "Recipe: MURBA. Bands: 95 % intervals over 2 seeds. Throughout: temperature 1."
    )


def test_settings_are_lines_of_a_training(make_run):
    run = make_run("training", training=training_rows((0,), ("low", "high")))
    figure = draw_figure("training-curves", run)
    assert "high sensitivity" in entries_of(figure)
    assert "One seed." in note_of(figure)
    assert entries_of(training_curves.draw(run, setting="low"))[0] == "MURBA"
    with pytest.raises(ResultsError, match="setting = middle"):
        training_curves.draw(run, setting="middle")


def test_measures_have_panels_of_their_own_in_order():
    found = grouped(["x_rate", "held_out_regret", "regret", "held_out_error_bound", "loss"])
    assert list(found.values()) == [
        ["held_out_error_bound"],
        ["regret"],
        ["held_out_regret"],
        ["loss"],
        ["x_rate"],
    ]
    assert label_of("ir_multiplier") == "IR multiplier"


def test_the_strength_curve_is_the_tables(make_run, tmp_path):
    table = attack_rows()
    run = make_run("attack", attack=table)
    figure = draw_figure("attack-strength", run)
    render(figure, tmp_path)
    low, high = figure.axes
    assert [axes.get_title(loc="left") for axes in (low, high)] == [
        "low sensitivity",
        "high sensitivity",
    ]
    for axes, setting in ((low, "low"), (high, "high")):
        part = table[(table["setting"] == setting) & (table["mechanism"] == "murba-10")]
        means = part.assign(lies=part["restarts"] * part["steps"]).groupby(["method", "lies"])
        means = 100 * means["regret_share"].mean()
        curve = next(line for line in axes.get_lines() if len(line.get_xdata()) == 3)
        np.testing.assert_allclose(curve.get_xdata(), means["gradient"].index)
        np.testing.assert_allclose(curve.get_ydata(), means["gradient"])
        weak = [line for line in axes.get_lines() if line.get_label() == "_published"]
        points = [line.get_ydata()[0] for line in weak if len(line.get_ydata())]
        assert points == pytest.approx([means["published"][25]])
        levels = [line for line in axes.get_lines() if list(line.get_xdata()) == [10, 2000]]
        assert {len(set(line.get_ydata())) for line in levels} == {1}
        assert min(line.get_ydata()[0] for line in levels) == 0.0
    assert entries_of(figure) == ["All-in (critical)", "MURBA, M = 10", "SequentialMenu"]


def test_the_frontier_shows_the_strongest_attack_with_both_intervals(make_run, tmp_path):
    table = attack_rows(budgets=(1.0, 10.0))
    run = make_run("attack", attack=table)
    figure = draw_figure("frontier", run)
    render(figure, tmp_path)
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()]
    assert titles == [
        f"{setting} sensitivity\nbudget {budget} (money)"
        for setting in ("low", "high")
        for budget in (1, 10)
    ]
    axes = figure.axes[0]
    points = {
        tuple(np.round(line.get_xydata()[0], 9))
        for line in axes.get_lines()
        if line.get_xydata().size
    }
    expected = {
        (round(110 * share, 9), round(4.0 + 11 * share + 0.1, 9)) for share in REGRET.values()
    }
    assert expected <= points
    assert len([axes for axes in figure.axes if not axes.get_visible()]) == 2


def test_the_strongest_attack_is_no_published_test():
    table = attack_rows(("low",), seeds=(0,)).assign(lies=lambda t: t["restarts"] * t["steps"])
    weak = table.assign(lies=table["lies"].where(table["method"] != "published", 1e9))
    kept = strongest(weak)
    assert kept.set_index("mechanism")["method"].to_dict() == {
        "all-in-critical": "exact",
        "murba-10": "gradient",
        "sequential-menu": "exact",
    }
    assert kept.set_index("mechanism")["lies"]["murba-10"] == 2000


def test_the_tests_stand_beside_what_is_printed(make_run, tmp_path):
    run = make_run("attack", attack=attack_rows(("low",)))
    figure = draw_figure("regret-tests", run)
    render(figure, tmp_path)
    regret, rational = figure.axes
    filled = [
        line.get_xdata()[0]
        for line in regret.get_lines()
        if line.get_fillstyle() == "full" and len(line.get_xdata()) == 1
    ]
    printed = TABLE_1["MURBA, M = 10", "low"]
    assert filled == pytest.approx([printed.regret_mean, 0.0022, 0.022])
    opened = [line.get_xdata()[0] for line in regret.get_lines() if line.get_fillstyle() == "none"]
    assert opened == pytest.approx([printed.regret_max, 2 * 0.2 * 1.2 * 0.1, 2 * 0.2 * 1.2])
    losses = [
        line.get_xdata()[0] for line in rational.get_lines() if line.get_fillstyle() == "none"
    ]
    assert losses == pytest.approx([printed.ir_violation_max, 0.01 * 0.24])
    assert [text.get_text() for text in regret.get_yticklabels()] == ["MURBA, M = 10"]
    assert len(entries_of(figure)) == 3


def test_proved_bounds_lie_above_what_was_found(make_run, tmp_path):
    run = make_run("attack", attack=attack_rows(("low",)), certificates=certificate_rows())
    figure = draw_figure("certified-regret", run)
    render(figure, tmp_path)
    upper, lower = curves_of(figure.axes[0])
    np.testing.assert_allclose(upper.get_ydata(), [3.0, 30.0])
    np.testing.assert_allclose(lower.get_ydata(), [1.5, 15.0])
    np.testing.assert_allclose(upper.get_xdata(), [0.01, 0.1])
    assert "75 % of the owners closed" in note_of(figure)


def test_what_fits_an_attack_depends_on_what_was_attacked(make_run):
    every = make_run("attack", attack=attack_rows(), certificates=certificate_rows())
    names = ["regret-tests", "attack-strength", "frontier", "certified-regret"]
    assert figure_names(every) == names
    no_network = attack_rows(mechanisms=("all-in-critical",))
    assert figure_names(make_run("attack", attack=no_network)) == ["frontier"]
    training = make_run("training", training=training_rows())
    assert figure_names(training) == ["training-curves"]


def test_an_axis_reaches_zero():
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    zero_scale(axes, [0.0, 0.3, np.inf, np.nan])
    assert axes.get_xscale() == "symlog"
    assert [text.get_text() for text in axes.get_xticklabels()][:2] == ["0", "0.0001"]
    low, high = axes.get_xlim()
    assert low < 0
    assert high > 0.3
    zero_scale(axes, [0.0], "y")
    assert axes.get_yscale() == "linear"
    assert list(axes.get_yticks()) == [0]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("murba-15", "MURBA, M = 15"),
        ("murba", "MURBA"),
        ("murba-high", "murba-high"),
        ("other-3", "other-3"),
        ("sequential-menu", "SequentialMenu"),
    ],
)
def test_a_number_behind_a_known_name_is_its_number_of_options(name, text):
    assert written(name) == text


def possible(run_table):
    """Add the two rows of what full information makes possible to a table of auctions."""
    first = run_table[run_table["mechanism"] == run_table["mechanism"].iloc[0]]
    first = first[first["aggregator"] == first["aggregator"].iloc[0]]
    purchase = first.assign(
        mechanism="full-information", error_bound_mean=first["error_bound_mean"] * 0.6
    )
    proof = first.assign(
        mechanism="full-information-bound", error_bound_mean=first["error_bound_mean"] * 0.5
    )
    both = pd.concat([run_table, purchase, proof], ignore_index=True)
    return both.assign(aggregator="error-opt")


@pytest.fixture
def bounded(make_auctions):
    """A run of auctions that knows what is possible; every mechanism needs twice as much."""
    path = make_auctions(aggregators=("error-opt",), settings=("low",))
    table = possible(load_run(path).table("auctions"))
    table["ratio_to_possible"] = np.where(table["mechanism"] == "all-in-singer", 2.6, 2.0)
    table.to_parquet(path / "auctions.parquet")
    return load_run(path)


def test_what_is_impossible_is_shaded(bounded, tmp_path):
    figure = draw_figure("error-against-budget", bounded)
    render(figure, tmp_path)
    table = bounded.table("auctions")
    for axes, law in ((figure.axes[0], "fixed"), (figure.axes[2], "proportional")):
        part = table[table["budget_law"] == law].groupby(["mechanism", "budget"])
        means = part["error_bound_mean"].mean()
        shaded = next(c for c in axes.collections if "impossible" in c.get_label())
        top = shaded.get_paths()[0].vertices[:, 1].max()
        assert top == pytest.approx(means["full-information-bound"].max())
        line = next(line for line in axes.get_lines() if line.get_label() == "_possible")
        np.testing.assert_allclose(line.get_ydata(), means["full-information"])
    assert entries_of(figure) == [
        "All-in (critical)",
        "All-in (singer)",
        "impossible unless owners lose",
    ]


def test_ratios_are_the_tables_and_leave_the_bound_out(bounded, tmp_path):
    assert "ratio-to-possible" in figure_names(bounded)
    figure = draw_figure("ratio-to-possible", bounded)
    render(figure, tmp_path)
    heights = {
        line.get_label(): set(np.round(line.get_ydata(), 9))
        for line in figure.axes[0].get_lines()
        if line.get_label()[0] != "_"
    }
    assert heights == {"All-in (critical)": {2.0}, "All-in (singer)": {2.6}}
    assert figure.axes[0].get_ylabel() == "error bound\n(multiple of the least possible)"


def test_a_run_without_a_bound_has_no_ratio(make_auctions):
    path = make_auctions()
    assert "ratio-to-possible" not in figure_names(load_run(path))
    table = load_run(path).table("auctions").assign(ratio_to_possible=np.nan)
    table.to_parquet(path / "auctions.parquet")
    with pytest.raises(ResultsError, match="run its scenario with bound = true"):
        draw_figure("ratio-to-possible", load_run(path))


def test_many_mechanisms_of_one_aggregator_share_a_panel(make_auctions):
    names = tuple(f"rule-{letter}" for letter in "abcdefgh")
    path = make_auctions(mechanisms=names, aggregators=("error-opt",), settings=("low",))
    table = load_run(path).table("auctions")
    table["error_bound_mean"] *= 1 + table["mechanism"].map(names.index) / 10
    table.to_parquet(path / "auctions.parquet")
    figure = draw_figure("error-against-budget", load_run(path))
    assert len(entries_of(figure)) == 8
    assert len(figure.axes) == 2


def test_a_single_setting_leaves_no_comma_before_the_rounds(make_market):
    figure = draw_figure("accuracy-against-budget", load_run(make_market(settings=("default",))))
    titles = {axes.get_title(loc="left") for axes in figure.axes} - {""}
    assert titles == {"after 10 rounds"}


@pytest.mark.parametrize(("number", "text"), [(1, "1 profile"), (1000, "1,000 profiles")])
def test_profiles_are_counted_in_words(number, text):
    assert profiles_text([1, number]) == text
