"""The figures by name, and what of them fits a run."""

import difflib
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from analysis.figures import (
    accuracy_against_budget,
    attack_strength,
    audit,
    budget_use,
    certified_regret,
    equilibrium_intervals,
    error_against_budget,
    error_against_owners,
    fair_payments,
    frontier,
    learning_curve,
    money_and_privacy_flow,
    owner_outcomes,
    price_of_robustness,
    ratio_to_possible,
    regime_map,
    regimes_two_users,
    regret_tests,
    training_curves,
    two_costs,
)
from analysis.figures.privacy_figures import PRIVACY_FIGURES
from analysis.figures.sharing_figures import SHARING_FIGURES
from analysis.figures.spec import FigureSpec
from analysis.figures.studies import swept
from analysis.figures.version_figures import VERSION_FIGURES
from analysis.runs import Run, load_run
from analysis.style import save
from market_sim.errors import ResultsError


def _sweeps_owners(run: Run) -> bool:
    return bool(run.table("auctions", columns=["owners"])["owners"].nunique() > 1)


def _sweeps_budget(run: Run) -> bool:
    frame = run.table("auctions", columns=["budget_law", "budget"])
    return bool((frame.groupby("budget_law")["budget"].nunique() > 1).any())


def _learns(run: Run) -> bool:
    return bool(run.table("rounds", columns=["accuracy"])["accuracy"].notna().any())


def _filled(run: Run, table: str) -> bool:
    """Tell whether a table has a row."""
    return bool(run.rows(table))


_MARKET_FIGURES: dict[str, FigureSpec] = {
    "error-against-budget": FigureSpec(
        error_against_budget.draw,
        ("auctions",),
        ("auctions",),
        "error bound of the bought gradient against the budget",
        lambda run: _sweeps_budget(run) or not _sweeps_owners(run),
    ),
    "error-against-owners": FigureSpec(
        error_against_owners.draw,
        ("auctions",),
        ("auctions",),
        "error bound of the bought gradient against the number of owners",
        _sweeps_owners,
    ),
    "ratio-to-possible": FigureSpec(
        ratio_to_possible.draw,
        ("auctions",),
        ("auctions",),
        "error bound as a multiple of the least that full information makes possible",
        ratio_to_possible.fits,
    ),
    "accuracy-against-budget": FigureSpec(
        accuracy_against_budget.draw,
        ("market",),
        ("rounds",),
        "accuracy, balanced accuracy and AUC against the budget",
        _learns,
    ),
    "learning-curve": FigureSpec(
        learning_curve.draw,
        ("market",),
        ("rounds",),
        "quality of the model and error bound over rounds",
    ),
    "money-and-privacy-flow": FigureSpec(
        money_and_privacy_flow.draw,
        ("market",),
        ("rounds", "owners"),
        "how one round's money and privacy flowed",
    ),
    "owner-outcomes": FigureSpec(
        owner_outcomes.draw,
        ("market",),
        ("rounds", "owners"),
        "payment, utility and composed privacy of each owner over rounds",
    ),
    "budget-use": FigureSpec(
        budget_use.draw,
        ("auctions", "market"),
        (),
        "share of the money that is spent, and winners",
        lambda run: bool({"auctions", "rounds"} & set(run.tables)),
    ),
    "audit": FigureSpec(
        audit.draw,
        ("audit",),
        ("audit",),
        "what owners gain by lying to each mechanism",
    ),
    "fair-payments": FigureSpec(
        fair_payments.draw,
        ("fair-value",),
        ("payments",),
        "what each type of user is paid for her data",
    ),
    "equilibrium-intervals": FigureSpec(
        equilibrium_intervals.draw,
        ("platform",),
        ("optima", "partitions"),
        "pure equilibria against the share paid out, and what the platform keeps",
        lambda run: _filled(run, "partitions"),
    ),
    "regimes-two-users": FigureSpec(
        regimes_two_users.draw,
        ("platform",),
        ("optima",),
        "best share, chance of privacy and value against the cost",
        lambda run: swept(run, "cost"),
    ),
    "two-costs": FigureSpec(
        two_costs.draw,
        ("platform",),
        ("optima",),
        "best share, chance of privacy and value over the costs of two users",
        lambda run: swept(run, "cost_1", "cost_2"),
    ),
    "regime-map": FigureSpec(
        regime_map.draw,
        ("platform",),
        ("optima",),
        "best share and regimes over two parameters, with thresholds",
        regime_map.has_map,
    ),
    "price-of-robustness": FigureSpec(
        price_of_robustness.draw,
        ("platform",),
        ("optima",),
        "what is lost to other equilibria, dynamics and unknown costs",
        price_of_robustness.fits,
    ),
    "regret-tests": FigureSpec(
        regret_tests.draw,
        ("attack",),
        ("attack",),
        "regret of learned auctions by the published test and under a strong attack",
        regret_tests.has_networks,
    ),
    "attack-strength": FigureSpec(
        attack_strength.draw,
        ("attack",),
        ("attack",),
        "measured regret against the strength of the attack",
        regret_tests.has_networks,
    ),
    "frontier": FigureSpec(
        frontier.draw,
        ("attack",),
        ("attack",),
        "error bound against what owners gain by lying",
    ),
    "certified-regret": FigureSpec(
        certified_regret.draw,
        ("attack",),
        ("certificates",),
        "regret of small lies: what an attack found and what is proved",
        certified_regret.has_certificates,
    ),
    "training-curves": FigureSpec(
        training_curves.draw,
        ("training",),
        ("training",),
        "the parts of the loss while a learned auction is trained",
    ),
}

