"""The reward contest: owners choose their privacy for shares of a fixed pool of money."""

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.games import contest_payoffs as payoffs
from market_sim.games.contest_closed import closed_form_shares
from market_sim.games.contest_payoffs import ContestRules
from market_sim.games.contest_result import ContestEquilibrium, Owners, describe
from market_sim.games.contest_shares import Balance, Terms, balance
from market_sim.shapes import Array, as_floats, frozen, require_owners

CROWD = 1000  # owners from which on one of them hardly moves the total


class RewardContest:
    r"""Owner i contributes y_i = s_i epsilon_i^q, is paid R y_i / Y, and bears c_i epsilon_i^p.

    Utility is concave in y_i, and the shares that owners want fall in the total Y: there is one
    Nash equilibrium, with bounds of epsilon too.

    Parameters
    ----------
    cost
        c_i > 0, in money per epsilon^p, shape `(owners,)`.
    size
        s_i > 0, weight of an owner's contribution (as a rule her data size); 1 if omitted.
    q, p
        Exponents of contribution and cost, p >= q > 0.
    low, high
        Bounds 0 <= low <= high of epsilon, one number or one an owner.
    participation
        Whether an owner may stay out (epsilon 0, no pay). Then whoever loses most by a floor
        leaves, one at a time (many at a time among more than 1,000), until nobody loses. If not,
        floors are forced.

    Attributes
    ----------
    rules
        All of this, checked: arrays of shape `(owners,)`.

    Raises
    ------
    InvalidInput
        If there is no owner, shapes differ, a number is out of its range, p < q, low > high, or
        fewer than two owners may contribute and no floor makes one of them.

    Notes
    -----
    Source: version marketplace [D], reward game of the owners; q = p = 1 with linear costs of a
    zero-concentrated budget is the game of Hu and Gong 2020.
    """

    def __init__(
        self,
        cost: ArrayLike,
        size: ArrayLike | None = None,
        q: float = 1,
        p: float = 1,
        low: ArrayLike = 0.0,
        high: ArrayLike = np.inf,
        *,
        participation: bool = True,
    ) -> None:
        costs = _per_owner("cost", cost)
        sizes = np.ones_like(costs) if size is None else _per_owner("size", size)
        if sizes.shape != costs.shape:
            raise InvalidInput(
                f"size must be one number an owner, got {len(sizes)} sizes for {len(costs)} costs"
            )
        floor = _bound("low", low, len(costs), finite=True)
        ceiling = _bound("high", high, len(costs), finite=False)
        crossed = np.flatnonzero(floor > ceiling)
        if crossed.size:
            i = crossed[0]
            raise InvalidInput(
                f"low must not exceed high, got low {floor[i]:g} and high {ceiling[i]:g} "
                f"for owner {i}"
            )
        self.rules = ContestRules(
            frozen(costs),
            frozen(sizes),
            *_exponents(q, p),
            frozen(floor),
            frozen(ceiling),
            bool(participation),
        )

    @property
    def owners(self) -> int:
        """Number of owners."""
        return len(self.rules.cost)

    @property
    def bounded(self) -> bool:
        """Whether any owner has a positive floor or a finite ceiling."""
        return bool(self.rules.low.any() or np.isfinite(self.rules.high).any())

    def equilibrium(self, pool: float) -> ContestEquilibrium:
        """Return the equilibrium that a pool of money brings about.

        Parameters
        ----------
        pool
            R > 0, in money.

        Raises
        ------
        InvalidInput
            If the pool is not one positive number, or one owner is left alone without a floor:
            she takes the whole pool with any epsilon, so that she has no best one.
        """
        money = _as_pool(pool)
        kept, steps = np.arange(self.owners), 0
        dropped: list[int] = []
        while kept.size:
            found = balance(self._terms(kept, money))
            steps += found.steps
            leavers = self._leavers(kept, found, money)
            if not leavers.size:
                return self._result(money, kept, found, dropped, steps)
            dropped += kept[leavers].tolist()
            kept = np.delete(kept, leavers)
        return self._result(money, kept, None, dropped, steps)

    def closed_form(self, pool: float) -> ContestEquilibrium:
        """Return the equilibrium by sorting the costs, for q = p and no bounds.

        y_i = R (m - 1) / C (1 - (m - 1) cc_i / C) for the m cheapest owners, C the sum of their
        cc_i = c_i / s_i; the set is extended while cc_i < C / (m - 1).

        Raises
        ------
        InvalidInput
            As for `equilibrium`, and if q and p differ or there are bounds.
        """
        money = _as_pool(pool)
        if self.rules.ratio != 1.0 or self.bounded:
            raise InvalidInput(
                "the closed form holds for q = p without bounds, got "
                f"q = {self.rules.q:g}, p = {self.rules.p:g}"
                f"{' and bounds' if self.bounded else ''}: use equilibrium"
            )
        everyone = np.arange(self.owners)
        self._refuse_alone(everyone)
        share, total = closed_form_shares(self.rules.cost / self.rules.size, money)
        nobody = np.zeros(self.owners, dtype=bool)
        found = Balance(share, total, abs(float(share.sum()) - 1.0), 1, nobody, nobody)
        return self._result(money, everyone, found, [], 1, "closed form")

    def payment(self, epsilon: ArrayLike, pool: float) -> Owners:
        """Return R y_i / Y of any play; nobody is paid where nobody contributes."""
        return self.rules.payment(self._play(epsilon), _as_pool(pool))

    def utility(self, epsilon: ArrayLike, pool: float) -> Owners:
        """Return payment less cost of any play, in money."""
        play = self._play(epsilon)
        return self.rules.payment(play, _as_pool(pool)) - self.rules.privacy_cost(play)

    def best_response(self, epsilon: ArrayLike, pool: float) -> Owners:
        """Return each owner's best epsilon within her bounds while the others keep theirs.

        Where nobody else contributes there is none, and her floor is returned.
        """
        return payoffs.best_response(self.rules, self._play(epsilon), _as_pool(pool))

    def deviation_gains(self, epsilon: ArrayLike, pool: float) -> Owners:
        """Return the most each owner could gain by moving alone, in money."""
        return payoffs.deviation_gains(self.rules, self._play(epsilon), _as_pool(pool))

    def regret(self, epsilon: ArrayLike, pool: float) -> float:
        """Return the most that any owner gains by moving alone, in money; 0 at equilibrium."""
        return max(0.0, float(self.deviation_gains(epsilon, pool).max()))

    @cached_property
    def _log_cost(self) -> Array:
        """Log of c_i / s_i^a."""
        rules = self.rules
        return np.asarray(np.log(rules.cost) - rules.ratio * np.log(rules.size))

    def _terms(self, kept: NDArray[np.intp], pool: float) -> Terms:
        """Return the game among those who take part, in the solver's terms."""
        self._refuse_alone(kept)
        rules, cost = self.rules, self._log_cost[kept]
        least = float(cost.min())
        return Terms(
            rules.ratio,
            cost - least,
            float(np.log(pool / rules.ratio)) - least,
            rules.contribution(rules.low)[kept],
            rules.contribution(rules.high)[kept],
        )

    def _alone(self, kept: NDArray[np.intp]) -> bool:
        """Whether fewer than two owners can contribute, and no floor makes one of them."""
        able = kept[self.rules.high[kept] > 0]
        return able.size == 0 or (able.size == 1 and bool(self.rules.low[able[0]] == 0))

    def _refuse_alone(self, kept: NDArray[np.intp]) -> None:
        if not self._alone(kept):
            return
        able = kept[self.rules.high[kept] > 0]
        if able.size == 0:
            raise InvalidInput("every owner's ceiling is 0, so nobody can contribute: raise high")
        raise InvalidInput(
            f"owner {able[0]} is alone and takes the whole pool with any epsilon above 0, so "
            "there is no equilibrium: give her a floor (low) or let others take part"
        )

    def _epsilon(self, kept: NDArray[np.intp], found: Balance) -> Array:
        """Return epsilon of the owners kept, exactly at their bounds where they stand there."""
        rules = self.rules
        free = (found.share * found.total / rules.size[kept]) ** (1.0 / rules.q)
        bounded = np.where(found.at_low, rules.low[kept], free)
        return np.asarray(np.where(found.at_high, rules.high[kept], bounded))

    def _leavers(self, kept: NDArray[np.intp], found: Balance, pool: float) -> NDArray[np.intp]:
        """Return the places of those who leave now: whoever loses most by her floor.

        In a crowd those leave together who would lose even after every other loser had left (the
        total never falls below that of the others), and a tenth of the losers if there are none.
        """
        none = np.zeros(0, dtype=np.intp)
        if not (self.rules.participation and found.at_low.any()):
            return none
        cost = self.rules.privacy_cost(self._epsilon(kept, found), kept)
        loss = np.where(found.at_low, cost - pool * found.share, 0.0)
        losing = loss > 1e-13 * cost
        if not losing.any():
            return none
        if len(kept) <= CROWD:
            return np.array([loss.argmax()])
        least = self._total(kept[~losing], pool) / found.total
        sure = np.flatnonzero(losing & (cost * least > pool * found.share))
        return sure if sure.size else np.argsort(-loss)[: 1 + int(losing.sum()) // 10]

    def _total(self, kept: NDArray[np.intp], pool: float) -> float:
        """Return the total that some owners alone would contribute; 0 if they have none."""
        if self._alone(kept):
            return 0.0
        return balance(self._terms(kept, pool)).total

    def _result(
        self,
        pool: float,
        kept: NDArray[np.intp],
        found: Balance | None,
        dropped: list[int],
        steps: int,
        solver: str = "newton",
    ) -> ContestEquilibrium:
        """Return the result of all owners, those who left included."""
        share, play = np.zeros(self.owners), np.zeros(self.owners)
        at_low, at_high = np.zeros(self.owners, dtype=bool), np.zeros(self.owners, dtype=bool)
        if found is not None:
            share[kept], play[kept] = found.share / found.share.sum(), self._epsilon(kept, found)
            at_low[kept], at_high[kept] = found.at_low, found.at_high
        gains = self.deviation_gains(play, pool)
        gone = np.array(dropped, dtype=np.int64)
        return ContestEquilibrium(
            epsilon=play,
            payment=pool * share,
            utility=pool * share - self.rules.privacy_cost(play),
            share=share,
            regret=max(0.0, float(np.delete(gains, gone).max(initial=0.0))),
            entry_regret=max(0.0, float(gains[gone].max(initial=0.0))),
            residual=found.residual if found else 0.0,
            pool=pool,
            total=found.total if found else 0.0,
            at_low=at_low,
            at_high=at_high,
            dropped=gone,
            status=describe(self.owners, share, at_low, at_high, len(dropped)),
            steps=steps,
            solver=solver,
        )

    def _play(self, epsilon: ArrayLike) -> Array:
        """Return one epsilon an owner, refused outside her bounds (0 is allowed to stay out)."""
        play = as_floats("epsilon", epsilon, minimum=0.0)
        if play.shape != (self.owners,):
            raise InvalidInput(
                f"epsilon must be one number for each of {self.owners} owners, "
                f"got shape {play.shape}"
            )
        rules = self.rules
        inside = (play >= rules.low * (1 - 1e-9)) & (play <= rules.high * (1 + 1e-9))
        bad = np.flatnonzero(~inside & ~((play == 0) & rules.participation))
        if bad.size:
            i = bad[0]
            raise InvalidInput(
                f"epsilon of owner {i} must be within [{rules.low[i]:g}, {rules.high[i]:g}], "
                f"got {play[i]:g}"
            )
        return play


def _per_owner(name: str, value: ArrayLike) -> Array:
    """Return one positive number an owner."""
    array = as_floats(name, value, positive=True)
    require_owners(name, array)
    if array.ndim > 1:
        raise InvalidInput(f"{name} must be one number an owner, got shape {array.shape}")
    return array


def _bound(name: str, value: ArrayLike, owners: int, *, finite: bool) -> Array:
    """Return a bound of each owner's epsilon, from one number or one an owner."""
    array = as_floats(name, value, minimum=0.0, finite=finite)
    if array.shape not in ((), (owners,)):
        raise InvalidInput(
            f"{name} must be one number or one for each of {owners} owners, got shape {array.shape}"
        )
    return np.array(np.broadcast_to(array, (owners,)))


def _exponents(q: float, p: float) -> tuple[float, float]:
    """Return the exponents, p >= q > 0."""
    numbers = as_floats("q", q, positive=True), as_floats("p", p, positive=True)
    if numbers[0].ndim or numbers[1].ndim:
        raise InvalidInput(f"q and p must be one number each for all owners, got {q!r} and {p!r}")
    if numbers[1] < numbers[0]:
        raise InvalidInput(
            f"p must be at least q, got p = {p:g} below q = {q:g}: if costs rise more slowly than "
            "contributions, payoffs are not concave and there may be no equilibrium"
        )
    return float(numbers[0]), float(numbers[1])


def _as_pool(pool: float) -> float:
    money = as_floats("pool", pool, positive=True)
    if money.ndim:
        raise InvalidInput(f"pool must be one amount of money, got shape {money.shape}")
    return float(money)
