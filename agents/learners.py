"""Owners who learn what to report: without regret, or by best responses with inertia."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from agents.strategies import Auction, MarketView, Rows, Strategy, put_reports
from market_sim import InvalidInput, Population, Reports, Streams
from market_sim.auditing.deviations import Deviator, best_deviations, flat_profiles
from market_sim.shapes import Array, as_floats

Rule = Literal["multiplicative-weights", "regret-matching"]
Feedback = Literal["full", "bandit"]


class Learner(Strategy):
    """A strategy with a memory: `start` returns the player of a market, who has the memory."""

    @abstractmethod
    def start(self, owners: int, streams: Streams) -> Strategy:
        """Return a player who knows nothing yet; her coins are keyed by owner and round."""

    def reports(self, population: Population, view: MarketView) -> Reports:
        """Return what players say who know nothing yet; see `Strategy.reports`."""
        fresh = self.start(int(view.owners.max()) + 1, Streams(0))
        return fresh.reports(population, view)


@dataclass(frozen=True)
class NoRegretReporting(Learner):
    r"""Owners who play factors on their value and cap with chances that leave them no regret.

    After T auctions the regret of owner i is max_a sum_t (u_it(a) - u_it), u_it(a) being her true
    utility at the factors a against what the others said. It grows as sqrt(T) at most:

    - "multiplicative-weights": chances in proportion to exp(eta_t R_t(a)), R_t(a) the sum for one
      a, eta_t = sqrt(ln A / sum_t r_t^2) with r_t the range of the utilities of auction t. No scale
      of the utilities need be known.
    - "regret-matching": chances in proportion to max(R_t(a), 0), even ones where there is none.

    Parameters
    ----------
    rule
        How chances follow regrets.
    feedback
        "full": an owner learns what every a would have brought, which takes one auction more for
        each owner and a, so it is for small markets. "bandit": she learns what she got; u_it(a) is
        estimated by u_it / chance for the a that she played and 0 for the others.
    value_factors, cap_factors
        Factors on the true valuation, >= 0, and on the true cap, in (0, 1]; all pairs are played.
    exploration
        With "bandit", the share of auctions in which factors are drawn evenly, in (0, 1).

    Raises
    ------
    InvalidInput
        If a choice is unknown or a number outside its domain.

    Notes
    -----
    Source: Hart and Mas-Colell 2000 and 2001 (regret matching, known and unknown game); Auer et
    al. 2002 (exponential weights, bandit); de Rooij et al. 2014 (the rate without a scale).
    """

    rule: Rule = "multiplicative-weights"
    feedback: Feedback = "full"
    value_factors: tuple[float, ...] = (0.5, 0.75, 1.0, 1.5, 2.0)
    cap_factors: tuple[float, ...] = (0.5, 1.0)
    exploration: float = 0.05

    def __post_init__(self) -> None:
        _check_choice("rule", self.rule, get_args(Rule))
        _check_choice("feedback", self.feedback, get_args(Feedback))
        _check_factors(self.value_factors, self.cap_factors)
        _check_share("exploration", self.exploration)

    def start(self, owners: int, streams: Streams) -> "NoRegretPlayer":
        """Return a player without regrets; see `Learner.start`."""
        return NoRegretPlayer(self, owners, streams)


class NoRegretPlayer(Strategy):
    """The memory of a `NoRegretReporting`, a row an owner.

    Attributes
    ----------
    terms
        The strategy that is played.
    actions
        Value factor and cap factor of each a, shape `(actions, 2)`.
    regret
        R_t(a), estimated under "bandit", shape `(owners, actions)`, in money.
    auctions
        How many each owner has learned from, shape `(owners,)`.
    """

    def __init__(self, terms: NoRegretReporting, owners: int, streams: Streams) -> None:
        self.terms = terms
        value, cap = np.meshgrid(terms.value_factors, terms.cap_factors, indexing="ij")
        self.actions = np.column_stack([value.ravel(), cap.ravel()])
        self.regret = np.zeros((owners, len(self.actions)))
        self.auctions = np.zeros(owners, dtype=np.intp)
        self._energy = np.zeros(owners)
        self._played = np.full(owners, -1)
        self._chance = np.ones(owners)
        self._coins = Coins("learning owners", owners, streams)

    @property
    def average_regret(self) -> Array:
        """max_a R_t(a) / t of each owner, 0 before the first auction; in money an auction."""
        return np.asarray(self.regret.max(axis=1) / np.maximum(self.auctions, 1))

    def chances(self, rows: Rows) -> Array:
        """Return the chance of each a for some owners, shape `(k, actions)`."""
        regret, count = self.regret[rows], len(self.actions)
        if self.terms.rule == "regret-matching":
            weight = np.maximum(regret, 0.0)
        else:
            energy = self._energy[rows, None]
            rate = np.sqrt(np.log(count) / np.where(energy > 0, energy, 1.0))
            weight = np.exp(rate * (regret - regret.max(axis=1, keepdims=True)))
        total = weight.sum(axis=1, keepdims=True)
        chance = np.where(total > 0, weight / np.where(total > 0, total, 1.0), 1.0 / count)
        if self.terms.feedback == "full":
            return np.asarray(chance)
        share = self.terms.exploration
        return np.asarray((1.0 - share) * chance + share / count)

    def reports(self, population: Population, view: MarketView) -> Reports:
        """Draw factors for each owner and remember them; see `Strategy.reports`."""
        rows = view.owners
        chance = self.chances(rows)
        heads = self._coins.of(view)[:, None] > np.cumsum(chance, axis=1)
        played = np.minimum(heads.sum(axis=1), len(self.actions) - 1)
        self._played[rows] = played
        self._chance[rows] = chance[np.arange(rows.size), played]
        factors = self.actions[played]
        return population.reports().scaled(factors[:, 0], factors[:, 1])

    def learn(self, auction: Auction) -> None:
        """Add the auction's regrets of the owners who were asked; see `Strategy.learn`."""
        asked = self._played[auction.view.owners] >= 0
        view = auction.view.of(np.flatnonzero(asked))
        rows = view.owners
        if rows.size == 0:
            return
        truth = auction.truth
        got = auction.outcome.utility(truth.valuations, truth.cap, truth.data_size)[view.rows]
        if self.terms.feedback == "full":
            would = _counterfactuals(auction, view, self.actions)
        else:
            would = np.zeros((rows.size, len(self.actions)))
            would[np.arange(rows.size), self._played[rows]] = got / self._chance[rows]
        self.regret[rows] += would - got[:, None]
        self._energy[rows] += np.square(np.ptp(would, axis=1))
        self.auctions[rows] += 1
        self._played[rows] = -1


