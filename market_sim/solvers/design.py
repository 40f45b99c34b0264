"""Platform design: how much of the value to give away."""

from numpy.typing import ArrayLike

from market_sim.errors import InvalidInput
from market_sim.games import AcquisitionGame
from market_sim.solvers.optimum import PlatformOptimum
from market_sim.solvers.pure_design import dynamic, optimistic, pessimistic
from market_sim.solvers.symmetric_design import symmetric_optimum
from market_sim.solvers.two_users import mixed_optimum

SELECTIONS = ("optimistic", "pessimistic", "dynamics")
PLAYS = ("pure", "symmetric", "mixed")


def optimal_alpha(
    game: AcquisitionGame,
    selection: str = "optimistic",
    play: str = "pure",
    *,
    start: ArrayLike | str | None = None,
    order: str = "cyclic",
    seed: int = 0,
) -> PlatformOptimum:
    r"""Return the share alpha that leaves the platform most, max (1 - alpha) U(play at alpha).

    Exact and without a grid: a pure profile is an equilibrium on an interval of alpha, so the
    candidates are ends of finitely many intervals; symmetric play of two levels leaves critical
    points of a polynomial, all of which are isolated.

    Parameters
    ----------
    game
        The data acquisition game.
    selection
        Which equilibrium users play. "optimistic": the one that the platform likes best, as
        published. "pessimistic": the one it likes least, so that the value is guaranteed whichever
        is played. "dynamics": where best response goes from `start`.
    play
        "pure". "symmetric": one mixture for all, identical users with two levels (Theorem 3).
        "mixed": all equilibria of two users with two levels (Fig. 9), optimistic only.
    start, order, seed
        Of best response, for selection="dynamics".

    Returns
    -------
    PlatformOptimum
        With `.alpha`, `.value`, `.profile`, `.regime`, and the play with its regret. The
        pessimistic and dynamic optimum may be a limit that is not attained: see `.attained`.

    Raises
    ------
    InvalidInput
        If selection or play is unknown, or the game is too large or of another shape; the message
        says what to use instead.

    Notes
    -----
    Source: Fair Value of Data [S] problems (19) and (21); [D] algorithm E and selections.
    """
    if selection not in SELECTIONS:
        raise InvalidInput(f"selection must be one of {SELECTIONS}, got {selection!r}")
    if play not in PLAYS:
        raise InvalidInput(f"play must be one of {PLAYS}, got {play!r}")
    if play == "symmetric":
        return symmetric_optimum(game, selection)
    if play == "mixed":
        if selection != "optimistic":
            raise InvalidInput(f'play="mixed" is optimistic only, got selection={selection!r}')
        return mixed_optimum(game)
    if selection == "dynamics":
        return dynamic(game, start, order, seed)
    return optimistic(game) if selection == "optimistic" else pessimistic(game)
