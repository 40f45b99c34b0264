"""What else could have happened in a round: other prices, an auction, an owner who did not lie."""

from typing import TYPE_CHECKING, Any

import numpy as np

from market_sim.pricing import Survey
from market_sim.shapes import Array
from market_sim.versions import auction_privacy, flat_price

if TYPE_CHECKING:
    from agents.versions.market import VersionMarket
    from agents.versions.season import Season

_REACHED = 1e-9


def alternatives(market: "VersionMarket", season: "Season") -> dict[str, Any]:
    """Return what other prices, and an auction for privacy, would have earned on these buyers.

    All face the same buyers. The flat price is the best one for those surveyed buyers who want what
    the same model reaches, and owners are paid as they were. The auction has the same money, and
    sells those of the same versions that its own model reaches, at the same prices.
    """
    buyers, ideal = season.buyers, np.full(season.buyers.versions, np.inf)
    ideal[season.quotes.kept] = season.quotes.asked.ideal_prices
    wanted, _ = buyers.only_wanted()
    found: dict[str, Any] = {
        "ideal_revenue": _sale(buyers, ideal)[0],
        "revenue_limit": wanted.revenue_bound * wanted.buyers,
    }
    return found | _flat(season) | _auction(market, season)


def honest_utility(market: "VersionMarket", season: "Season") -> Array:
    """Return what each owner would have if she alone had told the truth, shape `(owners,)`.

    The round is played again with the same buyers: the broker plans from the other reports, owners
    answer, and the pool or the revenue is shared.
    """
    owners = market.owner_terms
    honest = season.payment - market.contest.rules.privacy_cost(season.epsilon)
    for liar in np.flatnonzero(owners.lie != 1.0):
        reports = owners.reported
        reports[liar] = owners.cost[liar]
        honest[liar] = _replayed(market, season, reports)[liar]
    return honest


def _replayed(market: "VersionMarket", season: "Season", reports: Array) -> Array:
    """Return the owners' utilities if these costs had been reported."""
    reported = market.contest_of(reports)
    plan = market.plan(season.quotes, season.survey, reported)
    if not plan.offer.trade:
        return np.zeros(reports.size)
    epsilon = market.answer(plan.offer.pool, reported).epsilon
    made = market.versions(plan, market.label_of(epsilon))
    bought = market.purchases(season.buyers, plan, *made) if made else None
    revenue = float(bought.paid.sum()) if bought else 0.0
    paid = market.payments(plan, epsilon, revenue)
    return np.asarray(paid - market.contest.rules.privacy_cost(epsilon))


def _sale(buyers: Survey, prices: Array) -> tuple[float, float]:
    """Return revenue and surplus of a price list; infinite prices are versions not sold."""
    price = prices[buyers.wanted]
    takes = buyers.value >= price
    paid = float(price[takes].sum())
    return paid, float(buyers.value[takes].sum()) - paid


def _flat(season: "Season") -> dict[str, float]:
    """Return what one price for all versions that the same model reaches would have earned."""
    asked = season.quotes.asked
    reached = asked.labels <= season.label * (1.0 + _REACHED)
    number = int(reached.sum())
    price = np.nan
    prices = np.full(season.buyers.versions, np.inf)
    if season.plan.offer.trade and number:
        chosen = asked.wanted < number
        price = flat_price(Survey(asked.labels[:number], asked.wanted[chosen], asked.value[chosen]))
        prices[season.quotes.kept[:number]] = price
    revenue, surplus = _sale(season.buyers, prices)
    return {"flat_price": price, "flat_revenue": revenue, "flat_surplus": surplus}


def _auction(market: "VersionMarket", season: "Season") -> dict[str, float]:
    """Return what buying privacy in an auction with the same pool would have led to."""
    owners, rule, offer = market.owner_terms, market.terms.privacy, season.plan.offer
    names = ("spent", "label", "revenue", "profit", "owner_utility", "surplus")
    most = rule.high if np.isfinite(rule.high) else float(season.epsilon.max())
    if not (offer.trade and most > 0):
        return dict.fromkeys((f"auction_{name}" for name in names), 0.0)
    bought = auction_privacy(
        owners.cost,
        owners.data_size,
        p=owners.p,
        cap=most,
        budget=season.pool,
        noise=market.terms.noise,
    )
    sold = offer.labels <= bought.label * (1.0 + _REACHED)
    prices = np.full(season.buyers.versions, np.inf)
    prices[season.plan.kept[sold]] = offer.prices[sold]
    revenue, surplus = _sale(season.buyers, prices)
    gained = float((bought.payment - bought.cost).sum())
    values = (bought.spent, bought.label, revenue, revenue - bought.spent, gained, surplus)
    return {f"auction_{name}": value for name, value in zip(names, values, strict=True)}
