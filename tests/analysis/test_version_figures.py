"""Figures of version markets: what is drawn equals small made-up tables."""

import json

import numpy as np
import pandas as pd
import pytest

from analysis import draw_figure, figure_names, load_run
from analysis.figures.version_arbitrage import found
from analysis.figures.version_misreports import gains
from analysis.figures.version_parts import label_ticks, reference, rule_text, rules_of, unswept
from analysis.figures.version_welfare import split
from market_sim.errors import ResultsError

LABELS = (0.1, 0.2, 0.4)
RULES = ("ideal", "fit", "complete-space")


def place(seed=0, pricing="fit", x_name="", x=np.nan, market="market"):
    return {
        "seed": seed, "market": market, "title": f"the {market}", "x_name": x_name, "x": x,
        "pricing": pricing,
    }  # fmt: skip


def season(seed, pricing, x_name, x):
    return place(seed, pricing, x_name, x) | {
        "round": 0, "trade": 1, "pool": 50.0, "paid": 50.0, "revenue": 100.0 + seed,
        "revenue_bound": 80.0, "revenue_limit": 200.0, "broker_profit": 50.0 + seed,
        "owner_utility": 20.0, "buyer_surplus": 40.0, "flat_revenue": 70.0, "flat_surplus": 30.0,
        "auction_profit": 45.0, "auction_owner_utility": 10.0, "auction_surplus": 38.0,
        "arbitrage_tried": 4 * (pricing == "ideal"), "arbitrage_worked": 2 * (pricing == "ideal"),
        "arbitrage_saved": 10.0 * (pricing == "ideal"), "accuracy": 0.9,
    }  # fmt: skip


def tables(x_name="", values=(np.nan,), seeds=(0, 1)):
    points = [(s, r, x) for s in seeds for r in RULES for x in values]
    versions = [
        place(s, r, x_name, x)
        | {
            "round": 0, "version": j, "label": label, "wanted": 10, "ideal_price": 5.0 * (j + 1),
            "price": 4.0 * (j + 1) if j < 2 else np.nan, "cone_low": 4.0 * j,
            "cone_high": 16.0 * j if j else np.nan, "accuracy": 0.5 + 0.1 * j + 0.01 * s,
        }
        for s, r, x in points for j, label in enumerate(LABELS)
    ]  # fmt: skip
    owners = [
        place(s, r, x_name, x)
        | {
            "round": 0, "owner": i, "kind": "liar" if i == 0 else "honest", "data_size": 30.0,
            "cost": 1.0 + i, "epsilon": 3.0 - i, "payment": 6.0 - 2 * i, "utility": 3.0 - i,
            "honest_utility": 2.0 if i == 0 else 3.0 - i,
        }
        for s, r, x in points for i in range(4)
    ]  # fmt: skip
    buyers = [
        place(s, r, x_name, x) | {"round": 0, "kind": ("honest", "arbitrageur")[i % 2]}
        for s, r, x in points for i in range(20)
    ]  # fmt: skip
    choices = [
        place(s, r, x_name, x)
        | {"versions": k, "pool": 20.0 * k, "cut": 0.8 - 0.1 * k, "expected_profit": 10.0 * k}
        for s, r, x in points for k in (1, 2)
    ]  # fmt: skip
    return {
        "version_markets": pd.DataFrame([season(s, r, x_name, x) for s, r, x in points]),
        "versions": pd.DataFrame(versions),
        "version_owners": pd.DataFrame(owners),
        "version_buyers": pd.DataFrame(buyers),
        "version_choices": pd.DataFrame(choices),
    }


@pytest.fixture
def write(tmp_path):
    def to(frames):
        for name, frame in frames.items():
            frame.to_parquet(tmp_path / f"{name}.parquet", index=False)
        manifest = {"format": 1, "experiment": "versions", "title": "t", "status": "complete"}
        (tmp_path / "manifest.json").write_text(json.dumps(manifest))
        return load_run(tmp_path)

    return to


def test_a_market_without_a_sweep_has_five_figures(write):
    run = write(tables())
    assert figure_names(run) == [
        "version-menu", "version-accuracy", "version-owners", "version-welfare",
        "version-arbitrage",
    ]  # fmt: skip
    for name in figure_names(run):
        assert draw_figure(name, run).axes


@pytest.mark.parametrize(
    ("swept", "figure"),
    [
        ("surveyed", "version-survey"),
        ("pool", "version-profit"),
        ("cut", "version-profit"),
        ("lie", "version-misreports"),
    ],
)
def test_a_sweep_has_its_figure(write, swept, figure):
    run = write(tables(swept, (0.5, 0.8)))
    assert figure in figure_names(run)
    assert draw_figure(figure, run).axes


