"""Figures of bidding games, and of what privacy buys: what is drawn equals made-up tables."""

import json

import numpy as np
import pandas as pd
import pytest

from analysis import draw_figure, figure_names, load_run
from analysis.figures import bidding_collusion, bidding_crowds, privacy_utility
from market_sim.errors import ResultsError

RULES = ("first-price", "proportional-share")


def places(seeds=(1, 2), budgets=(0.5,)):
    for seed in seeds:
        for budget in budgets:
            for name in RULES:
                yield {
                    "seed": seed, "setting": "uniform", "owners": 10,
                    "budget_law": "per-owner", "budget": budget, "mechanism": name,
                }  # fmt: skip


def lies(where):
    return where["mechanism"] == "first-price"


def tables(**options):
    here = list(places(**options))
    return {
        "bidding": [
            where
            | {"ratio": 0.6 + 0.02 * where["seed"], "ratio_truthful": 1.0, "losing": 0.1}
            for where in here
        ],
        "bidding_strategies": [
            where | {"value": value, "bid": value + 0.2 * lies(where), "offered": 0.9}
            for where in here
            for value in (0.0, 0.5, 1.0)
        ],
        "bidding_collusion": [
            where
            | {
                "size": size, "profiles": 4, "gain_mean": 0.5 * size,
                "paired_gain_mean": 0.25 * size,
            }
            for where in here
            for size in (2, 3)
        ],
        "bidding_crowds": [
            where
            | {
                "play": "truth", "crowd": crowd, "regret": crowd**-0.5 if lies(where) else 1e-12,
                "regret_error": 1e-9,
            }
            for where in here
            for crowd in (10, 100, 1000)
        ],
    }  # fmt: skip


@pytest.fixture
def write(tmp_path):
    def to(content=None, experiment="bidding"):
        for name, rows in (content or tables()).items():
            frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows)
            frame.to_parquet(tmp_path / f"{name}.parquet", index=False)
        manifest = {"format": 1, "experiment": experiment, "title": "t", "status": "complete"}
        (tmp_path / "manifest.json").write_text(json.dumps(manifest))
        return load_run(tmp_path)

    return to


def test_a_run_has_the_figures_it_has_rows_for(write):
    every = ["bidding-strategies", "bidding-efficiency", "bidding-collusion", "bidding-crowds"]
    assert figure_names(write()) == every
    content = tables()
    for name in ("bidding_collusion", "bidding_crowds"):
        content[name] = pd.DataFrame(content[name]).iloc[:0]
    assert figure_names(write(content)) == every[:2]


def test_told_values_are_drawn_beside_the_diagonal(write):
    told, offered = draw_figure("bidding-strategies", write()).axes
    drawn = {line.get_label(): line.get_ydata() for line in told.lines}
    assert np.allclose(drawn["First price"], [0.2, 0.7, 1.2])
    assert np.allclose(drawn["Proportional share"], [0.0, 0.5, 1.0])
    diagonal = told.lines[-1]
    assert np.array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    assert np.allclose(offered.lines[0].get_ydata(), 0.9)


def test_the_middle_budget_is_shown_and_others_on_demand(write):
    from analysis.figures.bidding_strategies import draw

    run = write(tables(budgets=(0.1, 0.5, 2.0)))
    assert "budget 0.5" in draw(run).legends[0].get_title().get_text()
    assert "budget 2 " in draw(run, budget=2.0).legends[0].get_title().get_text()
    with pytest.raises(ResultsError, match=r"budget = 7"):
        draw(run, budget=7.0)


def test_efficiency_is_drawn_at_the_truth_and_in_equilibrium(write):
    bought, losing = draw_figure("bidding-efficiency", write()).axes
    dots = [line.get_xdata() for line in bought.lines if len(line.get_xdata()) == len(RULES)]
    assert any(np.allclose(values, 0.63) for values in dots)
    assert any(np.allclose(values, 1.0) for values in dots)
    assert np.allclose(losing.lines[-1].get_xdata(), 0.1)


def test_coalitions_gain_shares_of_all_the_money(write):
    shares = bidding_collusion.shares(write().table("bidding_collusion"))
    assert np.allclose(shares["gain_mean"], shares["size"] / 10)  # B = 5
    axes = draw_figure("bidding-collusion", write()).axes[0]
    drawn = [line.get_xdata() for line in axes.lines]
    for gain in (0.2, 0.1, 0.3, 0.15):
        assert any(np.shape(x) == (2,) and np.allclose(x, gain) for x in drawn)


