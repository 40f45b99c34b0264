"""What the figures of attacks share: the strongest attack on each mechanism, scales with a zero."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.names import budget_text, keep, middle, setting_text, with_labels
from analysis.runs import Run
from analysis.tables import mean_interval

PLACE = ["setting", "budget_law", "budget"]
PUBLISHED = "published"
SHARE = "regret (% of the payments)"
_DECADES = 4


def read_attacks(
    run: Run, *, setting: str | None = None, budget_law: str | None = None
) -> pd.DataFrame:
    """Read the attacks of a run, names written as figures do, regret as % of payments.

    Returns
    -------
    DataFrame
        The table "attack" with `percent` (regret in % of the payments) and `lies` (restarts times
        steps, 0 where an audit took the place of gradients).

    Raises
    ------
    ResultsError
        When the table or what was asked for is missing.
    """
    frame = keep(run.table("attack"), {"setting": setting, "budget_law": budget_law})
    lies = frame["restarts"] * frame["steps"]
    return with_labels(frame.assign(percent=100 * frame["regret_share"], lies=lies))


def strongest(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep the strongest attack on each mechanism; the published test is none."""
    attacks = frame[frame["method"] != PUBLISHED]
    keys = [*PLACE, "mechanism"]
    most = attacks.groupby(keys)["lies"].transform("max")
    return attacks[attacks["lies"] == most]


def intervals(frame: pd.DataFrame, by: Sequence[str], values: Sequence[str]) -> pd.DataFrame:
    """Mean and interval over seeds of several columns side by side: `x_mean`, `x_low`, `x_high`."""
    parts = []
    for value in values:
        table = mean_interval(frame, by, value).set_index(list(by))[["mean", "low", "high"]]
        parts.append(table.add_prefix(f"{value}_"))
    return pd.concat(parts, axis="columns").reset_index()


def middle_budget(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep the first budget law and the middle one of its levels."""
    frame = keep(frame, {"budget_law": frame["budget_law"].iloc[0]})
    return keep(frame, {"budget": middle(frame["budget"].tolist())})


def place_text(setting: object, law: object, budget: object) -> str:
    """Write where attacks took place: setting and budget."""
    return "\n".join(part for part in (setting_text(setting), budget_text(law, budget)) if part)


def zero_scale(axes: Axes, values: Sequence[float], which: str = "x") -> None:
    """Make an axis logarithmic over four decades below the largest value, and linear down to 0."""
    known = np.asarray(values, dtype=float)
    largest = float(np.nanmax(known[np.isfinite(known)], initial=0.0))
    axis = axes.xaxis if which == "x" else axes.yaxis
    limits = axes.set_xlim if which == "x" else axes.set_ylim
    if largest <= 0:
        limits(-0.05, 1)
        axis.set_ticks([0])
        return
    top = int(np.ceil(np.log10(largest)))
    threshold = 10.0 ** (top - _DECADES)
    scale = axes.set_xscale if which == "x" else axes.set_yscale
    scale("symlog", linthresh=threshold, linscale=0.5)
    limits(-threshold / 3, 10.0**top * 1.3)
    ticks = [0.0, *(10.0 ** (top - step) for step in range(_DECADES, -1, -1))]
    axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.set_ticks([], minor=True)
