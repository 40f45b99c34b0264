"""RegretNet in its first form, one item an owner, for the privacy auction game."""

from dataclasses import dataclass
from pathlib import Path

from market_sim.mechanisms.networks.regret_net_auctions import RandomAuction
from market_sim.mechanisms.networks.regret_net_recipe import Auction


@dataclass(frozen=True)
class RegretNet(RandomAuction):
    """The first learned auction, one item an owner: she sells her whole cap or nothing, by chance.

    Owner i sells eps_bar_i with chance z_i and is paid her share of the budget, a part of which may
    stay unspent, whatever is drawn.

    Parameters
    ----------
    network
        A shipped name ("privacy-regret-net-10-b50", "privacy-regret-net-10-b5") or the path of a
        network file.
    options
        1, checked against the network's if given.
    seed
        Seed of the draws.

    Raises
    ------
    InvalidInput
        If there is no such network, or it is of another auction.

    Notes
    -----
    Source: Dutting et al., "Optimal Auctions through Deep Learning" (ICML 2019), in the setting of
    the privacy auction game [S].
    """

    network: str | Path = "privacy-regret-net-10-b50"

    @property
    def _auction(self) -> Auction:
        return "regret-net"