@pytest.mark.parametrize("figure", ["version-survey", "version-profit", "version-misreports"])
def test_a_figure_of_a_sweep_says_what_it_lacks(write, figure):
    with pytest.raises(ResultsError, match="sweeps"):
        draw_figure(figure, write(tables()))


def test_the_menu_shows_prices_and_ideal_prices(write):
    figure = draw_figure("version-menu", write(tables()))
    axes = figure.axes[0]
    ideal, menu = axes.lines
    assert ideal.get_ydata().tolist() == [5.0, 10.0, 15.0]
    assert menu.get_ydata()[:2].tolist() == [4.0, 8.0]
    assert np.isnan(menu.get_ydata()[2])
    assert [a.get_title(loc="left") for a in figure.axes[:3]] == [
        "Eq. (26)",
        "complete price space",
        "ideal prices",
    ]


def test_revenue_is_a_share_of_the_limit(write):
    figure = draw_figure("version-survey", write(tables("surveyed", (20, 40))))
    assert np.allclose(figure.axes[0].lines[0].get_ydata(), 100 * 100.5 / 200)
    assert np.allclose(figure.axes[1].lines[0].get_ydata(), 40.0)


def test_the_split_of_the_gains(write):
    table = split(write(tables()).table("version_markets")).groupby("bar")[
        ["broker", "owners", "buyers"]
    ].mean()  # fmt: skip
    assert table.loc["Eq. (26)"].tolist() == [50.5, 20.0, 40.0]
    assert table.loc["same model, one flat price"].tolist() == [20.0, 20.0, 30.0]
    assert table.loc["same money in an auction"].tolist() == [45.0, 10.0, 38.0]


def test_a_loss_stands_left_of_zero(write):
    frames = tables()
    frames["version_markets"]["broker_profit"] = -5.0
    axes = draw_figure("version-welfare", write(frames)).axes[0]
    assert min(bar.get_x() + bar.get_width() for bar in axes.patches) == -5.0


def test_arbitrage_is_a_share_of_who_looked(write):
    frame = found(write(tables())).groupby("pricing")[["saw", "had", "saved"]].mean()
    assert frame.loc["ideal", ["saw", "had"]].tolist() == [40.0, 20.0]
    assert frame.loc["ideal", "saved"] == pytest.approx(100 * (10 / 100 + 10 / 101) / 2)
    assert frame.loc["fit"].tolist() == [0.0, 0.0, 0.0]


def test_no_arbitrageurs_no_figure(write):
    frames = tables()
    frames["version_buyers"]["kind"] = "honest"
    run = write(frames)
    assert "version-arbitrage" not in figure_names(run)
    with pytest.raises(ResultsError, match="looks for cheaper"):
        draw_figure("version-arbitrage", run)


def test_gains_of_lies_are_shares_of_the_honest_utility(write):
    table = gains(write(tables("lie", (0.5, 2.0))))
    assert set(table["kind"]) == {"liar"}
    assert np.allclose(table["percent"], 50.0)
    assert (table["gains"] == 100.0).all()


def test_the_best_choice_is_marked(write):
    axes = draw_figure("version-profit", write(tables("pool", (20.0, 60.0)))).axes[0]
    stars = [line for line in axes.lines if line.get_marker() == "*"]
    assert set(stars[0].get_xdata()) == {40.0}
    assert set(stars[0].get_ydata()) == {20.0}


def test_who_stays_out_is_drawn_hollow(write):
    figure = draw_figure("version-owners", write(tables()))
    assert "stays out" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_nothing_learned_is_said(write):
    frames = tables()
    frames["versions"]["accuracy"] = np.nan
    run = write(frames)
    assert "version-accuracy" not in figure_names(run)
    with pytest.raises(ResultsError, match="not trained"):
        draw_figure("version-accuracy", run)


def test_nobody_took_part(write):
    frames = tables()
    frames["version_owners"]["epsilon"] = 0.0
    run = write(frames)
    assert "version-owners" not in figure_names(run)
    with pytest.raises(ResultsError, match="never took part"):
        draw_figure("version-owners", run)


def test_rules_are_named_and_ordered():
    frame = pd.DataFrame({"pricing": ["own", "ideal", "fit"]})
    assert rules_of(frame) == ["fit", "ideal", "own"]
    assert rule_text("own") == "own"
    assert reference(frame) == "fit"
    assert reference(pd.DataFrame({"pricing": ["fit", "complete-space"]})) == "complete-space"


def test_only_the_first_value_of_a_sweep_is_left():
    frame = pd.DataFrame({"market": ["a", "a", "b"], "x": [2.0, 1.0, np.nan]})
    assert unswept(frame).index.tolist() == [1, 2]


def test_labels_that_are_near_are_written_once():
    from matplotlib.figure import Figure

    axes = Figure().add_subplot()
    label_ticks(axes, [0.1, 0.28, 0.29, 1.0])
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0.1", "0.28", "", "1"]
