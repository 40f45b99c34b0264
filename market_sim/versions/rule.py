"""The privacy rule: what owners may choose, and that the model must be as good as its versions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.games.contest import RewardContest
from market_sim.games.contest_result import ContestEquilibrium
from market_sim.pricing.cone import check_labels
from market_sim.shapes import Array, as_floats, as_number
from market_sim.versions.owner_noise import OwnerNoise

Price = Callable[[Array], tuple[Array, float]]
Play = Callable[[float], tuple[ContestEquilibrium, float]]

_SLACK = 1e-12
_LOWERINGS = 60
_POOL_LIMIT = 1e18


@dataclass(frozen=True)
class PrivacyRule:
    """Every owner's epsilon is within [low, high], and the model's label reaches the top version.

    A version above the model's label would equal the model itself, and the cheapest such version
    would be an arbitrage.

    Parameters
    ----------
    low, high
        Bounds of epsilon, 0 <= low <= high, for all owners alike.

    Raises
    ------
    InvalidInput
        If a bound is negative or low exceeds high.

    Notes
    -----
    Source: version marketplace [D], privacy rule.
    """

    low: float = 0.0
    high: float = np.inf

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            bound = as_floats(name, getattr(self, name), minimum=0.0, finite=name == "low")
            if bound.ndim:
                raise InvalidInput(f"{name} must be one number, got shape {bound.shape}")
        if self.low > self.high:
            raise InvalidInput(f"low must not exceed high, got {self.low:g} and {self.high:g}")

    def contest(
        self, cost: ArrayLike, size: ArrayLike | None = None, q: float = 1, p: float = 1
    ) -> RewardContest:
        """Return the owners' contest under this rule."""
        return RewardContest(cost, size, q, p, self.low, self.high)


@dataclass(frozen=True, eq=False)
class Offer:
    """The versions that a market can keep its word on, or none.

    Attributes
    ----------
    labels, prices
        The versions that are sold and their prices in money, shape `(versions,)`; empty without
        trade.
    pool
        Reward pool in money; 0 without trade.
    equilibrium
        The owners' play at this pool; None without trade.
    global_label
        eps_g of the model, at least the top label; without trade, what was reached last.
    dropped
        Labels of the versions that were given up, from the top.
    lowered_from
        The label that the only version had before it was lowered; None if it was not.
    status
        What happened, a sentence.
    solves
        How often versions were priced and the contest solved.
    """

    labels: Float[NDArray[np.float64], " versions"]
    prices: Float[NDArray[np.float64], " versions"]
    pool: float
    equilibrium: ContestEquilibrium | None
    global_label: float
    dropped: Float[NDArray[np.float64], " dropped"]
    lowered_from: float | None
    status: str
    solves: int

    @property
    def trade(self) -> bool:
        """Whether anything is sold."""
        return self.equilibrium is not None


@dataclass
class _Trial:
    """One pricing and one contest, for the labels still offered."""

    labels: Array
    prices: Array
    pool: float
    equilibrium: ContestEquilibrium | None
    reached: float

    @property
    def kept(self) -> bool:
        """Whether the model is as good as its top version."""
        return self.equilibrium is not None and self.reached >= self.labels[-1] * (1.0 - _SLACK)


def enforce_rule(
    labels: ArrayLike, price: Price, play: Play, *, lowest: Literal["lower", "refuse"] = "lower"
) -> Offer:
    """Drop top versions until the model that the pool buys reaches the best one left.

    Each time the versions left are priced anew, since fewer versions earn less and finance a
    smaller pool. If even the last one fails, its label is lowered to what was reached, again until
    the market keeps its word ("lower"), or nothing is traded ("refuse").

    Parameters
    ----------
    labels
        eps_1 < ... < eps_k.
    price
        From labels to their prices in money and the reward pool that these finance.
    play
        From a pool above 0 to the owners' equilibrium and the label eps_g that the model reaches;
        `contest_play` makes one.
    lowest
        What to do about a last version that fails.

    Raises
    ------
    InvalidInput
        If labels do not increase, or `lowest` is unknown.

    Notes
    -----
    Source: version marketplace [D], privacy rule. A lowered label is one that the market keeps
    while it does not keep the label one in 10^6 above.
    """
    offered = check_labels(labels)
    if lowest not in ("lower", "refuse"):
        raise InvalidInput(f"lowest must be 'lower' or 'refuse', got {lowest!r}")
    trial, solves, number = _try(offered, price, play), 1, len(offered)
    while not trial.kept and number > 1:
        number -= 1
        trial, solves = _try(offered[:number], price, play), solves + 1
    dropped = offered[: number - 1 : -1]
    wanted = None
    if not trial.kept and lowest == "lower":
        wanted = float(offered[0])
        trial, more = _lower(trial, price, play)
        solves += more
    return _offer(trial, dropped, wanted, solves)


