"""Learned auctions: their torch modules, training, attacks and certificates. Needs torch.

Names are imported on first use, so that listing what ships does not load torch.
"""

from typing import TYPE_CHECKING

from market_sim.lazy import lazy_names

if TYPE_CHECKING:
    from market_sim.mechanisms.networks.base import Bids, DifferentiableMechanism, ExpectedOutcome
    from market_sim.mechanisms.networks.checkpoints import load_network, shipped_networks
    from market_sim.mechanisms.networks.equivariant import EquivariantRegretNet
    from market_sim.mechanisms.networks.equivariant_recipe import EquivariantRecipe
    from market_sim.mechanisms.networks.exact_response import BestResponses, best_responses
    from market_sim.mechanisms.networks.laws import MarketLaw
    from market_sim.mechanisms.networks.mean_field_auction import MFGRegretNet
    from market_sim.mechanisms.networks.mean_field_recipe import MeanFieldRecipe
    from market_sim.mechanisms.networks.menu import SequentialMenu
    from market_sim.mechanisms.networks.menu_recipe import MenuRecipe
    from market_sim.mechanisms.networks.mfg_auction import PublishedMFGRegretNet
    from market_sim.mechanisms.networks.mfg_recipe import PublishedMFGRecipe
    from market_sim.mechanisms.networks.regret_net_auctions import MURBA, DMRegretNet, MRegretNet
    from market_sim.mechanisms.networks.regret_net_private import RegretNet
    from market_sim.mechanisms.networks.regret_net_recipe import RegretNetRecipe
    from market_sim.mechanisms.networks.training import TrainedNetwork

_HOME = {
    "base": ("Bids", "DifferentiableMechanism", "ExpectedOutcome"),
    "checkpoints": ("load_network", "shipped_networks"),
    "equivariant": ("EquivariantRegretNet",),
    "equivariant_recipe": ("EquivariantRecipe",),
    "exact_response": ("BestResponses", "best_responses"),
    "laws": ("MarketLaw",),
    "mean_field_auction": ("MFGRegretNet",),
    "mean_field_recipe": ("MeanFieldRecipe",),
    "menu": ("SequentialMenu",),
    "menu_recipe": ("MenuRecipe",),
    "mfg_auction": ("PublishedMFGRegretNet",),
    "mfg_recipe": ("PublishedMFGRecipe",),
    "regret_net_auctions": ("MURBA", "DMRegretNet", "MRegretNet"),
    "regret_net_private": ("RegretNet",),
    "regret_net_recipe": ("RegretNetRecipe",),
    "training": ("TrainedNetwork",),
}
__all__ = [
    "MURBA",
    "BestResponses",
    "Bids",
    "DMRegretNet",
    "DifferentiableMechanism",
    "EquivariantRecipe",
    "EquivariantRegretNet",
    "ExpectedOutcome",
    "MFGRegretNet",
    "MRegretNet",
    "MarketLaw",
    "MeanFieldRecipe",
    "MenuRecipe",
    "PublishedMFGRecipe",
    "PublishedMFGRegretNet",
    "RegretNet",
    "RegretNetRecipe",
    "SequentialMenu",
    "TrainedNetwork",
    "best_responses",
    "load_network",
    "shipped_networks",
]

__getattr__, __dir__ = lazy_names(__name__, _HOME, __all__)
