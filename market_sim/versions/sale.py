"""From a survey to an offer: menu, reward pool and the versions that the market can keep to."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from market_sim.errors import InvalidInput
from market_sim.games.contest import RewardContest
from market_sim.pricing import PRICING_RULES, RevenueBound, Survey, price_versions, revenue_bound
from market_sim.shapes import Array, as_floats, whole_number
from market_sim.versions.rule import Offer, Play, enforce_rule, pool_for_label

Lowest = Literal["lower", "refuse"]
_MARGIN = 1e-8  # of the smallest pool, so that rounding leaves the label reached


@dataclass(frozen=True)
class SaleTerms:
    """How the broker prices and what she promises the owners.

    Parameters
    ----------
    buyers
        How many buyers will come.
    pricing
        A rule of `market_sim.pricing.PRICING_RULES`.
    exponent
        2: precisions add when versions are combined; 1: budgets add.
    weight
        lambda of the fit, in units of 1 / (mean ideal price)^2.
    cut
        phi in [0, 1): the share of the revenue that the broker keeps.
    pool
        Reward pool in money in place of (1 - phi) times the revenue bound.
    confidence
        Level of the lower bound of the revenue.
    lowest
        "refuse": no trade if the model does not reach the lowest version; "lower": its label is
        lowered, and what buyers would pay for it falls in proportion.

    Raises
    ------
    InvalidInput
        If a number is out of its range or a name unknown.
    """

    buyers: int
    pricing: str = "complete-space"
    exponent: int = 2
    weight: float = 1e5
    cut: float = 0.2
    pool: float | None = None
    confidence: float = 0.95
    lowest: Lowest = "refuse"

    def __post_init__(self) -> None:
        whole_number("buyers", self.buyers, 1)
        if self.pricing not in PRICING_RULES:
            known = ", ".join(map(repr, PRICING_RULES))
            raise InvalidInput(f"pricing must be one of {known}, got {self.pricing!r}")
        if self.lowest not in get_args(Lowest):
            raise InvalidInput(f"lowest must be 'lower' or 'refuse', got {self.lowest!r}")
        cut = as_floats("cut", self.cut, minimum=0.0)
        if cut.ndim or float(cut) >= 1.0:
            raise InvalidInput(f"cut must be one share from 0 to below 1, got {self.cut}")
        if self.pool is not None:
            as_floats("pool", self.pool, positive=True)


@dataclass(frozen=True, eq=False)
class SalePlan:
    """An offer with the revenue that the broker expects of it.

    Attributes
    ----------
    offer
        Versions, prices, pool and the owners' equilibrium; see `Offer`.
    kept
        Indices of the survey's versions that are sold, shape `(sold,)`.
    revenue
        Lower bound and estimate of what a buyer of these versions pays; None without trade.
    buyers
        How many such buyers are expected.
    """

    offer: Offer
    kept: NDArray[np.int64]
    revenue: RevenueBound | None
    buyers: float

    @property
    def expected_revenue(self) -> float:
        """Estimate of the revenue from all buyers, in money; 0 without trade."""
        return self.buyers * self.revenue.expected if self.revenue else 0.0

    @property
    def revenue_bound(self) -> float:
        """Lower confidence bound of the revenue from all buyers, in money; 0 without trade."""
        return self.buyers * self.revenue.lower if self.revenue else 0.0

    @property
    def expected_profit(self) -> float:
        """Expected revenue less the pool, in money."""
        return self.expected_revenue - self.offer.pool


@dataclass(frozen=True)
class BrokerChoice:
    """A number of versions with the smallest pool that pays for them.

    Attributes
    ----------
    versions
        How many versions are sold, from the cheapest.
    pool
        Smallest reward pool whose model reaches the top one, in money.
    cut
        phi at which the lower revenue bound promises this pool; negative if it does not.
    expected_revenue, expected_profit
        In money; the profit is the revenue less the pool.
    """

    versions: int
    pool: float
    cut: float
    expected_revenue: float
    expected_profit: float


class Quotes:
    """What a survey promises for the cheapest versions, each number of them priced only once.

    Parameters
    ----------
    survey
        What surveyed buyers said.
    terms
        How to price. Cut and pool play no part.

    Attributes
    ----------
    asked
        The survey without versions for which nobody would pay.
    kept
        Indices of the versions that are left, shape `(kept,)`.

    Raises
    ------
    InvalidInput
        If nobody would pay anything.
    """

    def __init__(self, survey: Survey, terms: SaleTerms) -> None:
        self.asked, self.kept = survey.only_wanted()
        self._answers, self._terms = survey.buyers, terms
        self._found: dict[tuple[float, ...], tuple[RevenueBound, float]] = {}

    def __call__(self, labels: Array) -> tuple[RevenueBound, float]:
        """Return the revenue a buyer of these versions brings, and how many such buyers come."""
        key = tuple(labels.tolist())
        if key not in self._found:
            self._found[key] = self._made(labels)
        return self._found[key]

    def _made(self, labels: Array) -> tuple[RevenueBound, float]:
        number, asked, terms = labels.size, self.asked, self._terms
        part = asked if number == asked.versions else _first(asked, number)
        if labels[-1] != asked.labels[number - 1]:  # the only version left, its label lowered
            part = Survey(labels, part.wanted, part.value * (labels[0] / asked.labels[0]))
        if part.buyers < 2:  # one answer says what to ask and promises nothing
            menu = price_versions(part, terms.pricing, exponent=terms.exponent, weight=terms.weight)
            surveyed = float(part.revenue(menu.prices))
            nothing = RevenueBound(menu, surveyed, 0.0, 0.0, terms.confidence, "one answer")
            return nothing, terms.buyers / self._answers
        bound = revenue_bound(
            part,
            terms.pricing,
            exponent=terms.exponent,
            weight=terms.weight,
            confidence=terms.confidence,
        )
        return bound, terms.buyers * part.buyers / self._answers


def plan_sale(
    survey: Survey, play: Play, terms: SaleTerms, quotes: Quotes | None = None
) -> SalePlan:
    """Price the versions, promise a pool, and give up versions that the model would not reach.

    Parameters
    ----------
    survey
        What surveyed buyers said. Versions for which nobody would pay are not offered.
    play
        The owners' answer to a pool, as `contest_play` makes it.
    terms
        How to price and what to promise.
    quotes
        Prices of this survey under these terms, if there are any yet.

    Raises
    ------
    InvalidInput
        If nobody would pay anything, or a setting cannot be used.

    Notes
    -----
    Source: PIECE [S] steps 1 to 4; [D] the privacy rule. A buyer who wants a version that is given
    up does not buy.
    """
    quoted = quotes or Quotes(survey, terms)

    def price(labels: Array) -> tuple[Array, float]:
        bound, buyers = quoted(labels)
        pool = (1.0 - terms.cut) * bound.lower * buyers if terms.pool is None else terms.pool
        return np.asarray(bound.menu.prices), float(pool)

    offer = enforce_rule(quoted.asked.labels, price, play, lowest=terms.lowest)
    if not offer.trade:
        return SalePlan(offer, quoted.kept[:0], None, 0.0)
    return SalePlan(offer, quoted.kept[: offer.labels.size], *quoted(offer.labels))


def broker_choices(
    survey: Survey,
    contest: RewardContest,
    play: Play,
    terms: SaleTerms,
    quotes: Quotes | None = None,
) -> tuple[BrokerChoice, ...]:
    """Return, for each number of versions, the smallest pool that pays for them and its profit.

    A pool above the smallest one costs more and sells nothing more, so the best of these choices
    is the best of all pools (and cuts) under the pricing rule, as far as the survey can tell.

    Parameters
    ----------
    survey, play, terms, quotes
        As in `plan_sale`; cut and pool are not used.
    contest
        The owners' game that `play` solves.

    Raises
    ------
    InvalidInput
        If nobody would pay anything, or a setting cannot be used.

    Notes
    -----
    [D] pool and cut of the broker. Numbers of versions that no pool reaches are left out. Smallest
    pools are those of `pool_for_label`, which takes the label to grow with the pool.
    """
    quoted = quotes or Quotes(survey, terms)
    choices = []
    for number in range(1, quoted.asked.versions + 1):
        labels = quoted.asked.labels[:number]
        try:
            pool = pool_for_label(contest, play, float(labels[-1])) * (1.0 + _MARGIN)
        except InvalidInput:  # the owners' ceilings keep this label and all above out of reach
            break
        bound, buyers = quoted(labels)
        promised, earned = bound.lower * buyers, bound.expected * buyers
        cut = 1.0 - pool / promised if promised > 0 else -np.inf
        choices.append(BrokerChoice(number, pool, cut, earned, earned - pool))
    return tuple(choices)


def best_sale(
    survey: Survey,
    contest: RewardContest,
    play: Play,
    terms: SaleTerms,
    quotes: Quotes | None = None,
) -> SalePlan:
    """Plan the sale with the pool of the most profitable number of versions.

    There is no trade if every number of versions costs more than it is expected to earn. Where no
    pool reaches even the lowest version, `plan_sale` says so.

    Parameters
    ----------
    survey, contest, play, terms, quotes
        As in `broker_choices`.

    Raises
    ------
    InvalidInput
        If nobody would pay anything, or a setting cannot be used.
    """
    quoted = quotes or Quotes(survey, terms)
    choices = broker_choices(survey, contest, play, terms, quoted)
    if not choices:
        return plan_sale(survey, play, terms, quoted)
    best = max(choices, key=lambda choice: choice.expected_profit)
    if best.expected_profit <= 0:
        return no_sale(
            f"no trade: the best choice, {best.versions} versions, would earn "
            f"{best.expected_revenue:.6g} and need a pool of {best.pool:.6g}"
        )
    return plan_sale(survey, play, replace(terms, pool=best.pool), quoted)


def no_sale(status: str) -> SalePlan:
    """Return the plan to sell nothing, with the reason as a sentence."""
    none = np.zeros(0)
    offer = Offer(none, none, 0.0, None, 0.0, none, None, status, 0)
    return SalePlan(offer, np.zeros(0, dtype=np.int64), None, 0.0)


def _first(survey: Survey, number: int) -> Survey:
    """Return the answers about the cheapest versions."""
    chosen = survey.wanted < number
    return Survey(survey.labels[:number], survey.wanted[chosen], survey.value[chosen])
