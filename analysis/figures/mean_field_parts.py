"""What the figures of mean field games share: which games and solves a run holds."""

from collections.abc import Sequence

import pandas as pd

from analysis.names import keep
from analysis.runs import Run
from analysis.tables import require

_GAME = ["seed", "game", "title", "method", "cells", "nodes"]


def read(run: Run, table: str, columns: Sequence[str]) -> pd.DataFrame:
    """Return a table of a run.

    Raises
    ------
    ResultsError
        When the table or a column is missing.
    """
    frame = run.table(table)
    require(frame, [*_GAME, *columns])
    return frame


def first_seed(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep one seed: solving draws nothing, so all seeds have the same solutions."""
    return pd.DataFrame(frame[frame["seed"] == frame["seed"].iloc[0]])


def first_solves(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep each game's first method on its first grid, of the first seed."""
    rows = first_seed(frame)
    solves = rows.groupby("game")[["method", "cells", "nodes"]].transform("first")
    same = (rows[["method", "cells", "nodes"]] == solves).all(axis=1)
    return pd.DataFrame(rows[same])


def titles(frame: pd.DataFrame) -> dict[str, str]:
    """Return the games in the run's order, and what they are called."""
    return dict(frame.drop_duplicates("game").set_index("game")["title"])


def one_game(frame: pd.DataFrame, game: str | None, by: str | None = None) -> pd.DataFrame:
    """Return one game: the named one, else the one with most values of a column, else the first.

    Raises
    ------
    ResultsError
        When there is no game of this name.
    """
    if game is None and by is not None:
        game = str(frame.groupby("game", sort=False)[by].nunique().idxmax())
    return keep(frame, {"game": frame["game"].iloc[0] if game is None else game})
