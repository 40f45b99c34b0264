"""The acquisition market: users choose how much to give, round after round."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agents.acquisition.behaviors import Behavior, BestResponse, ChoiceView, Memory, Receipt
from agents.acquisition.offers import Offers
from agents.acquisition.platform import (
    BreakpointLearner,
    LearningPlatform,
    Platform,
    PlatformRegret,
)
from agents.acquisition.users import DataUser
from agents.records import Columns, Table
from agents.rounds import RoundModel
from market_sim import InvalidInput
from market_sim.errors import LedgerImbalance
from market_sim.games import AcquisitionGame
from market_sim.shapes import Array, as_floats
from market_sim.solvers import optimal_alpha
from market_sim.solvers.moves import start_profile

Levels = NDArray[np.intp]
Flags = NDArray[np.bool_]
Exceptions = Iterable[tuple[Behavior, Sequence[int]]]
_TOLERANCE = 1e-8  # of the value: above what integrated payments may miss, below a lost payment
ROUNDS = ("round", "alpha", "present", "givers", "moved", "utility", "paid", "kept")
USERS = ("round", "user", "present", "level", "payment", "cost", "utility")
EPOCHS = ("epoch", "round", "alpha", "reason", "kept", "width")


class AcquisitionMarket(RoundModel):
    """A repeated data acquisition game.

    In each round the platform announces its share alpha; users who are present choose levels; each
    is paid alpha times her fair payment among those present, and the platform keeps the rest. That
    payments and what is kept add up to U, computed apart, is checked every round. Users who are
    absent stand where they stood, give nothing and are paid nothing.

    Parameters
    ----------
    game
        Users, their costs and the utility.
    platform
        The share alpha, from 0 to 1, or the settings of a platform that learns it.
    behavior
        How users choose.
    exceptions
        Pairs of another behavior and the rows of the users who follow it.
    presence
        delta: chance that a user is there in a round, in (0, 1]; one number or one a user.
    start
        Where users stand before the first round: all private if omitted, a profile, or "random".
    timing
        "together": all choose at once, against where the others stood. "in turn": one after the
        other, in an order drawn anew each round, each seeing the moves before hers.
    seed
        Seed of all random streams, keyed by purpose and round; `rng` is the same, in Mesa's words.
    record_users
        Keep a row a user and round; turn off for very many.

    Attributes
    ----------
    levels, present
        Where users stand, and who was there in the last round, shape `(users,)`.
    received, user_utility
        Sums over rounds of payments, and of payments less costs, shape `(users,)`.

    Raises
    ------
    InvalidInput
        If an argument is none of these, or out of range.

    Notes
    -----
    Source: Fair Value of Data [S] Section 5, the game; [D] users who learn, and who come and go.
    """

    def __init__(  # noqa: PLR0913 - a market is its people and its rules; most have defaults
        self,
        game: AcquisitionGame,
        platform: float | BreakpointLearner,
        *,
        behavior: Behavior | None = None,
        exceptions: Exceptions = (),
        presence: ArrayLike = 1.0,
        start: ArrayLike | str | None = None,
        timing: str = "together",
        seed: int = 0,
        rng: int | None = None,
        record_users: bool = True,
    ) -> None:
        super().__init__(seed, rng)
        if not isinstance(game, AcquisitionGame):
            raise InvalidInput(f"game must be an AcquisitionGame, got {type(game).__name__}")
        if timing not in ("together", "in turn"):
            raise InvalidInput(f'timing must be "together" or "in turn", got {timing!r}')
        self.game = game
        self.offers = Offers(game)
        self.timing = timing
        self.presence = _checked_presence(presence, game.users)
        self.levels: Levels = start_profile(game, start, self.streams.root)
        self.present: Flags = np.ones(game.users, dtype=bool)
        self.received, self.user_utility = np.zeros(game.users), np.zeros(game.users)
        self.behaviors: list[Behavior] = []
        self._behavior = np.zeros(game.users, dtype=np.intp)
        self._follow(BestResponse() if behavior is None else behavior, exceptions)
        self._memories = [Memory.empty(game.users, game.levels) for _ in self.behaviors]
        self._users: dict[int, DataUser] = {}
        self._rounds = Columns(ROUNDS)
        self._user_rows = Columns(USERS) if record_users else None
        self.platform = (
            LearningPlatform(self, platform)
            if isinstance(platform, BreakpointLearner)
            else Platform(self, platform)
        )

    def user(self, row: int) -> DataUser:
        """Return the user of a row as a Mesa agent, made on first use."""
        row = self._known(np.array([row]))[0]
        if row not in self._users:
            self._users[row] = DataUser(self, int(row))
        return self._users[row]

    def behavior_of(self, row: int) -> Behavior:
        """Return how a user chooses."""
        return self.behaviors[int(self._behavior[row])]

    def memory_of(self, row: int) -> Memory:
        """Return the memory that a user shares with all who follow her behavior."""
        return self._memories[int(self._behavior[row])]

    def step(self) -> None:
        """Run one round: announce, choose, pay, check, learn, record."""
        alpha = self.platform.announce()
        draws = self.streams.generator("presence", self.round).random(self.game.users)
        self.present = draws < self.presence
        before = self.levels.copy()
        self._choose(alpha)
        rows = np.flatnonzero(self.present)
        offered = self.offers.payments(self.levels, self.present, rows)
        payment = np.zeros(self.game.users)
        payment[rows] = alpha * offered[np.arange(rows.size), self.levels[rows]]
        cost = np.where(self.present, self.game.costs[np.arange(payment.size), self.levels], 0.0)
        value = self.offers.value(self.levels, self.present)
        kept = value - float(payment.sum())
        self._check(alpha, value, payment)
        self.received += payment
        self.user_utility += payment - cost
        self.platform.settle(kept)
        self._teach(alpha, rows, offered)
        moved = int((before != self.levels).sum())
        self._record((alpha, moved, value, kept), payment, cost)
        self.round += 1

    def tables(self) -> dict[str, Table]:
        """Return "rounds", "users" if recorded, and "epochs" of a learning platform as columns."""
        tables = {"rounds": self._rounds.table()}
        if self._user_rows is not None:
            tables["users"] = self._user_rows.table()
        if isinstance(self.platform, LearningPlatform):
            columns = Columns(EPOCHS)
            for row in self.platform.epochs:
                columns.append(dict(zip(EPOCHS, row, strict=True)))
            tables["epochs"] = columns.table()
        return tables

    def platform_regret(self) -> PlatformRegret:
        """Compare what the platform kept with the optima of one who knows the costs.

        Raises
        ------
        InvalidInput
            If no round was run or the game is too large for the exact optima.
        """
        kept = self.platform.kept
        if not kept:
            raise InvalidInput("there is no regret before the first round: call run first")
        return PlatformRegret(
            rounds=len(kept),
            kept=float(np.mean(kept)),
            late=float(np.mean(kept[-max(len(kept) // 4, 1) :])),
            alpha=self.platform.alpha,
            optimistic=optimal_alpha(self.game).value,
            pessimistic=optimal_alpha(self.game, "pessimistic").value,
        )

    def _choose(self, alpha: float) -> None:
        """Have everyone present choose, in one call a behavior or one after the other."""
        users = self.game.users
        restless = self.streams.generator("inertia", self.round).random(users)
        draws = self.streams.generator("choice", self.round).random(users)
        if self.timing == "together":
            standing = self.levels.copy()
            for number in range(len(self.behaviors)):
                rows = np.flatnonzero(self.present & (self._behavior == number))
                if rows.size:
                    self._ask(number, rows, standing, alpha, restless[rows], draws[rows])
            return
        order = self.streams.generator("order", self.round).permutation(users)
        for row in order[self.present[order]]:
            one = np.array([row])
            number = int(self._behavior[row])
            self._ask(number, one, self.levels, alpha, restless[one], draws[one])

    def _ask(
        self,
        number: int,
        rows: Levels,
        standing: Levels,
        alpha: float,
        restless: Array,
        draws: Array,
    ) -> None:
        """Ask the users of one behavior, and let the platform see what they answer."""
        offered = self.offers.payments(standing, self.present, rows)
        payoffs = alpha * offered - self.game.costs[rows]
        stake = self._stakes(alpha)[1]
        view = ChoiceView(rows, standing[rows], payoffs, stake, restless, draws)
        chosen, answered = self.behaviors[number].choose(view, self._memories[number])
        self.levels[rows] = chosen
        self.platform.observe(rows[answered], chosen[answered], offered[answered])

    def _stakes(self, alpha: float) -> tuple[float, float]:
        """Return the largest payoff possible, and how far the smallest is below it."""
        lowest, highest = self.offers.range
        best = alpha * highest
        return best, max(best - alpha * lowest + float(self.game.costs.max()), 1e-300)

    def _check(self, alpha: float, value: float, payment: Array) -> None:
        """Prove that payments are alpha times the value of what was given.

        Raises
        ------
        LedgerImbalance
            Naming both.
        """
        paid = float(payment.sum())
        scale = max(abs(value), float(np.abs(payment).sum()), *self.offers.range)
        if not abs(paid - alpha * value) <= _TOLERANCE * scale:
            raise LedgerImbalance(
                f"payments of round {self.round} sum to {paid:.12g} but alpha times the value is "
                f"{alpha * value:.12g}: fair payments must add up to the value"
            )

    def _teach(self, alpha: float, rows: Levels, offered: Array) -> None:
        """Let users learn from what the round brought."""
        best, stake = self._stakes(alpha)
        for number, behavior in enumerate(self.behaviors):
            mine = np.flatnonzero(self._behavior[rows] == number)
            who = rows[mine]
            payoffs = alpha * offered[mine] - self.game.costs[who]
            receipt = Receipt(who, self.levels[who], payoffs, best, stake, self.game.groups)
            behavior.learn(receipt, self._memories[number])

    def _record(self, totals: tuple[float, int, float, float], payment: Array, cost: Array) -> None:
        alpha, moved, value, kept = totals
        givers = int((self.present & (self.levels > 0)).sum())
        row = (self.round, alpha, int(self.present.sum()), givers, moved, value, value - kept, kept)
        self._rounds.append(dict(zip(ROUNDS, row, strict=True)))
        if self._user_rows is not None:
            users, gain = np.arange(self.game.users), payment - cost
            columns = (users, self.present.copy(), self.levels.copy(), payment, cost, gain)
            self._user_rows.append(dict(zip(USERS, (self.round, *columns), strict=True)))

    def _follow(self, behavior: Behavior, exceptions: Exceptions) -> None:
        """Note who follows which behavior."""
        for other, rows in [(behavior, range(self.game.users)), *exceptions]:
            if not isinstance(other, Behavior):
                raise InvalidInput(f"behavior must be an instance of Behavior, got {other!r}")
            self._behavior[self._known(np.asarray(rows))] = len(self.behaviors)
            self.behaviors.append(other)

    def _known(self, rows: NDArray[np.intp]) -> Levels:
        """Return rows as given, refused if there is no such user."""
        array = np.atleast_1d(rows)
        whole = array.size == 0 or np.issubdtype(array.dtype, np.integer)
        if not whole or (array < 0).any() or (array >= self.game.users).any():
            raise InvalidInput(
                f"users are whole numbers from 0 to {self.game.users - 1}, got {array.tolist()}"
            )
        return array.astype(np.intp)


def _checked_presence(presence: ArrayLike, users: int) -> Array:
    chances = as_floats("presence", presence, positive=True)
    if chances.shape not in ((), (users,)) or (chances > 1.0).any():
        raise InvalidInput(
            f"presence must be above 0 and at most 1, one number or one a user ({users}), "
            f"got {np.asarray(presence).tolist()!r:.80}"
        )
    return np.broadcast_to(chances, (users,))
