"""Fair payments: what each user's data is worth, exactly, from two users to a million."""

from dataclasses import dataclass
from math import prod
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.games.counting import Computed, by_potential, by_subsets, by_types
from market_sim.games.owen import by_owen
from market_sim.games.potential import table_shape
from market_sim.games.semivalue import Index, Semivalue
from market_sim.games.utility import Groups, Utility, as_utility, check_empty, gather
from market_sim.shapes import Array, as_floats

Method = Literal["auto", "subsets", "types", "potential", "owen"]
MAX_SUBSET_USERS = 22
MAX_STATES = 4_000_000
_FEW_STATES = 1_000_000  # up to here counting is faster than integrating
_FEW_SUBSET_USERS = 12
_FEW_TYPES = 6
_STATES_PER_PROFILE = 200
_EXACT_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class FairValues:
    """Fair payments with their evidence.

    Attributes
    ----------
    users
        phi_i, shape `(*profiles, users)`; negative where a user's data does harm.
    platform
        phi_p, the platform's own share, shape `profiles`; zero without a platform.
    utility
        U of the profile, shape `profiles`.
    method
        Algorithm used: "subsets", "types", "potential", "owen" or "sampled".
    discrepancy
        Result of the self-check: the largest distance, over profiles, between the sum of all
        payments and what it must be, relative to the largest |U| met.
    standard_error
        Of each user's payment if it was sampled, else None.
    index, presence
        The rule by which value was attributed.
    """

    users: Float[NDArray[np.float64], "*profiles users"]
    platform: Float[NDArray[np.float64], "*profiles"]
    utility: Float[NDArray[np.float64], "*profiles"]
    method: str
    discrepancy: float
    standard_error: Float[NDArray[np.float64], "*profiles users"] | None = None
    index: Index = "shapley"
    presence: float = 1.0


def fair_values(
    utility: Any,
    levels: ArrayLike,
    platform: bool = False,
    method: Method = "auto",
    *,
    index: Index = "shapley",
    presence: float = 1.0,
    tolerance: float = 1e-8,
) -> FairValues:
    r"""Pay every user the value that her data adds, averaged over coalitions of the others.

    phi_i = delta int E_{q delta}[U(S + i) - U(S)] dq, S drawn with probability q delta a user.
    With delta = 1 this is Theorem 2, phi_i = sum_S (U(S+i) - U(S)) / (N C(N-1, |S|)); with a
    platform the integrand is multiplied by q and phi_p = int E_{q delta}[U] dq (Theorem 1). The
    Banzhaf index takes q = 1/2 instead of the integral.

    Every result is checked: payments must sum to E_delta[U], which is U when all users are
    present. For Banzhaf, whose payments do not sum to U, their sum must be the derivative of
    E_{q delta}[U] at q = 1/2, computed from coalition values alone.

    Parameters
    ----------
    utility
        A `Utility`, or a function from levels `(rows, users)` to U `(rows,)`, with U(0) = 0. It
        need not be monotone: negative payments are reported as they are.
    levels
        What each user gives, 0 for nothing, shape `(*profiles, users)`.
    platform
        Give the platform, without whom there is no value, a share of its own.
    method
        "subsets": all coalitions (few users). "types": sums over the number of members of each
        type, where users of equal data at equal level are one type. "potential": the table of all
        profiles, for many profiles of one market. "owen": the integral by Gauss rules, for huge
        numbers of users of a few types. "auto" chooses; the result tells which.
    index
        "shapley" or "banzhaf".
    presence
        delta, the probability that a user is there at all, in (0, 1].
    tolerance
        Of the self-check of "owen", relative to U; the exact methods are held to 1e-9. Where U is
        smooth in the number of users, single payments are as accurate; where it has kinks, as
        `DPMeanEstimation` with three levels or more, the smallest were found 1e-7 off.

    Returns
    -------
    FairValues
        Payments for alpha = 1; users who give nothing are paid nothing.

    Raises
    ------
    InvalidInput
        If U(0) is not 0, U is not finite, the levels do not fit, the method is not able to do
        what is asked or would take too long (the message says which one to use instead).
    PaymentsUnbalanced
        If the self-check fails.

    Notes
    -----
    Source: Fair Value of Data [S] Theorems 1 and 2; [D] algorithms A, B, C and random presence.
    """
    given = as_floats("levels", levels, minimum=0.0, finite=False)
    if given.ndim == 0 or given.shape[-1] == 0:
        raise InvalidInput(f"levels needs a last axis of users, got shape {given.shape}")
    if method not in get_args(Method):
        raise InvalidInput(f"method must be one of {get_args(Method)}, got {method!r}")
    worth = as_utility(utility, given.shape[-1])
    rule = Semivalue(index, bool(platform), presence)
    check_empty(worth)
    rows = given.reshape(-1, given.shape[-1])
    if method == "potential" and not rule.plain:
        raise InvalidInput(
            "method 'potential' gives Theorem 2 only: use 'types' with a platform, for the "
            "Banzhaf index or with a presence below 1"
        )
    if method == "potential" or (method == "auto" and _table_pays(worth, rows, rule)):
        results = [by_potential(worth, rows, rule)]
    else:
        results = [_one_profile(worth, row, rule, method, tolerance) for row in rows]
    for result in results:
        limit = tolerance if result.method == "owen" else _EXACT_TOLERANCE
        rule.check(result.discrepancy, limit, result.method)
    return _collected(results, given.shape, rule)


