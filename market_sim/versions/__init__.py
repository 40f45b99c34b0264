"""Versions of a model: labels and noise, the privacy rule, and cutting each version once."""

from market_sim.versions.alternatives import Procurement, auction_privacy, flat_price
from market_sim.versions.cutting import Combination, ModelVersions
from market_sim.versions.labels import VersionLabels, classic_factor, global_noise
from market_sim.versions.owner_noise import OwnerNoise, zcdp_budget
from market_sim.versions.rule import (
    Offer,
    PrivacyRule,
    contest_play,
    enforce_rule,
    pool_for_label,
)
from market_sim.versions.sale import (
    BrokerChoice,
    Quotes,
    SalePlan,
    SaleTerms,
    best_sale,
    broker_choices,
    no_sale,
    plan_sale,
)

__all__ = [
    "BrokerChoice",
    "Combination",
    "ModelVersions",
    "Offer",
    "OwnerNoise",
    "PrivacyRule",
    "Procurement",
    "Quotes",
    "SalePlan",
    "SaleTerms",
    "VersionLabels",
    "auction_privacy",
    "best_sale",
    "broker_choices",
    "classic_factor",
    "contest_play",
    "enforce_rule",
    "flat_price",
    "global_noise",
    "no_sale",
    "plan_sale",
    "pool_for_label",
    "zcdp_budget",
]