@dataclass(frozen=True)
class InertBestResponding(Learner):
    """Owners who mostly repeat themselves, and now and then say what would have paid best.

    In each auction an owner keeps her factors on value and cap with probability `inertia`, the
    truth at first; otherwise she takes the best against what the others said last, see
    `BestResponding`. Inertia breaks the cycles of owners who all move at once.

    Parameters
    ----------
    inertia
        Probability of staying, in (0, 1).
    value_factors, cap_factors
        Factors to try on the true valuation, >= 0, and on the true cap, in (0, 1].

    Raises
    ------
    InvalidInput
        If a number is outside its domain or a list is empty.

    Notes
    -----
    Source: Young 2004, better-reply dynamics with inertia.
    """

    inertia: float = 0.7
    value_factors: tuple[float, ...] = (0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.5, 2.0, 4.0)
    cap_factors: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)

    def __post_init__(self) -> None:
        _check_factors(self.value_factors, self.cap_factors)
        _check_share("inertia", self.inertia)

    def start(self, owners: int, streams: Streams) -> "InertPlayer":
        """Return a player who tells the truth so far; see `Learner.start`."""
        return InertPlayer(self, owners, streams)


class InertPlayer(Strategy):
    """The memory of an `InertBestResponding`.

    Attributes
    ----------
    terms
        The strategy that is played.
    factors
        Value factor and cap factor that each owner plays, shape `(owners, 2)`.
    """

    def __init__(self, terms: InertBestResponding, owners: int, streams: Streams) -> None:
        self.terms = terms
        self.factors = np.ones((owners, 2))
        self._coins = Coins("inert owners", owners, streams)

    def reports(self, population: Population, view: MarketView) -> Reports:
        """Let some owners move, and return what all play; see `Strategy.reports`."""
        moving = np.flatnonzero(self._coins.of(view) >= self.terms.inertia)
        if moving.size:
            value, cap, _ = best_deviations(
                view.mechanism,
                view.standing,
                view.budget,
                put_reports(view.standing, population.reports(), view.rows),
                view.rows[moving],
                self.terms.value_factors,
                self.terms.cap_factors,
            )
            self.factors[view.owners[moving]] = np.column_stack([value, cap])
        factors = self.factors[view.owners]
        return population.reports().scaled(factors[:, 0], factors[:, 1])


class Coins:
    """One uniform number for each owner, round and buyer, whoever else is asked."""

    def __init__(self, purpose: str, owners: int, streams: Streams) -> None:
        self._purpose, self._owners, self._streams = purpose, owners, streams
        self._key: tuple[str, int] | None = None
        self._tossed = np.empty(0)

    def of(self, view: MarketView) -> Array:
        """Return the coins of the owners asked, tossed once an auction."""
        key = (view.buyer, view.round)
        if key != self._key:
            stream = self._streams.generator(f"{self._purpose} of {view.buyer}", view.round)
            self._key, self._tossed = key, stream.random(self._owners)
        return self._tossed[view.owners]


def _counterfactuals(auction: Auction, view: MarketView, actions: Array) -> Array:
    """Return the true utility of owners at each pair of factors, shape `(k, actions)`."""
    truth = flat_profiles(auction.truth.reports())
    market = Deviator(
        (view.mechanism,), flat_profiles(auction.reports), truth, np.array([view.budget])
    )
    place, action = (axis.ravel() for axis in np.indices((view.rows.size, len(actions))))
    owner: NDArray[np.intp] = view.rows[place]
    rate = actions[action, 0] * truth.valuations.rate[0, owner]
    cap = actions[action, 1] * truth.cap[0, owner]
    utility = market.try_misreports(np.zeros_like(owner), owner, rate, cap).utility
    return np.asarray(utility.reshape(view.rows.size, len(actions)))


def _check_choice(name: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise InvalidInput(f"unknown {name} {given!r}, expected one of {list(known)}")


def _check_factors(value_factors: tuple[float, ...], cap_factors: tuple[float, ...]) -> None:
    value = as_floats("value_factors", value_factors, minimum=0.0)
    cap = as_floats("cap_factors", cap_factors, positive=True)
    if not (value.size and cap.size):
        raise InvalidInput(
            "value_factors and cap_factors need at least one factor each, (1.0,) to leave a part "
            f"of the report true; got {value_factors!r} and {cap_factors!r}"
        )
    if cap.max() > 1.0:
        raise InvalidInput(
            f"cap_factors must be at most 1, the most that an owner can sell, got {cap.max():g}"
        )


def _check_share(name: str, value: float) -> None:
    share = as_floats(name, value)
    if share.ndim or not 0.0 < share < 1.0:
        raise InvalidInput(f"{name} must be one number strictly between 0 and 1, got {value!r}")
