"""What a version market writes down after each round: columns, and who gained what."""

from typing import TYPE_CHECKING, Any

import numpy as np

from agents.versions.comparisons import alternatives, honest_utility
from market_sim.shapes import Array
from market_sim.versions import VersionLabels

if TYPE_CHECKING:
    from agents.versions.market import VersionMarket
    from agents.versions.season import Season

Block = dict[str, Any]

SEASONS = (
    "round",
    "pricing",
    "settlement",
    "status",
    "trade",
    "versions_planned",
    "versions_sold",
    "cut",
    "pool",
    "expected_revenue",
    "revenue_bound",
    "revenue",
    "paid",
    "broker_profit",
    "owner_utility",
    "buyer_surplus",
    "welfare",
    "global_label",
    "accuracy",
    "regret",
    "choice_sweeps",
    "arbitrage_tried",
    "arbitrage_worked",
    "arbitrage_saved",
    "flat_price",
    "flat_revenue",
    "flat_surplus",
    "ideal_revenue",
    "revenue_limit",
    "auction_spent",
    "auction_label",
    "auction_revenue",
    "auction_profit",
    "auction_owner_utility",
    "auction_surplus",
)
VERSIONS = (
    "round",
    "version",
    "label",
    "wanted",
    "ideal_price",
    "price",
    "cone_low",
    "cone_high",
    "sold",
    "revenue",
    "noise",
    "guarantee",
    "accuracy",
)
OWNERS = (
    "round",
    "owner",
    "kind",
    "data_size",
    "cost",
    "reported_cost",
    "epsilon",
    "noise",
    "share",
    "payment",
    "privacy_cost",
    "utility",
    "honest_utility",
    "privacy_spent",
)
BUYERS = (
    "round",
    "buyer",
    "kind",
    "wanted",
    "value",
    "bought",
    "paid",
    "reached",
    "surplus",
    "status",
)


def records_of(market: "VersionMarket", season: "Season") -> dict[str, Block]:
    """Return the rows of a round for each table."""
    owners = _owner_rows(market, season)
    return {
        "versions_seasons": _season_row(market, season, owners),
        "versions": _version_rows(market, season),
        "version_owners": owners,
        "version_buyers": _buyer_rows(market, season),
    }


def _season_row(market: "VersionMarket", season: "Season", owners: Block) -> Block:
    plan, offer, bought = season.plan, season.plan.offer, season.purchases
    paid, revenue = float(season.payment.sum()), season.revenue
    utility = float(owners["utility"].sum())
    surplus = float(bought.surplus.sum()) if bought else 0.0
    return {
        "round": market.round,
        "pricing": market.terms.sale.pricing,
        "settlement": market.terms.settlement,
        "status": season.status,
        "trade": int(offer.trade),
        "versions_planned": offer.labels.size,
        "versions_sold": season.menu.versions if season.menu else 0,
        "cut": market.terms.sale.cut,
        "pool": season.pool,
        "expected_revenue": plan.expected_revenue,
        "revenue_bound": plan.revenue_bound,
        "revenue": revenue,
        "paid": paid,
        "broker_profit": revenue - paid,
        "owner_utility": utility,
        "buyer_surplus": surplus,
        "welfare": revenue - paid + utility + surplus,
        "global_label": season.label,
        "accuracy": _accuracy(market, season.parameters),
        "regret": market.contest.regret(season.epsilon, season.pool) if offer.trade else 0.0,
        "choice_sweeps": season.choice.sweeps,
        "arbitrage_tried": int(bought.tried.sum()) if bought else 0,
        "arbitrage_worked": int(bought.worked.sum()) if bought else 0,
        "arbitrage_saved": float(bought.saved.sum()) if bought else 0.0,
    } | alternatives(market, season)


def _accuracy(market: "VersionMarket", parameters: Array | None) -> float:
    if market.task is None or parameters is None:
        return float("nan")
    return float(market.task.evaluate(parameters).accuracy)


def _version_rows(market: "VersionMarket", season: "Season") -> Block:
    """Return a row for each version that was surveyed, sold or not."""
    survey, number = season.survey, season.survey.versions
    price, accuracy = np.full(number, np.nan), np.full(number, np.nan)
    sold = np.zeros(number, dtype=np.int64)
    if season.menu is not None and season.purchases is not None and season.cut is not None:
        kept = season.plan.kept[: season.menu.versions]
        price[kept] = season.menu.prices
        sold[kept] = season.purchases.copies.sum(axis=0)
        if market.task is not None:
            accuracy[kept] = [
                _accuracy(market, season.cut.version(j)) for j in range(len(season.cut))
            ]
    low = np.concatenate([[0.0], price[:-1]])
    growth = np.concatenate([[np.nan], survey.labels[1:] / survey.labels[:-1]])
    return {
        "round": market.round,
        "version": np.arange(number),
        "label": survey.labels,
        "wanted": survey.counts,
        "ideal_price": _ideal_prices(season),
        "price": price,
        "cone_low": low,
        "cone_high": low * growth**market.terms.sale.exponent,
        "sold": sold,
        "revenue": sold * np.nan_to_num(price),
        "noise": _scale(market).noise(survey.labels),
        "guarantee": _guarantees(market, season),
        "accuracy": accuracy,
    }


def _scale(market: "VersionMarket") -> VersionLabels:
    return market.terms.noise.labels(float(market.owner_terms.data_size.sum()))


def _guarantees(market: "VersionMarket", season: "Season") -> Array:
    """Return the epsilon of each version towards its buyers; NaN if there was no model."""
    inside = season.epsilon > 0
    if not inside.any():
        return np.full(season.survey.versions, np.nan)
    return _scale(market).guarantee(
        season.survey.labels,
        global_label=season.label,
        rounds=market.terms.noise.rounds,
        samples=float(market.owner_terms.data_size[inside].sum()),
    )


def _ideal_prices(season: "Season") -> Array:
    """Return the ideal prices, NaN for a version for which nobody would pay."""
    prices = np.full(season.survey.versions, np.nan)
    prices[season.quotes.kept] = season.quotes.asked.ideal_prices
    return prices


def _owner_rows(market: "VersionMarket", season: "Season") -> Block:
    owners, rules = market.owner_terms, market.contest.rules
    payment = season.payment
    lost = rules.privacy_cost(season.epsilon)
    return {
        "round": market.round,
        "owner": np.arange(owners.owners),
        "kind": np.where(owners.lie == 1.0, "honest", "liar").astype(object),
        "data_size": owners.data_size,
        "cost": owners.cost,
        "reported_cost": owners.reported,
        "epsilon": season.epsilon,
        "noise": season.noise,
        "share": payment / payment.sum() if payment.sum() > 0 else payment,
        "payment": payment,
        "privacy_cost": lost,
        "utility": payment - lost,
        "honest_utility": honest_utility(market, season),
        "privacy_spent": market.ledger.owner_privacy,
    }


def _buyer_rows(market: "VersionMarket", season: "Season") -> Block:
    buyers, bought = season.buyers, season.purchases
    number = buyers.buyers
    nothing = np.zeros(number)
    strategic = market.strategic(number)
    return {
        "round": market.round,
        "buyer": np.arange(number),
        "kind": np.where(strategic, "arbitrageur", "honest").astype(object),
        "wanted": buyers.wanted,
        "value": buyers.value,
        "bought": np.array([bought.text(i) if bought else "" for i in range(number)], dtype=object),
        "paid": bought.paid if bought else nothing,
        "reached": bought.reached if bought else nothing,
        "surplus": bought.surplus if bought else nothing,
        "status": bought.status if bought else np.full(number, "no trade", dtype=object),
    }
