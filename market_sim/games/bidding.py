"""The bidding game: owners with private values and caps choose what to report to a mechanism."""

from dataclasses import replace
from typing import Protocol

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.laws import ScalarLaw, Uniform
from market_sim.outcome import Outcome
from market_sim.population import PopulationLaw
from market_sim.reports import Reports
from market_sim.shapes import Array, PerOwner, as_number, whole_number
from market_sim.valuation import Valuations

_CELLS = 500_000  # entries of one cleared batch, so that memory stays bounded
_UNIT = float(Valuations("linear", [1.0]).cost([1.0])[0])  # money for a unit of epsilon at rate 1
Bounds = tuple[float, float]
Others = Float[NDArray[np.float64], "profiles others"]


class Clears(Protocol):
    """Anything with a `clear(reports, budget)`: all that a bidding game asks of a mechanism."""

    def clear(self, reports: Reports, budget: ArrayLike, /) -> Outcome:
        """Return who sells how much privacy for what payment."""
        ...


class BiddingGame:
    r"""Owner i of type (v_i, c_i) reports (b_i, c'_i), c'_i in (0, c_i], and gets p_i - v_i eps_i.

    Types are drawn independently from one law; each owner knows hers alone. v_i is the money that
    a unit of epsilon costs her (`Reports.unit_value`), b_i >= 0 what she says it costs. A cap above
    the true one is not feasible.

    Parameters
    ----------
    mechanism
        Anything with `clear(reports, budget)`.
    law
        Law of linear valuations without data sizes; its number of owners is not used.
    owners
        N, at least 1.
    budget
        The buyer's money, > 0.
    fixed_cap
        Whether every owner must offer her whole cap, so that she can only lie in value.

    Raises
    ------
    InvalidInput
        If the mechanism cannot clear, the law has other valuations or sizes, or a number is
        outside its domain.

    Notes
    -----
    Source: privacy auction game [S], sellers' types and utilities; [D] the game for rules in which
    the truth is not dominant.
    """

    def __init__(
        self,
        mechanism: Clears,
        law: PopulationLaw,
        owners: int,
        budget: float,
        *,
        fixed_cap: bool = False,
    ) -> None:
        if not callable(getattr(mechanism, "clear", None)):
            raise InvalidInput(
                f"mechanism must have clear(reports, budget), got {type(mechanism).__name__}"
            )
        _check_law(law)
        self.mechanism = mechanism
        self.owners = whole_number("owners", owners, 1)
        self.law = replace(law, owners=self.owners)
        self.budget = as_number("budget", budget, positive=True)
        self.fixed_cap = bool(fixed_cap)

    def types(self, rng: np.random.Generator, profiles: int) -> tuple[PerOwner, PerOwner]:
        """Draw true unit values and caps, each `(profiles, owners)`."""
        truth = self.law.sample(rng, (profiles,)).reports()
        return np.array(truth.unit_value), np.array(truth.cap)

    def value_quantile(self, share: ArrayLike) -> Array:
        """Return the unit value below which a share of the owners lies, shape of `share`."""
        return _UNIT * _quantile(self.law.rate, share)

    def value_share(self, value: ArrayLike) -> Array:
        """Return the share of the owners with at most a unit value, shape of `value`."""
        rate = np.asarray(value, dtype=np.float64) / _UNIT
        if (point := _point(self.law.rate)) is not None:
            return np.asarray(rate >= point, dtype=np.float64)
        return self.law.rate_law.cdf(rate)

    def cap_quantile(self, share: ArrayLike) -> Array:
        """Return the cap below which a share of the owners lies, shape of `share`."""
        return _quantile(self.law.cap, share)

    @property
    def mean_cap(self) -> float:
        """Mean privacy that an owner can offer."""
        point = _point(self.law.cap)
        return self.law.cap_law.mean if point is None else point

    @staticmethod
    def reports(bid: ArrayLike, cap: ArrayLike) -> Reports:
        """Return reports with unit values `bid`, shape `(*profiles, owners)`.

        Caps are stated to 24 binary digits (rounded down) and bids to 28, so that bid times cap is
        exact and owners who ask the same are tied, whatever their caps.
        """
        rate = _stated(np.asarray(bid, dtype=np.float64) / _UNIT, 28)
        return Reports(Valuations("linear", rate), _stated(cap, 24))

    def outcome(self, bid: ArrayLike, cap: ArrayLike) -> tuple[PerOwner, PerOwner]:
        """Return (epsilon, payment) of reported bids and caps, each `(*profiles, owners)`."""
        cleared = self.mechanism.clear(self.reports(bid, cap), self.budget)
        return cleared.epsilon, cleared.payment

    def utility(self, value: Array, bid: Array, cap: Array) -> PerOwner:
        """Return p - v epsilon of owners with true unit values, each shape `(*profiles, owners)`.

        The caps reported must be feasible, as a strategy's are.
        """
        epsilon, payment = self.outcome(bid, cap)
        return payment - value * epsilon

    def alone(
        self, bid: ArrayLike, cap: ArrayLike, other_bids: Others, other_caps: Others
    ) -> tuple[Array, Array]:
        """Return (epsilon, payment) of one owner for each of her reports against fixed others.

        In profile r she sits in seat r mod N, so that rules that know the owners' order, and ties,
        treat her as one of all.

        Parameters
        ----------
        bid, cap
            Her reports, which broadcast with `(*choices, profiles)`.
        other_bids, other_caps
            What the others say, `(profiles, owners - 1)`.

        Returns
        -------
        epsilon, payment
            Each `(*choices, profiles)`.
        """
        profiles = len(other_bids)
        own_bid, own_cap, _ = np.broadcast_arrays(bid, cap, np.zeros(profiles))
        bids, caps = own_bid.reshape(-1, profiles), own_cap.reshape(-1, profiles)
        rows, seat = np.arange(profiles), np.arange(profiles) % self.owners
        table_bid, table_cap = self._seated(other_bids, seat), self._seated(other_caps, seat)
        epsilon, payment = np.empty((2, *bids.shape))
        step = max(1, _CELLS // (profiles * self.owners))
        for start in range(0, len(bids), step):
            part = slice(start, start + step)
            shape = (len(bids[part]), profiles, self.owners)
            said = [np.array(np.broadcast_to(table, shape)) for table in (table_bid, table_cap)]
            said[0][:, rows, seat], said[1][:, rows, seat] = bids[part], caps[part]
            sold, paid = self.outcome(*(column.reshape(-1, self.owners) for column in said))
            epsilon[part] = sold.reshape(shape)[:, rows, seat]
            payment[part] = paid.reshape(shape)[:, rows, seat]
        return epsilon.reshape(own_bid.shape), payment.reshape(own_bid.shape)

    def _seated(self, others: Array, seat: NDArray[np.intp]) -> Array:
        """Return `(profiles, owners)` with a free place for the owner at each seat."""
        table = np.ones((len(others), self.owners))
        table[np.arange(self.owners) != seat[:, None]] = others.reshape(-1)
        return table


def require_game(game: object) -> None:
    """Refuse anything that is no bidding game.

    Raises
    ------
    InvalidInput
        Naming what was given.
    """
    if not isinstance(game, BiddingGame):
        raise InvalidInput(
            f"game must be a BiddingGame, got {type(game).__name__}: give one, made from a "
            "mechanism, a law, a number of owners and a budget"
        )


def _stated(number: ArrayLike, digits: int) -> Array:
    """Return numbers cut to a number of binary digits."""
    part, exponent = np.frexp(np.asarray(number, dtype=np.float64))
    return np.asarray(np.ldexp(np.floor(np.ldexp(part, digits)), exponent - digits))


def _point(law: Bounds | ScalarLaw) -> float | None:
    """Return the one number that everybody draws, if it is one."""
    return float(law[0]) if isinstance(law, tuple) and law[0] == law[1] else None


def _quantile(law: Bounds | ScalarLaw, share: ArrayLike) -> Array:
    """Return quantiles of a law, which may be one number."""
    if (point := _point(law)) is not None:
        return np.full(np.shape(share), point)
    return (Uniform(*law) if isinstance(law, tuple) else law).quantile(share)


def _check_law(law: PopulationLaw) -> None:
    if not isinstance(law, PopulationLaw):
        raise InvalidInput(f"law must be a PopulationLaw, got {type(law).__name__}")
    if set(law.kinds) != {"linear"} or law.sizes != "none" or law.single_minded:
        raise InvalidInput(
            "a bidding game needs linear valuations without data sizes, got kinds "
            f"{law.kinds} and sizes {law.sizes!r}: use privacy_auction_law or kinds=('linear',)"
        )
