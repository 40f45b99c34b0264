"""One market solved three ways: by agents, by equilibria, and in the mean-field limit."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from agents.acquisition.behaviors import Behavior
from agents.acquisition.market import AcquisitionMarket
from agents.acquisition.mean_field import MeanField, mean_field
from market_sim import InvalidInput, Streams
from market_sim.games import AcquisitionGame
from market_sim.games.acquisition import check_alpha
from market_sim.shapes import as_floats, whole_number
from market_sim.solvers import Equilibrium, pure_equilibria, symmetric_equilibria

__all__ = ["MeanField", "Play", "ThreeWays", "mean_field", "solve_three_ways"]


@dataclass(frozen=True)
class Play:
    """What one way of solving a market says.

    Attributes
    ----------
    name
        Of the way.
    value
        What the platform keeps a round.
    participation
        Share of the users who are not at the private level.
    payments
        Sum of all payments a round.
    """

    name: str
    value: float
    participation: float
    payments: float


@dataclass(frozen=True)
class ThreeWays:
    """Where agents go, next to equilibria and the mean-field limit.

    Attributes
    ----------
    alpha
        Share of the value that is paid out.
    agents
        Means over the later rounds of all runs.
    ends
        Where runs ended: pairs of U in the last round and the share of runs, most frequent first.
    equilibria
        Best and worst pure equilibrium and, if users are identical, best and worst symmetric one.
    mean_field
        Best and worst of the limit; empty if there is none.
    note
        Why there is no mean-field limit, or what it replaces.
    """

    alpha: float
    agents: Play
    ends: tuple[tuple[float, float], ...]
    equilibria: tuple[Play, ...]
    mean_field: tuple[Play, ...]
    note: str

    def gaps(self) -> dict[str, tuple[float, float, float]]:
        """Return value, participation and payments of the agents less those of each other way."""
        mine = self.agents
        return {
            other.name: (
                mine.value - other.value,
                mine.participation - other.participation,
                mine.payments - other.payments,
            )
            for other in (*self.equilibria, *self.mean_field)
        }

    def to_dict(self) -> dict[str, object]:
        """Return everything as plain numbers and text, ready for JSON."""
        plays = (self.agents, *self.equilibria, *self.mean_field)
        names = ("value", "participation", "payments")
        return {
            "alpha": self.alpha,
            "plays": {play.name: {name: getattr(play, name) for name in names} for play in plays},
            "gaps": {name: dict(zip(names, gap, strict=True)) for name, gap in self.gaps().items()},
            "ends": [{"utility": value, "share": share} for value, share in self.ends],
            "note": self.note,
        }

    def __str__(self) -> str:
        head = f"{'alpha ' + format(self.alpha, '.6g'):<18}{'value':>12}{'share gives':>13}"
        lines = [head + f"{'payments':>12}{'agents less this':>18}"]
        for play in (self.agents, *self.equilibria, *self.mean_field):
            row = f"{play.name:<18}{play.value:>12.6g}{play.participation:>13.4f}"
            row += f"{play.payments:>12.6g}"
            gap = self.agents.value - play.value
            lines.append(row if play is self.agents else row + f"{gap:>18.4g}")
        ends = ", ".join(f"U = {value:.6g} ({share:.1%})" for value, share in self.ends[:4])
        more = f" and {len(self.ends) - 4} others" if len(self.ends) > 4 else ""
        return "\n".join([*lines, f"runs end at {ends}{more}", self.note])


def solve_three_ways(
    game: AcquisitionGame,
    alpha: float,
    *,
    behavior: Behavior | None = None,
    timing: str = "in turn",
    rounds: int = 100,
    judged: float = 0.5,
    runs: int = 1,
    seed: int = 0,
) -> ThreeWays:
    """Solve one market by agents, by the equilibria of its game, and in the mean-field limit.

    Parameters
    ----------
    game
        The data acquisition game, small enough for all its pure equilibria.
    alpha
        Share of the value that is paid out, from 0 to 1.
    behavior, timing
        Of the agents, see `AcquisitionMarket`; best response with inertia by default.
    rounds
        Rounds of each run.
    judged
        Last part of the rounds over which is averaged, in (0, 1].
    runs
        Independent runs, each from random levels.
    seed
        Of all runs.

    Raises
    ------
    InvalidInput
        If an argument is outside its domain or the game is too large for its equilibria.
    """
    share = check_alpha(alpha)
    if not 0.0 < float(as_floats("judged", judged)) <= 1.0:
        raise InvalidInput(f"judged must be above 0 and at most 1, got {judged}")
    whole_number("rounds", rounds, 1)
    pure = pure_equilibria(game, share, count=False)
    finite = list(_extremes("pure", [_of_pure(e) for e in pure]))
    limit: list[Play] = []
    note = "no mean-field limit: users differ"
    if int(game.groups.max()) == 0:
        mixed = symmetric_equilibria(game, share)
        finite += _extremes("symmetric", [_of_mixture(e) for e in mixed])
        note = "no mean-field limit: more than two levels, or a private level that gives"
        if game.symmetric.binary:
            limit += _extremes("mean field", [_of_limit(e) for e in mean_field(game, share)])
            note = "the mean field puts the mean in place of the number of others who give"
    agents, ends = _agents(
        game, share, behavior, timing, (rounds, max(round(rounds * judged), 1)), runs, seed
    )
    return ThreeWays(share, agents, ends, tuple(finite), tuple(limit), note)


def _agents(
    game: AcquisitionGame,
    alpha: float,
    behavior: Behavior | None,
    timing: str,
    rounds: tuple[int, int],
    runs: int,
    seed: int,
) -> tuple[Play, tuple[tuple[float, float], ...]]:
    """Run the agents and average over late rounds and runs."""
    streams, late, ends = Streams(seed), [], []
    for run in range(whole_number("runs", runs, 1)):
        market = AcquisitionMarket(
            game,
            alpha,
            behavior=behavior,
            timing=timing,
            start="random",
            seed=streams.seed("run", run),
            record_users=False,
        )
        market.run(rounds[0])
        table = market.tables()["rounds"]
        late.append([table[name][-rounds[1] :].mean() for name in ("kept", "givers", "paid")])
        ends.append(float(table["utility"][-1]))
    kept, givers, paid = np.mean(late, axis=0).tolist()
    scale = max(abs(end) for end in ends) or 1.0
    values, counts = np.unique(np.round(np.array(ends) / scale, 9), return_counts=True)
    order = np.argsort(-counts, kind="stable")
    shares = tuple((float(values[i] * scale), float(counts[i]) / len(ends)) for i in order)
    return Play("agents", kept, givers / game.users, paid), shares


def _of_pure(found: Equilibrium) -> tuple[float, float, float]:
    return found.value, float((found.strategy > 0).mean()), found.alpha * found.utility


def _of_mixture(found: Equilibrium) -> tuple[float, float, float]:
    return found.value, 1.0 - float(found.strategy[0]), found.alpha * found.utility


def _of_limit(found: MeanField) -> tuple[float, float, float]:
    return found.value, found.chance, found.alpha * found.utility


def _extremes(name: str, plays: list[tuple[float, float, float]]) -> Iterator[Play]:
    """Yield the best play for the platform, and the worst if it is another."""
    best, worst = max(plays), min(plays)
    if best == worst:
        yield Play(name, *best)
        return
    yield Play(f"best {name}", *best)
    yield Play(f"worst {name}", *worst)
