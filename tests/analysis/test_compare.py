"""Paired comparisons over common random numbers, against scipy."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis import compare_run, load_run, paired_interval
from market_sim.errors import ResultsError

PAIRS = st.lists(
    st.tuples(st.floats(-1e4, 1e4, width=32), st.floats(-1e4, 1e4, width=32)),
    min_size=2,
    max_size=12,
)


def frame_of(pairs):
    return pd.DataFrame(
        [
            {"seed": seed, "mechanism": name, "value": value}
            for seed, pair in enumerate(pairs)
            for name, value in zip(("base", "other"), pair, strict=True)
        ]
    )


@given(PAIRS)
def test_the_interval_is_that_of_a_paired_t_test(pairs):
    (row,) = paired_interval(frame_of(pairs), [], "value", baseline="base").to_dict("records")
    base, other = np.array(pairs, dtype=float).T
    difference = other - base
    assert row["n"] == len(pairs)
    assert row["difference"] == pytest.approx(difference.mean(), rel=1e-9, abs=1e-8)
    if difference.std() > 1e-6:
        expected = stats.ttest_rel(other, base).confidence_interval(0.95)
        assert [row["low"], row["high"]] == pytest.approx(list(expected), rel=1e-6, abs=1e-6)


@given(PAIRS)
def test_swapping_the_baseline_turns_the_sign(pairs):
    frame = frame_of(pairs)
    (there,) = paired_interval(frame, [], "value", baseline="base").to_dict("records")
    (back,) = paired_interval(frame, [], "value", baseline="other").to_dict("records")
    assert back["difference"] == pytest.approx(-there["difference"], abs=1e-9)
    assert back["low"] == pytest.approx(-there["high"], rel=1e-9, abs=1e-6)


def test_noise_shared_by_both_cancels():
    noise = np.random.default_rng(0).normal(0, 100, 10)
    frame = frame_of([(shared, shared + 1) for shared in noise])
    (row,) = paired_interval(frame, [], "value", baseline="base").to_dict("records")
    assert row["low"] == pytest.approx(1)
    assert row["high"] == pytest.approx(1)


def test_infinite_and_missing_values_leave_their_pair_out():
    frame = frame_of([(1.0, 2.0), (1.0, np.inf), (np.nan, 2.0), (3.0, 6.0)])
    (row,) = paired_interval(frame, [], "value", baseline="base").to_dict("records")
    assert (row["n"], row["unpaired"]) == (2, 2)
    assert (row["baseline_mean"], row["mean"], row["difference"]) == (2.0, 4.0, 2.0)


def test_pairs_inside_a_seed_are_averaged_before_they_count():
    rows = [
        {"seed": seed, "round": step, "mechanism": name, "value": value}
        for seed, step, base, other in [
            (0, 0, 1.0, 2.0),
            (0, 1, 1.0, 4.0),
            (0, 2, 1.0, np.inf),
            (1, 0, 5.0, 5.0),
        ]
        for name, value in (("base", base), ("other", other))
    ]
    frame = pd.DataFrame(rows)
    (row,) = paired_interval(frame, [], "value", baseline="base", within=["round"]).to_dict(
        "records"
    )
    assert (row["n"], row["unpaired"], row["difference"]) == (2, 1, 1.0)


def test_an_unknown_or_lonely_baseline_is_refused():
    frame = frame_of([(1.0, 2.0), (2.0, 3.0)])
    with pytest.raises(ResultsError, match="'third' is not among base, other"):
        paired_interval(frame, [], "value", baseline="third")
    with pytest.raises(ResultsError, match="expected a mechanism beside it"):
        paired_interval(frame[frame["mechanism"] == "base"], [], "value", baseline="base")


def test_runs_of_every_kind_are_compared(make_auctions, make_market, make_audit):
    auctions = compare_run(load_run(make_auctions()), baseline="all-in-critical")
    assert set(auctions["mechanism"]) == {"all-in-singer"}
    assert (auctions["difference"] > 0).all()
    assert (auctions["n"] == 3).all()
    markets = compare_run(load_run(make_market()), baseline="all-in-critical")
    # singer has no winner in two of twelve rounds, in each of three seeds
    assert (markets["unpaired"] >= 6).all()
    quality = compare_run(load_run(make_market(name="b")), baseline="all-in-critical", value="auc")
    assert (quality["difference"] == 0).all()
    audits = compare_run(load_run(make_audit()), baseline="all-in-critical")
    manipulable = audits[
        (audits["mechanism"] == "all-in-published") & (audits["population"] == "single-minded")
    ]
    assert (manipulable["difference"] > 0).all()


def test_aggregators_are_compared_too(make_auctions):
    table = compare_run(load_run(make_auctions()), baseline="error-opt", between="aggregator")
    assert set(table["aggregator"]) == {"bias-opt"}
    assert set(table["mechanism"]) == {"all-in-critical", "all-in-singer"}


def test_what_cannot_be_compared_is_refused(make_auctions, make_market):
    run = load_run(make_auctions())
    with pytest.raises(ResultsError, match="Cannot compare between 'seed'"):
        compare_run(run, baseline="x", between="seed")
    other = load_run(make_market(manifest={"experiment": "dance"}))
    with pytest.raises(ResultsError, match="experiment 'dance' cannot be compared"):
        compare_run(other, baseline="x")