def test_a_fixed_budget_is_all_the_money(write):
    frame = write().table("bidding_collusion").assign(budget_law="fixed", budget=2.0)
    shares = bidding_collusion.shares(frame)
    assert np.allclose(shares["gain_mean"], shares["size"] / 4)


def test_gains_against_the_number_of_owners_have_slopes(write):
    figure = draw_figure("bidding-crowds", write())
    line = next(line for line in figure.axes[0].lines if len(line.get_xdata()) == 3)
    assert np.allclose(line.get_ydata(), np.array([10, 100, 1000]) ** -0.5 / 0.5)
    assert "slope -0.50" in figure.legends[0].get_texts()[0].get_text()
    assert "Proportional share, truth" in figure.legends[0].get_title().get_text()


def test_noise_is_no_gain(write):
    frame = bidding_crowds.shares(write().table("bidding_crowds"))
    assert set(bidding_crowds.clear(frame)["line"]) == {"first-price, truth"}
    loud = frame.assign(regret_error=frame["regret"])
    assert bidding_crowds.clear(loud).empty


def test_ways_to_play_are_lines_of_their_own(write):
    content = tables()
    mean_field = [
        row | {"play": "mean field", "regret": row["crowd"] ** -1.0}
        for row in content["bidding_crowds"]
        if lies(row)
    ]
    figure = draw_figure("bidding-crowds", write(content | {
        "bidding_crowds": content["bidding_crowds"] + mean_field
    }))  # fmt: skip
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert [text.partition(" [")[0] for text in texts] == [
        "First price, truth: slope -0.50",
        "First price, mean field: slope -1.00",
    ]


def market(owners=True):
    rounds, people = [], []
    for seed in (1, 2):
        for name, levels in (
            ("pac", (1.0, 2.0)),
            ("uniform-epsilon", (1.0,)),
            ("no-privacy", (1.0,)),
        ):
            for level in levels:
                key = {
                    "seed": seed, "setting": "default", "budget_law": "fixed",
                    "budget_level": level, "mechanism": name, "aggregator": "var-opt",
                }  # fmt: skip
                sold = {"pac": 2 * level, "uniform-epsilon": 4.0, "no-privacy": np.inf}[name]
                for number in (0, 1):
                    quality = 0.5 + 0.1 * number + 0.1 * level
                    rounds.append(
                        key
                        | {
                            "round": number, "participants": 2, "epsilon_sold": sold,
                            "accuracy": quality, "balanced_accuracy": np.nan, "auc": np.nan,
                        }
                    )  # fmt: skip
                    spent = np.array([1.0, 3.0]) * level * (number + 1) if name == "pac" else sold
                    people += [
                        key | {"round": number, "privacy_spent": value}
                        for value in np.broadcast_to(spent, 2)
                    ]
    return {"rounds": rounds} | ({"owners": people} if owners else {})


def losses(frame):
    rows = frame[frame["mechanism"] == "PAC"].sort_values(["seed", "budget_level"])
    return rows["privacy"].tolist()


def test_quality_is_drawn_against_composed_losses(write):
    run = write(market(), "market")
    frame, composed = privacy_utility.points(run)
    assert composed
    assert losses(frame) == [4.0, 8.0, 4.0, 8.0]
    axes = draw_figure("privacy-utility", run).axes[0]
    line = next(line for line in axes.lines if line.get_label() == "PAC")
    assert np.allclose(line.get_xdata(), [4.0, 8.0])
    assert np.allclose(line.get_ydata(), [0.7, 0.8])


def test_without_owners_losses_are_summed(write):
    frame, composed = privacy_utility.points(write(market(owners=False), "market"))
    assert not composed
    assert losses(frame) == [2.0, 4.0, 2.0, 4.0]


def test_learning_without_privacy_is_a_level(write):
    figure = draw_figure("privacy-utility", write(market(), "market"))
    level = next(line for line in figure.axes[0].lines if list(line.get_xdata()) == [0, 1])
    assert np.allclose(level.get_ydata(), 0.7)
    assert "no privacy" in [text.get_text() for text in figure.legends[0].get_texts()]
