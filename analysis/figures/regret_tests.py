"""What the published test reports of learned auctions, and what a strong attack finds (Table 1)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.attacks import PUBLISHED, middle_budget, read_attacks, strongest, zero_scale
from analysis.figures.markets import settings_in_order
from analysis.figures.panels import panels, profiles_text
from analysis.names import budget_text, in_order, setting_text
from analysis.runs import Run
from analysis.style import Look, headline, legend_below, looks, themed
from analysis.tables import mean_interval

TESTS = {
    "paper": "the paper's network, its own test (as printed)",
    "own": "this network, the published test",
    "strong": "this network, strong attack",
}
_IR = "loss of a truthful owner (money)"


@dataclass(frozen=True)
class Printed:
    """A column of Table 1: regret (largest, mean) and the largest loss of a truthful owner."""

    regret_max: float
    regret_mean: float
    ir_violation_max: float


TABLE_1 = {
    ("MURBA, M = 10", "low"): Printed(0.0040, 0.0009, 0.0011),
    ("MURBA, M = 15", "low"): Printed(0.0226, 0.0051, 0.0034),
    ("MURBA, M = 20", "low"): Printed(0.0229, 0.0057, 0.0009),
    ("MURBA, M = 10", "high"): Printed(0.1603, 0.0537, 0.0013),
    ("MURBA, M = 15", "high"): Printed(0.1307, 0.0371, 0.0279),
    ("MURBA, M = 20", "high"): Printed(0.0718, 0.0265, 0.0361),
}
"""Table 1 of FL-Market (2021), by mechanism and setting."""


@themed
def draw(run: Run, *, setting: str | None = None, budget_law: str | None = None) -> Figure:
    """Draw, for each learned auction, the regret that each test reports, and the IR violation.

    Filled marks are means with their 95 % interval over seeds, open marks maxima. At the middle
    budget; what Table 1 of the paper prints stands beside it.

    Parameters
    ----------
    run
        A run of the experiment "attack".
    setting, budget_law
        Only this one; all settings and the first law when None.

    Raises
    ------
    ResultsError
        When the table or what was asked for is missing.
    """
    frame = middle_budget(read_attacks(run, setting=setting, budget_law=budget_law))
    table = tests(frame)
    mechanisms = in_order(table["mechanism"].tolist())
    settings = settings_in_order(table)
    layout = panels(len(settings), 2, height=0.35 + 0.42 * len(mechanisms))
    present = set(table["test"])
    styles = {name: look for name, look in looks(TESTS).items() if name in present}
    for row, name in enumerate(settings):
        part = table[table["setting"] == name]
        for column, measure in enumerate(("regret", "ir_violation")):
            axes = layout.axes[row, column]
            _panel(axes, part, mechanisms, styles, measure)
            both = table[[f"{measure}_mean", f"{measure}_max"]].to_numpy(dtype=float)
            zero_scale(axes, both.ravel().tolist())
        title = setting_text(name)
        layout.axes[row, 0].set_title(f"{title}: regret" if title else "regret")
        layout.axes[row, 1].set_title("individual rationality")
    layout.axes[len(settings) - 1, 0].set_xlabel("regret (money)")
    layout.axes[len(settings) - 1, 1].set_xlabel(_IR)
    handles = [
        layout.axes[0, 0].plot([], [], color=k.color, marker=k.marker, linestyle=k.dash)[0]
        for k in styles.values()
    ]
    headline(layout.figure, "What tests say about the regret of learned auctions")
    legend_below(layout.figure, handles, [TESTS[name] for name in styles], _note(frame))
    return layout.figure


def has_networks(run: Run) -> bool:
    """Tell whether a gradient attacked anything."""
    return bool((run.table("attack", columns=["restarts"])["restarts"] > 0).any())


def tests(frame: pd.DataFrame) -> pd.DataFrame:
    """One row for each setting, learned auction and test: mean with interval, and maximum.

    Mechanisms that no gradient attacked are left out.
    """
    strong = strongest(frame[frame["lies"] > 0]).assign(test="strong")
    own = frame[frame["method"] == PUBLISHED].assign(test="own")
    both = pd.concat([own, strong], ignore_index=True)
    keys = ["setting", "mechanism", "test"]
    columns = {}
    for measure in ("regret", "ir_violation"):
        means = mean_interval(both, keys, f"{measure}_mean").set_index(keys)
        for name in ("mean", "low", "high"):
            columns[f"{measure}_{name}"] = means[name]
        columns[f"{measure}_max"] = both.groupby(keys)[f"{measure}_max"].max()
    table = pd.DataFrame(columns).reset_index()
    return pd.concat([table, _printed(table)], ignore_index=True)


def _printed(table: pd.DataFrame) -> pd.DataFrame:
    """Return what the paper prints of the mechanisms that are in the table."""
    present = set(zip(table["mechanism"], table["setting"], strict=True))
    rows = [
        {
            "setting": setting,
            "mechanism": mechanism,
            "test": "paper",
            "regret_mean": known.regret_mean,
            "regret_max": known.regret_max,
            "ir_violation_max": known.ir_violation_max,
        }
        for (mechanism, setting), known in TABLE_1.items()
        if (mechanism, setting) in present
    ]
    return pd.DataFrame(rows, columns=table.columns)


def _panel(
    axes: Axes, part: pd.DataFrame, mechanisms: list[str], styles: dict[str, Look], measure: str
) -> None:
    offsets = np.linspace(-0.25, 0.25, len(styles)) if len(styles) > 1 else np.zeros(1)
    for (test, look), offset in zip(styles.items(), offsets, strict=True):
        rows = part[part["test"] == test]
        if measure == "ir_violation" and test == "strong":
            continue  # a truthful owner's loss has nothing to do with lies
        place = np.array([mechanisms.index(name) for name in rows["mechanism"]]) + offset
        mean, low, high, most = (
            rows[f"{measure}_{name}"].to_numpy(dtype=float)
            for name in ("mean", "low", "high", "max")
        )
        axes.hlines(
            place,
            np.where(np.isfinite(mean), mean, most),
            most,
            color=look.color,
            linewidth=0.8,
            linestyle=look.dash,
        )
        axes.hlines(place, np.maximum(low, 0.0), high, color=look.color, linewidth=2.4)
        axes.plot(mean, place, linestyle="none", marker=look.marker, color=look.color)
        axes.plot(
            most, place, linestyle="none", marker=look.marker, color=look.color, fillstyle="none"
        )
    axes.set_yticks(range(len(mechanisms)), mechanisms)
    axes.set_ylim(len(mechanisms) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")


def _note(frame: pd.DataFrame) -> str:
    budget = budget_text(frame["budget_law"].iloc[0], frame["budget"].iloc[0])
    seeds = frame["seed"].nunique()
    spread = " Thick: 95\N{NO-BREAK SPACE}% interval of the mean." if seeds > 1 else ""
    return (
        f"{budget[0].upper()}{budget[1:]}. Filled mark: mean; open mark: maximum.{spread} "
        f"{seeds} seed{'s' if seeds > 1 else ''}, {profiles_text(frame['profiles'].tolist())} each."
    )
