"""Scenarios small enough to be run many times."""

import pytest

AUCTIONS = """
title = "Small auctions"
description = "Two settings, two budgets."
experiment = "auctions"
seed = 3
seeds = 2
profiles = 40
mechanisms = ["all-in-critical", "all-in-singer"]
aggregators = ["error-opt", "data-size"]
[population]
owners = 4
[[settings]]
name = "low"
cap = [0.5, 5.0]
[[settings]]
name = "high"
cap = [0.5, 2.0]
[budget]
law = "fixed"
levels = [1.0, 6.0]
"""

MARKET = """
title = "Small market"
experiment = "market"
seed = 5
seeds = 2
mechanisms = ["all-in-critical", "all-in-singer"]
aggregators = ["error-opt"]
figures = ["learning-curve"]
[population]
owners = 5
[budget]
law = "fixed"
levels = [4.0]
[market]
rounds = 3
[learning]
dataset = "breast-cancer"
learning_rate = 0.3
"""


@pytest.fixture
def auctions(tmp_path):
    """File of eight auction units, milliseconds each."""
    file = tmp_path / "small-auctions.toml"
    file.write_text(AUCTIONS)
    return file


@pytest.fixture
def market(tmp_path):
    """File of four market units that learn."""
    file = tmp_path / "small-market.toml"
    file.write_text(MARKET)
    return file


@pytest.fixture
def tables():
    """Return the bytes of all tables of a run, by name."""
    return lambda path: {file.name: file.read_bytes() for file in path.glob("*.parquet")}
