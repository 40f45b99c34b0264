"""The command `market-sim solve bidding`: answers, JSON, and sentences for bad options."""

import json

import pytest
from typer.testing import CliRunner

from market_sim.errors import MarketSimError, MarketSimWarning
from scenarios.cli import app

QUICK = ("--owners", "3", "--steps", "4", "--profiles", "30")


def solve(*arguments):
    return CliRunner().invoke(app, ["solve", "bidding", *QUICK, *arguments])


def test_the_answer_as_json():
    done = solve("--json", "--budget", "2.0", "--mechanism", "mfg-pricing")
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert found["mechanism"] == "mfg-pricing"
    assert (found["owners"], found["budget"]) == (3, 2.0)
    assert len(found["history"]) == 4
    assert found["efficiency"]["payment"] == pytest.approx(2.0, rel=1e-6)
    assert found["converged"] == (not found["status"].startswith("not converged"))
    assert all(0 < row["offered_cap"] <= row["cap"] for row in found["bids"])


def test_the_answer_in_sentences():
    done = solve()
    assert done.exit_code == 0, done.output
    for word in ("regret", "best responses", "at the truth 100.0%", "owners keep"):
        assert word in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--law", "normal"), "--law is 'normal'"),
        (("--owners", "0"), "--owners is 0"),
        (("--mechanism", "first-prize"), "first-price"),
        (("--budget", "-1"), "budget"),
        (("--mechanism", "./rules:Mine"), "'./rules' is no module"),
    ],
)
def test_bad_options_are_named(arguments, message):
    done = solve(*arguments)
    assert done.exit_code != 0
    assert isinstance(done.exception, MarketSimError)
    assert message in str(done.exception)


def test_a_budget_that_never_binds_is_said():
    with pytest.warns(MarketSimWarning, match="never binds"):
        done = solve("--budget", "30")
    assert done.exit_code == 0, done.output
