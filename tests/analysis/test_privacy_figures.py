"""Figures of the privacy auction game: what is drawn equals small made-up tables."""

import json

import numpy as np
import pandas as pd
import pytest

from analysis import draw_figure, figure_names, load_run
from analysis.figures.purchase_money import shares
from analysis.figures.purchase_ratio import ratios
from market_sim.errors import ResultsError


def auctions(seeds=(0, 1), owners=(10, 100), budgets=(0.5,), linear=True):
    rows = []
    for seed in seeds:
        for size in owners:
            for budget in budgets:
                for place, name in enumerate(("pac", "proportional-share")):
                    rows.append(
                        {
                            "seed": seed, "setting": "uniform", "owners": size,
                            "budget_law": "per-owner", "budget": budget, "mechanism": name,
                            "aggregator": "error-opt", "profiles": 50,
                            "purchase_ratio_mean": 0.3 + 0.4 * place + 0.01 * seed,
                            "purchase_ratio_se": 0.02, "purchase_limit": 0.7,
                            "spent_share_mean": 0.8, "cost_mean": 0.3,
                            "owner_utility_mean": 0.1 if place else -0.1,
                        }
                    )  # fmt: skip
    frame = pd.DataFrame(rows)
    return frame if linear else frame.assign(purchase_ratio_mean=np.nan, purchase_limit=np.nan)


@pytest.fixture
def write(tmp_path):
    def to(frame):
        frame.to_parquet(tmp_path / "auctions.parquet", index=False)
        manifest = {"format": 1, "experiment": "auctions", "title": "t", "status": "complete"}
        (tmp_path / "manifest.json").write_text(json.dumps(manifest))
        return load_run(tmp_path)

    return to


def names_of(run):
    return [name for name in figure_names(run) if name.startswith("purchase")]


def test_each_sweep_has_its_figure(write):
    assert names_of(write(auctions())) == ["purchase-against-owners", "purchase-money"]
    run = write(auctions(owners=(10,), budgets=(0.5, 1.0)))
    assert names_of(run) == ["purchase-against-budget", "purchase-money"]
    assert names_of(write(auctions(linear=False))) == []


def test_the_ratio_and_its_limit_are_drawn(write):
    axes = draw_figure("purchase-against-owners", write(auctions())).axes[0]
    lines = {line.get_label(): line.get_ydata() for line in axes.lines}
    assert np.allclose(lines["PAC"], 0.305)
    assert np.allclose(lines["Proportional share"], 0.705)
    assert any(np.allclose(values, 0.7) for values in lines.values())


def test_the_middle_budget_is_shown_over_owners(write):
    figure = draw_figure("purchase-against-owners", write(auctions(budgets=(0.1, 0.5, 2.0))))
    assert "Budget 0.5" in figure.legends[0].get_title().get_text()
    figure = draw_figure("purchase-against-budget", write(auctions(budgets=(0.1, 0.5, 2.0))))
    assert np.allclose(figure.axes[0].lines[0].get_xdata(), [0.1, 0.5, 2.0])


def test_one_seed_has_the_interval_of_its_profiles():
    table = ratios(auctions(seeds=(0,)), ["mechanism", "owners"])
    assert np.allclose(table["high"] - table["mean"], 1.959964 * 0.02)


def test_the_parts_of_the_budget_add_up():
    table = shares(auctions())
    assert np.allclose(table.sum(axis=1), 1.0)
    assert table.loc["proportional-share"].tolist() == pytest.approx([0.6, 0.2, 0.2])
    assert table.loc["pac"].tolist() == pytest.approx([1.2, -0.4, 0.2])


def test_money_can_be_drawn_with_losses(write):
    axes = draw_figure("purchase-money", write(auctions())).axes[0]
    assert min(bar.get_x() + bar.get_width() for bar in axes.patches) == pytest.approx(-0.4)


def test_other_costs_have_no_such_figure(write):
    with pytest.raises(ResultsError, match="linear costs"):
        draw_figure("purchase-against-owners", write(auctions(linear=False)))


def test_ratios_that_owners_pay_for_are_marks_at_the_edge(write):
    frame = auctions()
    frame.loc[frame["mechanism"] == "pac", "purchase_ratio_mean"] = 6.0
    figure = draw_figure("purchase-against-owners", write(frame))
    edge = [line for line in figure.axes[0].lines if line.get_label() == "_infinite"]
    assert [line.get_xdata().tolist() for line in edge] == [[10.0, 100.0]]
    assert figure.axes[0].get_ylim()[1] < 1.0
    assert "upper edge" in figure.legends[0].get_title().get_text()


def test_bars_far_beyond_the_budget_are_cut(write):
    frame = auctions()
    frame.loc[frame["mechanism"] == "pac", ["cost_mean", "owner_utility_mean"]] = [3.0, -2.6]
    figure = draw_figure("purchase-money", write(frame))
    assert figure.axes[0].get_xlim() == (-1.2, 2.2)
    assert "go on" in figure.legends[0].get_title().get_text()
    near = draw_figure("purchase-money", write(auctions()))
    assert "go on" not in near.legends[0].get_title().get_text()
