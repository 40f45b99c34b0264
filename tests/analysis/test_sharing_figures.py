"""Figures of markets for models: what is drawn equals small made-up tables."""

import json

import numpy as np
import pandas as pd
import pytest

from analysis import draw_figure, figure_names, load_run
from analysis.figures.sharing_comparison import last_round
from analysis.figures.sharing_liars import gains
from analysis.figures.sharing_parts import rules_of, variant_text, variants_of
from market_sim.errors import ResultsError

VARIANTS = (("ipfl", "published"), ("ipfl", "vcg"), ("local", "free"), ("fedavg", "free"))
KINDS = ("trader", "trader", "liar", "attacker")


def where(seed, method, rule, market="cluster"):
    return {"seed": seed, "market": market, "title": "three groups", "method": method, "rule": rule}


def tables(seeds=(0, 1), rounds=3, kinds=KINDS):
    points = [(s, m, r, t) for s in seeds for m, r in VARIANTS for t in range(rounds)]
    turns = [
        where(s, m, r)
        | {
            "round": t, "accuracy": 0.5 + 0.1 * t + 0.01 * s, "utility": 2.0,
            "inside_share": np.nan if m == "local" else 0.5 + 0.25 * t,
            "attacker_share": np.nan if m == "local" else 0.25 / (t + 1),
        }
        for s, m, r, t in points
    ]  # fmt: skip
    people = [
        where(s, m, r)
        | {
            "round": t, "participant": i, "kind": kind, "cluster": i % 2, "present": 1,
            "utility": 3.0 + (kind == "liar"), "honest_utility": 3.0 if m == "ipfl" else np.nan,
            "economic_utility": 3.0 * (t + 1) + i, "accuracy": 0.5 + 0.1 * t,
        }
        for s, m, r, t in points for i, kind in enumerate(kinds)
    ]  # fmt: skip
    edges = [
        where(s, m, r)
        | {
            "round": t, "seller": j, "buyer": 0, "price": float(j), "received": float(j),
            "status": "refused" if j == 3 else "traded",
        }
        for s, m, r, t in points if m == "ipfl" for j in (1, 2, 3)
    ]  # fmt: skip
    return {
        "sharing_rounds": pd.DataFrame(turns),
        "sharing_participants": pd.DataFrame(people),
        "sharing_edges": pd.DataFrame(edges),
    }


def incentives():
    rules = ("published", "vcg", "two_sided")
    place = [(s, r) for s in (0, 1) for r in rules]
    base = [
        {"seed": s, "market": "random", "title": "r", "rule": r, "graph": "g"} for s, r in place
    ]
    lies = [
        row
        | {
            "deviation": kind, "lie_share": 0.04 * (row["rule"] == "published"),
            "gain_share": 0.1 * (row["rule"] == "published"), "regret_mean": 0.5 * row["seed"],
        }
        for row in base for kind in ("lower cost", "higher cost")
    ]  # fmt: skip
    markets = [
        row
        | {"draw": d, "deficit": 1.0 * (row["rule"] == "two_sided"), "money": 4.0,
           "optimal_share": 1.0 - 0.1 * d}
        for row in base for d in range(3)
    ]  # fmt: skip
    edges = [
        row
        | {"draw": 0, "seller": 1, "buyer": b, "received": 2.0, "cost": 1.0 + 2.0 * b,
           "buyer_gain": 5.0, "buyer_spent": 2.0}
        for row in base for b in (0, 1)
    ]  # fmt: skip
    return {
        "incentives": pd.DataFrame(lies),
        "incentive_markets": pd.DataFrame(markets),
        "incentive_edges": pd.DataFrame(edges),
    }


@pytest.fixture
def write(tmp_path):
    def to(frames, experiment="sharing"):
        for name, frame in frames.items():
            frame.to_parquet(tmp_path / f"{name}.parquet", index=False)
        manifest = {"format": 1, "experiment": experiment, "title": "t", "status": "complete"}
        (tmp_path / "manifest.json").write_text(json.dumps(manifest))
        return load_run(tmp_path)

    return to


def drawn(axes):
    """Horizontal places of the points, without the caps of their intervals."""
    return [line.get_xdata()[0] for line in axes.lines if line.get_marker() not in ("|", "None")]


def test_a_market_with_everything_has_all_figures(write):
    run = write(tables())
    names = ["comparison", "rounds", "graph", "attackers", "liars"]
    assert figure_names(run) == [f"sharing-{name}" for name in names]
    for name in figure_names(run):
        assert draw_figure(name, run).axes


def test_figures_go_with_what_is_there(write):
    run = write(tables(kinds=("trader", "buyer")))
    assert figure_names(run) == ["sharing-comparison", "sharing-rounds", "sharing-graph"]


def test_means_are_of_the_last_round_without_attackers(write):
    rows = last_round(write(tables()).table("sharing_participants"))
    assert set(rows["round"]) == {2}
    assert set(rows["kind"]) == {"trader", "liar"}
    figure = draw_figure("sharing-comparison", write(tables()))
    points = drawn(figure.axes[0])
    assert points[0] == pytest.approx(9.0 + 1.0)


def test_curves_start_after_the_first_round(write):
    figure = draw_figure("sharing-rounds", write(tables()))
    line = figure.axes[0].lines[0]
    assert line.get_xdata().tolist() == [1.0, 2.0, 3.0]
    assert np.allclose(line.get_ydata(), [0.505, 0.605, 0.705])