def contest_play(
    contest: RewardContest,
    data_size: ArrayLike,
    noise: OwnerNoise,
    samples: float | None = None,
) -> Play:
    """Return the owners' answer to a pool: their equilibrium and the label of their model.

    Parameters
    ----------
    contest
        The owners' game.
    data_size
        n_i > 0, shape `(owners,)`.
    noise
        How epsilon becomes noise.
    samples
        n of the labels; all owners' samples if omitted.
    """

    def answer(pool: float) -> tuple[ContestEquilibrium, float]:
        found = contest.equilibrium(pool)
        return found, float(noise.global_label(found.epsilon, data_size, samples))

    return answer


def pool_for_label(contest: RewardContest, play: Play, label: float) -> float:
    """Return the pool that a version needs: the smallest R with eps_g(R) >= label, in money.

    Without bounds of epsilon, all of them grow like R^(1/p) and so does the harmonic label of
    owners under classic noise: R = (label / eps_g(1))^p is the start. It is the answer wherever
    the label scales; else the smallest pool is bisected, taking eps_g to grow with R.

    Raises
    ------
    InvalidInput
        If the label is not positive, or no pool reaches it because of the owners' ceilings.

    Notes
    -----
    Source: version marketplace [D], scaling of the reward game.
    """
    aim, exponent = as_number("label", label, positive=True), contest.rules.p
    unit = play(1.0)[1]
    guess = (aim / unit) ** exponent if unit > 0 else 1.0
    if not contest.bounded and abs(play(guess)[1] - aim) <= 1e-9 * aim:
        return float(guess)
    low, high = guess, guess
    while play(high)[1] < aim:
        low, high = high, 2.0 * high
        if high > _POOL_LIMIT * max(guess, 1.0):
            raise InvalidInput(
                f"no pool makes the model reach the label {aim:g}: at {high:g} it is "
                f"{play(high)[1]:g}, so raise the owners' ceiling or lower the label"
            )
    while low == high or play(low)[1] >= aim:
        low, high = 0.5 * low, low
    while high - low > 1e-12 * high:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if play(middle)[1] < aim else (low, middle)
    return float(high)


def _try(labels: Array, price: Price, play: Play) -> _Trial:
    """Price the labels and let the owners answer; no contest for an empty pool."""
    prices, pool = price(labels)
    if not pool > 0:
        return _Trial(labels, prices, 0.0, None, 0.0)
    return _Trial(labels, prices, float(pool), *play(float(pool)))


def _lower(trial: _Trial, price: Price, play: Play) -> tuple[_Trial, int]:
    """Lower the only label to what is reached, each time by more, then raise it by bisection."""
    failing, solves = float(trial.labels[0]), 0
    while not trial.kept:
        if trial.reached <= 0 or solves == _LOWERINGS:
            return trial, solves
        failing = float(trial.labels[0])
        lower = min(trial.reached, failing) * max(1.0 - 1e-6 * 2.0**solves, 0.5)
        trial, solves = _try(np.array([lower]), price, play), solves + 1
    while failing - trial.labels[0] > 1e-6 * failing:
        middle = 0.5 * (failing + float(trial.labels[0]))
        higher, solves = _try(np.array([middle]), price, play), solves + 1
        trial, failing = (higher, failing) if higher.kept else (trial, middle)
    return trial, solves


def _offer(trial: _Trial, dropped: Array, wanted: float | None, solves: int) -> Offer:
    """Return what a trial comes to."""
    gone = f"{len(dropped)} top version{'s' if len(dropped) != 1 else ''} dropped"
    if not trial.kept:
        status = f"no trade: the model reaches {trial.reached:g}, below the lowest version"
        empty = np.zeros(0)
        return Offer(empty, empty, 0.0, None, trial.reached, dropped, None, status, solves)
    status = f"the model reaches {trial.reached:g}, the top version needs {trial.labels[-1]:g}"
    status += f", {gone}" if len(dropped) else ""
    status += f", the last one lowered from {wanted:g}" if wanted is not None else ""
    return Offer(
        labels=trial.labels,
        prices=trial.prices,
        pool=trial.pool,
        equilibrium=trial.equilibrium,
        global_label=trial.reached,
        dropped=dropped,
        lowered_from=wanted,
        status=status,
        solves=solves,
    )