def _one_profile(
    utility: Utility, levels: Array, rule: Semivalue, method: Method, tolerance: float
) -> Computed:
    """Compute one profile by the method asked for, or the one that suits its size."""
    groups = gather(utility, levels)
    chosen = _choose(utility, groups) if method == "auto" else method
    if chosen == "subsets":
        _refuse_above(groups.active <= MAX_SUBSET_USERS, groups, "subsets", utility)
        return by_subsets(utility, levels, rule)
    if chosen == "types":
        _refuse_above(groups.states <= MAX_STATES, groups, "types", utility)
        return by_types(utility, groups, rule)
    if not utility.smooth:
        raise InvalidInput(
            "method 'owen' needs a utility that interpolates between whole numbers of users: "
            "use 'types', or sampled_fair_values"
        )
    return by_owen(utility, groups, rule, tolerance)


def _choose(utility: Utility, groups: Groups) -> Method:
    """Return the fastest method that is exact for this many types."""
    if groups.active <= _FEW_SUBSET_USERS and (groups.size <= 1).all():
        return "subsets"
    if utility.smooth and groups.states > _FEW_STATES and groups.size.size <= _FEW_TYPES:
        return "owen"
    return "types"


def _refuse_above(fits: bool, groups: Groups, method: str, utility: Utility) -> None:
    if fits:
        return
    others = "'owen' or " if utility.smooth else ""
    raise InvalidInput(
        f"{groups.active} users of {groups.size.size} types are too many for the exact method "
        f"{method!r}: use {others}sampled_fair_values, or give users of one kind the same data"
    )


def _table_pays(utility: Utility, rows: Array, rule: Semivalue) -> bool:
    """Tell whether a table of all profiles is cheaper than the given profiles one by one."""
    if len(rows) < 2 or not rule.plain:
        return False
    states = prod(table_shape(utility, np.unique(rows)))
    return states <= min(MAX_STATES, _STATES_PER_PROFILE * len(rows))


def _collected(results: list[Computed], shape: tuple[int, ...], rule: Semivalue) -> FairValues:
    """Put the results of all profiles together."""
    return FairValues(
        users=np.concatenate([np.atleast_2d(r.users) for r in results]).reshape(shape),
        platform=np.concatenate([np.atleast_1d(r.platform) for r in results]).reshape(shape[:-1]),
        utility=np.concatenate([np.atleast_1d(r.utility) for r in results]).reshape(shape[:-1]),
        method="+".join(sorted({r.method for r in results})),
        discrepancy=max(r.discrepancy for r in results),
        index=rule.index,
        presence=rule.presence,
    )
