"""full_information_bound: the least error that a budget buys from owners who cannot lie."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.bounds._branch import Search, close, relaxed
from market_sim.bounds._feasible import error_of, improve
from market_sim.bounds._problem import Problem, affordable
from market_sim.errors import InvalidInput
from market_sim.mechanisms.base import flat
from market_sim.reports import Reports
from market_sim.shapes import Array, as_floats, frozen, whole_number

Method = Literal["auto", "exact", "relaxation"]
_FEW_OWNERS = 200  # up to here "auto" branches
_ROUNDS = {"relaxation": 0, "auto": 40, "exact": 2000}
_BLOCK = 20_000  # entries of a block of profiles: a few hundred arrays of this size
_START, _POLISH = 10, 20  # rounds of improvement of the first and of the final purchase
_ROUNDING = 1e-12  # of the budget


@dataclass(frozen=True, eq=False)
class FullInformationBound:
    """The least error bound that the money can buy lies between `lower` and `upper`.

    Attributes
    ----------
    lower
        No purchase within the budget has a smaller error bound, shape `profiles`.
    upper
        Error bound of the purchase `epsilon`, at its best weights, shape `profiles`; infinite where
        the money buys nothing.
    epsilon
        A purchase within the budget and the caps, shape `(*profiles, owners)`.
    status
        How far the two are apart, a sentence.
    """

    lower: Float[NDArray[np.float64], "*profiles"]
    upper: Float[NDArray[np.float64], "*profiles"]
    epsilon: Float[NDArray[np.float64], "*profiles owners"]
    status: str

    @property
    def gap(self) -> Float[NDArray[np.float64], "*profiles"]:
        """Ratio upper / lower less 1: what is not known; 0 where nothing can be bought."""
        return _gap(self.lower, self.upper)

    def __str__(self) -> str:
        lower, upper = float(self.lower.mean()), float(self.upper.mean())
        return f"least error bound in [{lower:.6g}, {upper:.6g}] (means): {self.status}"


def full_information_bound(
    reports: Reports,
    budget: ArrayLike,
    *,
    clip: float = 1.0,
    dim: int = 1,
    method: Method = "auto",
    accuracy: float = 1e-3,
) -> FullInformationBound:
    r"""Minimize d sum 8 L^2 lambda_i^2 / eps_i^2 + L^2 (sum |lambda_i - w_i|)^2, costs within B.

    The minimum runs over 0 <= eps_i <= cap_i with sum_i [s_i] v_i(eps_i) <= B, and over weights
    lambda on the simplex: what a buyer could do who knows all costs and pays no more than them. An
    individually rational mechanism within its budget never does better.

    Parameters
    ----------
    reports
        True valuations, caps and sizes, shape `(*profiles, owners)`.
    budget
        The buyer's money B, > 0, one number or shape `profiles`.
    clip
        L, the L1 bound of each owner's gradient.
    dim
        d, the number of model parameters.
    method
        - "relaxation": the Lagrangian dual, three prices a profile. The gap is a few per cent at
          ten owners and vanishes as they become many (each owner is convexified, and at most a few
          of them are then between two purchases).
        - "exact": branch and bound over eps on top of it, until the gap is closed to `accuracy`.
        - "auto": branch and bound of bounded effort for up to 200 owners, else the relaxation.
    accuracy
        Relative gap at which a profile is closed.

    Returns
    -------
    FullInformationBound
        `lower` holds whatever the search did, by weak duality; `upper` is attained.

    Raises
    ------
    InvalidInput
        If a number is outside its domain, the shapes do not fit or the method is unknown.

    Examples
    --------
    >>> import market_sim as ms
    >>> two = ms.Reports(ms.Valuations("linear", [1.0, 1.0]), cap=[1.0, 2.0])
    >>> bound = ms.full_information_bound(two, budget=3.0)
    >>> bound.epsilon.round(3).tolist(), bool(bound.gap < 1e-2)
    ([0.5, 1.0], True)

    Notes
    -----
    For fixed prices of money (mu), of weight (nu) and of bias (beta) the problem falls apart into
    owners, whose minima over (lambda, eps) are found exactly; weak duality makes any prices a lower
    bound, and the best ones are found by the ellipsoid method with deep cuts. Branching narrows the
    range of one owner's eps at a time.

    Source: [D], the bound to quote beside every auction; FL-Market [S], error bound and costs.
    """
    if method not in get_args(Method):
        raise InvalidInput(f"unknown method {method!r}, expected one of {list(get_args(Method))}")
    if not isinstance(reports, Reports):
        raise InvalidInput(f"reports must be ms.Reports, got {type(reports).__name__}")
    noise = 8.0 * whole_number("dim", dim, 1)
    square = float(as_floats("clip", clip, positive=True)) ** 2
    relative = float(as_floats("accuracy", accuracy, minimum=1e-8))
    branches = method == "exact" or (method == "auto" and reports.owners <= _FEW_OWNERS)
    rounds = _ROUNDS[method] if branches else 0
    whole = _problem(reports, budget, noise)
    lower, upper = np.empty((2, len(whole.share)))
    epsilon = np.empty(whole.share.shape)
    for part in _blocks(whole):
        lower[part], upper[part], epsilon[part] = _solve(whole.rows(part), relative, rounds)
    profiles = reports.profiles
    return FullInformationBound(
        frozen(np.asarray(square * lower.reshape(profiles))),
        frozen(np.asarray(square * upper.reshape(profiles))),
        frozen(epsilon.reshape(reports.shape)),
        _status(lower, upper, relative, rounds > 0),
    )


def _problem(reports: Reports, budget: ArrayLike, noise: float) -> Problem:
    """Return the problem in units in which the budget is 1, without what nobody can afford."""
    _, _, cap, money = flat(reports, budget)
    shape = cap.shape
    size = np.ones(shape) if reports.data_size is None else reports.data_size.reshape(shape)
    kind = reports.valuations.kind.reshape(shape)
    rate = reports.valuations.rate.reshape(shape) * size / money[:, None]
    share = size / size.sum(axis=1, keepdims=True)
    high = affordable(kind, rate, cap)
    return Problem(kind, rate, np.zeros(shape), high, share, noise)


def _blocks(problem: Problem) -> Iterator[np.ndarray]:
    rows, owners = problem.share.shape
    step = max(1, _BLOCK // owners)
    for start in range(0, rows, step):
        yield np.arange(start, min(start + step, rows))


def _solve(problem: Problem, accuracy: float, rounds: int) -> tuple[Array, Array, Array]:
    """Return lower and upper bounds at L = 1 and the purchase, of one block of rows."""
    epsilon = problem.high.copy()
    lower = error_of(problem, epsilon)
    upper = lower.copy()
    # Where everything affordable is bought at once, or nothing can be, that is the optimum.
    scarce = problem.cost(epsilon).sum(axis=1) > 1.0 + _ROUNDING
    open_ = np.flatnonzero(scarce & np.isfinite(upper))
    if open_.size:
        search = _searched(problem.rows(open_), accuracy, rounds)
        lower[open_], upper[open_] = search.lower, search.upper
        epsilon[open_] = search.epsilon
    return lower, upper, epsilon


def _searched(problem: Problem, accuracy: float, rounds: int) -> Search:
    """Bound rows in which money is scarce."""
    rows = np.arange(len(problem.share))
    search = Search(problem, np.zeros(len(rows)), *_first_purchase(problem), accuracy)
    center = np.stack([2.0 * search.upper, 2.0 * search.upper, np.ones(len(rows))], axis=1)
    nodes = relaxed(search, rows, problem.low, problem.high, center, 2.0 * center)
    search.lower = np.maximum(nodes.bound, 0.0)
    close(search, nodes, rounds)
    search.offer(rows, *improve(problem, search.epsilon, _POLISH))
    search.lower = np.minimum(search.lower, search.upper)
    return search


def _first_purchase(problem: Problem) -> tuple[Array, Array]:
    """Return the error and the eps of a first purchase, the better of two in each row."""
    single = np.zeros(problem.high.shape)
    best = (problem.share * problem.high).argmax(axis=1)
    at = (np.arange(len(best)), best)
    single[at] = problem.high[at]
    shared, error = improve(problem, problem.high, _START)
    alone = error_of(problem, single)
    better = alone < error
    return np.minimum(alone, error), np.where(better[:, None], single, shared)


def _gap(lower: Array, upper: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.isfinite(upper), upper / lower - 1.0, 0.0)


def _status(lower: Array, upper: Array, accuracy: float, branched: bool) -> str:
    """Say in a sentence how far the bounds are apart."""
    sold, gap = np.isfinite(upper), _gap(lower, upper)
    apart = int((gap > 1.1 * accuracy).sum())
    how = "branch and bound" if branched else "the Lagrangian relaxation"
    nothing = f"; in {int((~sold).sum())} the money buys nothing" if (~sold).any() else ""
    if not apart:
        return f"{how} closed all {gap.size:,} profiles to {accuracy:.2g}{nothing}"
    closed = f"{gap.size - apart:,} of {gap.size:,} profiles to {accuracy:.2g}"
    return f"{how} closed {closed}, the largest gap is {gap.max():.2g}{nothing}"
