"""What a lie about her cost would bring an owner if the broker computed the equilibrium."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.games.contest import RewardContest
from market_sim.shapes import Array, as_floats


@dataclass(frozen=True, eq=False)
class MisreportGains:
    """Gains of lies, one owner lying at a time while all others report their costs.

    Attributes
    ----------
    owners
        Numbers of the owners who were tried, shape `(tried,)`.
    factors
        Reported cost over true cost, shape `(factors,)`.
    gain
        Utility under the lie less utility under the truth, in money, shape `(tried, factors)`.
    pool
        R, in money.
    """

    owners: Int[NDArray[np.int64], " tried"]
    factors: Float[NDArray[np.float64], " factors"]
    gain: Float[NDArray[np.float64], "tried factors"]
    pool: float

    @property
    def paying(self) -> float:
        """Share of the lies (factors other than 1) that gain more than rounding."""
        lies = self.gain[:, self.factors != 1.0]
        return float((lies > 1e-12 * self.pool).mean())

    @property
    def liars(self) -> float:
        """Share of the owners for whom some lie pays."""
        return float((self.gain > 1e-12 * self.pool).any(axis=1).mean())


def misreport_gains(
    contest: RewardContest,
    pool: float,
    factors: ArrayLike,
    owners: ArrayLike | None = None,
) -> MisreportGains:
    r"""Return what lies gain if the broker assigns the equilibrium of the costs reported to her.

    Owner i reports f c_i; the broker computes the equilibrium epsilon' of the reports, and i gets
    R y'_i / Y' - c_i epsilon'_i^p, with her true cost. An equilibrium among chosen epsilons is no
    truthful mechanism: this is why owners choose epsilon themselves.

    Parameters
    ----------
    contest
        The game, with the true costs.
    pool
        R > 0, in money.
    factors
        f > 0, reported over true cost, shape `(factors,)`, not all 1.
    owners
        Who lies, one at a time; everybody if omitted.

    Raises
    ------
    InvalidInput
        If a factor is not positive, none differs from 1, or there is no such owner.

    Notes
    -----
    Source: version marketplace [D], incentives of the reward game. One equilibrium is solved for
    each owner and factor.
    """
    multiples = as_floats("factors", factors, positive=True)
    if multiples.ndim != 1 or not (multiples != 1.0).any():
        raise InvalidInput(
            f"factors must be a sequence with at least one number other than 1, got {factors!r}"
        )
    liars = _numbers(owners, contest.owners)
    truth = contest.equilibrium(pool).utility
    gain = np.array([[_utility(contest, pool, i, f) - truth[i] for f in multiples] for i in liars])
    return MisreportGains(liars, multiples, gain, float(pool))


def _utility(contest: RewardContest, pool: float, owner: int, factor: float) -> float:
    """Return an owner's true utility at the equilibrium of the reports in which she alone lies."""
    rules = contest.rules
    reported: Array = rules.cost.copy()
    reported[owner] *= factor
    assigned = RewardContest(
        reported,
        rules.size,
        rules.q,
        rules.p,
        rules.low,
        rules.high,
        participation=rules.participation,
    ).equilibrium(pool)
    return float(assigned.payment[owner] - rules.privacy_cost(assigned.epsilon)[owner])


def _numbers(owners: ArrayLike | None, count: int) -> NDArray[np.int64]:
    if owners is None:
        return np.arange(count, dtype=np.int64)
    given = as_floats("owners", owners)
    if given.ndim != 1 or not given.size or not np.isin(given, np.arange(count)).all():
        raise InvalidInput(f"owners must be numbers from 0 to {count - 1}, got {owners!r}")
    return given.astype(np.int64)
