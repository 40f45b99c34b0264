"""Names on figures, and lines that coincide."""

import pandas as pd
import pytest

from analysis.names import (
    budget_axis,
    budget_text,
    in_order,
    keep,
    merge_equal,
    middle,
    setting_text,
    shared_names,
    with_labels,
    with_lines,
    written,
)
from market_sim.errors import ResultsError


def test_known_names_are_written_out_and_unknown_ones_stay():
    assert written("all-in-critical") == "All-in (critical)"
    assert written("error-opt") == "ErrorOpt"
    assert written("my-own") == "my-own"
    assert written("murba-10") == "MURBA, M = 10"
    assert written("uniform-epsilon-2") == "uniform epsilon 2"
    assert written("uniform-epsilon-0.5") == "uniform epsilon 0.5"
    assert setting_text("low") == "low sensitivity"
    assert setting_text("default") == ""
    assert budget_axis("fixed") == "budget (money)"
    assert budget_axis("odd") == "budget (odd)"
    assert budget_text("fixed", 5.0) == "budget 5 (money)"


def test_labels_come_in_one_order_everywhere():
    labels = ["mine", "All-in (published)", "All-in (critical = singer)", "BiasOpt", "ErrorOpt"]
    assert in_order([*labels, "mine"]) == [
        "All-in (critical = singer)",
        "All-in (published)",
        "ErrorOpt",
        "BiasOpt",
        "mine",
    ]


def table_of(values):
    return pd.DataFrame(
        [
            {"mechanism": name, "x": x, "mean": value}
            for name, row in values.items()
            for x, value in enumerate(row)
        ]
    )


def test_mechanisms_that_agree_everywhere_become_one_line():
    table = with_labels(
        table_of(
            {
                "all-in-published": [1.0, 2.0],
                "all-in-critical": [1.0, 2.0 + 1e-15],
                "all-in-singer": [1.0, 2.1],
            }
        )
    )
    merged = merge_equal(table, "mechanism", ["x"], ["mean"])
    assert set(merged["mechanism"]) == {"All-in (critical = published)", "All-in (singer)"}
    assert len(merged) == 4


def test_lines_that_stop_early_are_not_merged():
    table = table_of({"a": [1.0, 2.0], "b": [1.0]})
    assert set(merge_equal(table, "mechanism", ["x"], ["mean"])["mechanism"]) == {"a", "b"}


def test_lines_are_named_by_what_varies_and_the_rest_is_said_once():
    frame = pd.DataFrame({"mechanism": ["a", "a"], "aggregator": ["p", "q"], "buyer": ["", ""]})
    columns = ["mechanism", "aggregator", "buyer"]
    assert with_lines(frame, columns)["line"].tolist() == ["p", "q"]
    assert shared_names(frame, columns) == "Mechanism: a. "
    assert with_lines(frame[:1], columns)["line"].tolist() == ["a"]
    assert shared_names(frame, ["aggregator"]) == ""


def test_a_value_that_is_not_there_lists_those_that_are():
    frame = pd.DataFrame({"setting": ["low", "high"]})
    assert len(keep(frame, {"setting": None})) == 2
    with pytest.raises(ResultsError, match="setting = 'mid'; there are high, low"):
        keep(frame, {"setting": "mid"})


@pytest.mark.parametrize(("values", "expected"), [([3, 1, 2], 2), ([4, 1, 1, 2], 2), ([1, 2], 1)])
def test_the_middle_level_is_one_of_the_levels(values, expected):
    assert middle(values) == expected