def test_liars_gain_is_against_their_own_truth(write):
    people = write(tables()).table("sharing_participants")
    found = gains(people[people["method"] == "ipfl"])
    assert found["mean"].tolist() == [1.0, 1.0]


def test_the_graph_has_three_rounds_and_marks_refusals(write):
    figure = draw_figure("sharing-graph", write(tables(rounds=7)))
    titles = [axes.get_title(loc="left") for axes in figure.axes[:3]]
    assert titles == ["round 1", "round 4", "round 7"]
    marked = [c for c in figure.axes[0].collections if len(c.get_offsets()) == 1]
    assert any(np.allclose(c.get_facecolor()[0][:3], [0.7529, 0, 0], atol=0.01) for c in marked)


def test_no_market_chose_a_graph(write):
    frames = tables()
    frames = {name: frame[frame["method"] != "ipfl"] for name, frame in frames.items()}
    run = write(frames)
    assert "sharing-graph" not in figure_names(run)
    with pytest.raises(ResultsError, match="ipfl"):
        draw_figure("sharing-graph", run)


NOTHING = {"sharing-graph": "no imports", "incentive-rationality": "nobody imports anything"}


def said(figure):
    """All words inside the axes of a figure."""
    return [text.get_text() for axes in figure.axes for text in axes.texts]


@pytest.mark.parametrize(
    ("name", "frames", "table"),
    [
        ("sharing-graph", tables(), "sharing_edges"),
        ("incentive-rationality", incentives(), "incentive_edges"),
    ],
)
def test_a_market_without_trade_is_drawn_only_where_it_is_named(write, name, frames, table):
    experiment = "sharing" if name.startswith("sharing") else "incentives"
    run = write(frames | {table: frames[table].head(0)}, experiment)
    assert name not in figure_names(run)
    assert NOTHING[name] in said(draw_figure(name, run))


def test_only_baselines_trade(write):
    frames = tables()
    edges = frames["sharing_edges"].assign(method="fedavg", rule="free")
    run = write(frames | {"sharing_edges": edges})
    assert "sharing-graph" not in figure_names(run)
    assert said(draw_figure("sharing-graph", run)).count("no imports") == 3


def test_attackers_among_themselves(write):
    frames = tables(kinds=("attacker",) * 4)
    rounds = frames["sharing_rounds"].assign(accuracy=np.nan, utility=np.nan, inside_share=np.nan)
    rounds["attacker_share"] = np.nan
    run = write(frames | {"sharing_rounds": rounds})
    assert "all participants are attackers" in said(draw_figure("sharing-comparison", run))
    for name in figure_names(run):
        assert draw_figure(name, run).axes
    for name in ("sharing-rounds", "sharing-attackers"):
        assert "nothing to show" in said(draw_figure(name, run))


def test_a_market_without_liars_beside_one_with_another_rule(write):
    frames = tables()
    people = frames["sharing_participants"]
    honest = people.replace({"kind": {"liar": "trader"}}).assign(market="honest", title="honest")
    other = people[people["rule"] != "vcg"].assign(market="other", title="another")
    everyone = pd.concat([honest, people, other], ignore_index=True)
    figure = draw_figure("sharing-liars", write(frames | {"sharing_participants": everyone}))
    titles = [axes.get_title(loc="left") for axes in figure.axes[::2]]
    assert titles == ["three groups", "another"]
    assert [len(drawn(axes)) for axes in figure.axes[1::2]] == [4, 2]


def test_lies_need_a_market_and_a_figure_without_any_says_so(write):
    frames = tables()
    people = frames["sharing_participants"]
    run = write(frames | {"sharing_participants": people[people["method"] != "ipfl"]})
    assert "sharing-liars" not in figure_names(run)
    run = write(tables(kinds=("trader", "buyer")))
    assert "nobody lies" in said(draw_figure("sharing-liars", run))


def test_incentives_have_three_figures(write):
    run = write(incentives(), "incentives")
    assert figure_names(run) == ["incentive-rationality", "incentive-lies", "incentive-welfare"]
    for name in figure_names(run):
        assert draw_figure(name, run).axes


def test_shares_of_lies_are_percentages(write):
    figure = draw_figure("incentive-lies", write(incentives(), "incentives"))
    points = drawn(figure.axes[0])
    assert points == pytest.approx([4.0, 0.0, 0.0])


def test_losses_are_counted_in_words(write):
    figure = draw_figure("incentive-rationality", write(incentives(), "incentives"))
    note = figure.legends[0].get_title().get_text().replace("\n", " ")
    assert "Of 12 imports 6 pay the seller less" in note
    assert "of 12 buyers none pay more" in note


def test_deficits_are_shares_of_what_buyers_pay(write):
    figure = draw_figure("incentive-welfare", write(incentives(), "incentives"))
    dots = [line.get_xdata() for line in figure.axes[0].lines if line.get_marker() == "."]
    assert [set(values) for values in dots] == [{0.0}, {0.0}, {0.25}]


def test_variants_are_named_and_ordered():
    assert variant_text("ipfl", "two_sided") == "iPFL (two-sided)"
    assert variant_text("pfedgraph", "free") == "pFedGraph"
    assert variant_text("own", "barter") == "own (barter)"
    frame = pd.DataFrame({"variant": ["own", "Local", "iPFL (VCG)"], "rule": ["x", "free", "vcg"]})
    assert variants_of(frame) == ["iPFL (VCG)", "Local", "own"]
    assert rules_of(frame) == ["vcg"]
