"""Small MFG networks and markets of the privacy auction game, for tests."""

import numpy as np
import torch

from market_sim.mechanisms.networks.base import Bids
from market_sim.mechanisms.networks.laws import MarketLaw
from market_sim.mechanisms.networks.mfg_net import MeanFieldNet, MeanFieldNetSettings


def network(owners=4, seed=0, loud=1.0, **changes):
    """Return an untrained network in double precision, its parameters times `loud`."""
    settings = MeanFieldNetSettings(**{"owners": owners, "hidden": 16, "layers": 2, **changes})
    module = MeanFieldNet(settings, seed).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(loud)
    return module


def market(owners=4, profiles=30, budget=50.0, seed=0):
    """Return reports, the same as bids, and budgets."""
    law = MarketLaw.of_game("uniform", owners, budget, budget)
    reports, money = law.sample(np.random.default_rng(seed), profiles)
    return reports, Bids.from_reports(reports), torch.tensor(money)
