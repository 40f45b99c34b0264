"""Pricing the versions of one model so that no dear version can be put together from cheap ones.

`PriceMenu` solves Eq. (26); `Survey` holds what buyers said; `price_versions` turns a survey into a
menu by a named rule; `arbitrage` looks for the cheapest way round any menu.
"""

from market_sim.pricing.arbitrage import (
    Arbitrage,
    ArbitrageCheck,
    arbitrage,
    cheapest_cover,
    check_arbitrage,
)
from market_sim.pricing.buyers import BuyerLaw
from market_sim.pricing.complete_space import best_complete_prices
from market_sim.pricing.menu import Menu
from market_sim.pricing.price_menu import FittedMenu, PriceMenu
from market_sim.pricing.projection import project
from market_sim.pricing.revenue_bound import RevenueBound, revenue_bound
from market_sim.pricing.rules import PRICING_RULES, price_versions
from market_sim.pricing.survey import Survey

__all__ = [
    "PRICING_RULES",
    "Arbitrage",
    "ArbitrageCheck",
    "BuyerLaw",
    "FittedMenu",
    "Menu",
    "PriceMenu",
    "RevenueBound",
    "Survey",
    "arbitrage",
    "best_complete_prices",
    "cheapest_cover",
    "check_arbitrage",
    "price_versions",
    "project",
    "revenue_bound",
]
