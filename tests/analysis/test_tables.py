"""Means, intervals over seeds against scipy, and tables as text."""

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis import mean_interval, to_csv, to_latex, to_text
from analysis.tables import half_width
from market_sim.errors import ResultsError

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False, width=32)
SAMPLES = st.lists(NUMBERS, min_size=2, max_size=12)


def frame_of(samples):
    return pd.DataFrame(
        [
            {"seed": seed, "mechanism": name, "value": value}
            for name, values in samples.items()
            for seed, value in enumerate(values)
        ]
    )


@given(first=SAMPLES, second=SAMPLES, level=st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_intervals_are_those_of_scipy(first, second, level):
    table = mean_interval(
        frame_of({"a": first, "b": second}), ["mechanism"], "value", level=level
    ).set_index("mechanism")
    for name, values in {"a": first, "b": second}.items():
        row = table.loc[name]
        mean, error = np.mean(values), stats.sem(values)
        assert row["n"] == len(values)
        assert row["mean"] == pytest.approx(mean, rel=1e-9, abs=1e-6)
        if error > 1e-9 * (1 + abs(mean)):
            low, high = stats.t.interval(level, len(values) - 1, loc=mean, scale=error)
            assert [row["low"], row["high"]] == pytest.approx([low, high], rel=1e-6, abs=1e-6)


@given(SAMPLES, st.randoms())
def test_the_order_of_rows_does_not_matter(values, random):
    frame = frame_of({"a": values})
    order = list(range(len(frame)))
    random.shuffle(order)
    mixed = mean_interval(frame.iloc[order], ["mechanism"], "value")
    tidy = mean_interval(frame, ["mechanism"], "value")
    pd.testing.assert_frame_equal(mixed, tidy, rtol=1e-9, atol=1e-3)


def test_rows_of_one_seed_are_averaged_before_they_count():
    frame = pd.DataFrame({"seed": [0, 0, 0, 1], "value": [1.0, 2.0, 3.0, 10.0]})
    (row,) = mean_interval(frame, [], "value").to_dict("records")
    assert (row["n"], row["mean"]) == (2, 6.0)
    assert row["high"] - row["mean"] == pytest.approx(stats.t.ppf(0.975, 1) * 4)


def test_one_seed_has_a_mean_and_no_interval():
    (row,) = mean_interval(frame_of({"a": [3.0]}), ["mechanism"], "value").to_dict("records")
    assert (row["n"], row["mean"], row["infinite"]) == (1, 3.0, 0.0)
    assert np.isnan(row["low"])
    assert np.isnan(row["high"])


def test_infinite_values_are_counted_and_not_averaged():
    frame = frame_of({"some": [1.0, np.inf, 3.0, np.inf], "all": [np.inf, np.inf]})
    table = mean_interval(frame, ["mechanism"], "value").set_index("mechanism")
    assert table.loc["some", ["n", "mean", "infinite"]].tolist() == [2, 2.0, 0.5]
    assert table.loc["all", ["n", "mean", "infinite"]].tolist() == [0, np.inf, 1.0]
    assert np.isnan(table.loc["all", "low"])


def test_nan_is_no_observation():
    frame = frame_of({"some": [1.0, np.nan, 3.0], "none": [np.nan, np.nan]})
    table = mean_interval(frame, ["mechanism"], "value").set_index("mechanism")
    assert table.loc["some", ["n", "mean", "infinite"]].tolist() == [2, 2.0, 0.0]
    assert table.loc["none", "n"] == 0
    assert np.isnan(table.loc["none", "mean"])


@pytest.mark.parametrize("name", ["deviation", "count", "infinite_", "_value_"])
def test_a_group_may_have_any_name(name):
    frame = frame_of({"a": [1.0, 2.0]}).rename(columns={"mechanism": name})
    assert mean_interval(frame, [name], "value")[name].tolist() == ["a"]


def test_missing_columns_and_empty_frames_are_refused():
    frame = frame_of({"a": [1.0]})
    with pytest.raises(ResultsError, match="lacks column 'color', 'price'"):
        mean_interval(frame, ["color"], "price")
    with pytest.raises(ResultsError, match="no rows"):
        mean_interval(frame.iloc[:0], ["mechanism"], "value")


@pytest.mark.parametrize("level", [0.0, 1.0, 95])
def test_a_level_that_is_no_probability_is_refused(level):
    with pytest.raises(ResultsError, match="expected between 0 and 1"):
        half_width([1.0], [3], level)


def test_text_is_aligned_and_joins_the_interval():
    table = mean_interval(frame_of({"a": [1.0, 3.0], "bb": [2.0]}), ["mechanism"], "value")
    lines = to_text(table).splitlines()
    assert lines[0].split("  ")[0].strip() == "mechanism"
    assert "95 % interval" in lines[0]
    assert "[-10.71, 14.71]" in lines[2]
    assert lines[3].split() == ["bb", "1", "2", "-", "0"]


def test_latex_is_escaped_and_whole():
    table = pd.DataFrame({"name_of": ["50 % & more", "a\\b"], "value": [0.123456, 2.0]})
    text = to_latex(table, digits=3)
    assert "\\begin{tabular}{lr}" in text
    assert "name\\_of & value \\\\" in text
    assert "50 \\% \\& more & 0.123 \\\\" in text
    assert "a\\textbackslash{}b & 2 \\\\" in text
    assert text.endswith("\\bottomrule\n\\end{tabular}\n")


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_csv_keeps_every_digit(values):
    text = to_csv(pd.DataFrame({"value": values}))
    back = pd.read_csv(io.StringIO(text), dtype=str)
    assert [float(text) for text in back["value"]] == values
