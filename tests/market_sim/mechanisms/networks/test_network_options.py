"""One grid of options for everything."""

import pytest
import torch
from numpy.testing import assert_allclose

import market_sim as ms
from market_sim.mechanisms.networks.options import option_shares, options_of


def test_uniform_and_harmonic():
    assert_allclose(option_shares(4), [0.25, 0.5, 0.75, 1.0])
    harmonic = option_shares(4, "harmonic")
    assert_allclose(harmonic, [1 / 4, 1 / 3, 1 / 2, 1.0])
    assert not ((harmonic > 0.5) & (harmonic < 1.0)).any()


@pytest.mark.parametrize("options", range(1, 41))
@pytest.mark.parametrize("grid", ["uniform", "harmonic"])
def test_the_last_option_is_the_cap_itself(options, grid):
    cap = torch.rand(100, dtype=torch.float64)
    sold = options_of(cap, option_shares(options, grid))
    assert (sold[..., -1] == cap).all()
    assert (sold <= cap.unsqueeze(-1)).all()
    assert (sold.diff(dim=-1) > 0).all()


def test_bad_grids():
    with pytest.raises(ms.InvalidInput, match="options must be a whole number"):
        option_shares(0)
    with pytest.raises(ms.InvalidInput, match="unknown grid"):
        option_shares(3, "cubic")