FIGURES = _MARKET_FIGURES | PRIVACY_FIGURES | VERSION_FIGURES | SHARING_FIGURES
"""Every figure by the name that manifests and the command use."""


def figure_names(run: Run | None = None) -> list[str]:
    """Names of all figures, or of those that `run` has the tables for."""
    if run is None:
        return list(FIGURES)
    present = set(run.tables)
    return [
        name
        for name, spec in FIGURES.items()
        if run.experiment in spec.experiments and present.issuperset(spec.tables) and spec.fits(run)
    ]


def draw_figure(name: str, run: Run) -> Figure:
    """Draw the figure `name` of the registry from a run.

    Raises
    ------
    ResultsError
        When there is no such figure, or the run does not hold what it shows.
    """
    spec = FIGURES.get(name)
    if spec is None:
        near = difflib.get_close_matches(name, FIGURES, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(FIGURES)}."
        raise ResultsError(f"There is no figure {name!r}; {hint}")
    if run.experiment not in spec.experiments:
        raise ResultsError(
            f"Figure {name!r} needs a run of {' or '.join(spec.experiments)}, "
            f"but {run.folder} is one of {run.experiment or 'an unnamed experiment'}."
        )
    return spec.draw(run)


def plot_run(
    path: str | Path, *, names: Sequence[str] | None = None, folder: str | Path | None = None
) -> list[Path]:
    """Draw a run's figures as PDF and PNG.

    Parameters
    ----------
    path
        The run's folder.
    names
        Figures to draw; when None, those that the manifest lists, and when it lists none, all that
        fit the run.
    folder
        Where to write; `figures` in the run's folder when None.

    Returns
    -------
    list of Path
        The files written, two for each figure.

    Raises
    ------
    ResultsError
        When a figure cannot be drawn or written, or there is none to draw.
    """
    run = load_run(path)
    listed = run.manifest.get("figures") or []
    chosen = list(names if names is not None else listed) or figure_names(run)
    if not chosen:
        known = ", ".join(run.tables) or "no table"
        raise ResultsError(f"No figure fits {run.folder}, which holds {known}.")
    place = run.folder / "figures" if folder is None else Path(folder)
    return [file for name in chosen for file in save(draw_figure(name, run), place, name)]
