"""The figures of the privacy auction game, by name."""

from analysis.figures import (
    bidding_collusion,
    bidding_crowds,
    bidding_efficiency,
    bidding_strategies,
    mean_field_convergence,
    mean_field_path,
    mean_field_players,
    mean_field_states,
    privacy_utility,
    purchase_money,
    purchase_ratio,
)
from analysis.figures.spec import FigureSpec
from analysis.runs import Run


def _sweeps(run: Run, column: str) -> bool:
    return purchase_ratio.fits(run) and bool(
        run.table("auctions", columns=[column])[column].nunique() > 1
    )


def _learns(run: Run) -> bool:
    return bool(run.table("rounds", columns=["accuracy"])["accuracy"].notna().any())


PRIVACY_FIGURES: dict[str, FigureSpec] = {
    "purchase-against-owners": FigureSpec(
        purchase_ratio.draw_owners,
        ("auctions",),
        ("auctions",),
        "privacy bought, as a share of what is possible, against the number of owners",
        lambda run: _sweeps(run, "owners"),
    ),
    "purchase-against-budget": FigureSpec(
        purchase_ratio.draw_budgets,
        ("auctions",),
        ("auctions",),
        "privacy bought, as a share of what is possible, against the budget",
        lambda run: _sweeps(run, "budget"),
    ),
    "purchase-money": FigureSpec(
        purchase_money.draw,
        ("auctions",),
        ("auctions",),
        "where the buyer's money goes",
        purchase_ratio.fits,
    ),
    "privacy-utility": FigureSpec(
        privacy_utility.draw,
        ("market",),
        ("rounds",),
        "quality of the last model against the privacy that owners lost",
        _learns,
    ),
    "mean-field-path": FigureSpec(
        mean_field_path.draw,
        ("mean-field",),
        ("mean_field_rounds",),
        "price, sales, share of sellers and privacy left over rounds",
    ),
    "mean-field-states": FigureSpec(
        mean_field_states.draw,
        ("mean-field",),
        ("mean_field_states",),
        "law and policy over value and privacy left",
    ),
    "mean-field-convergence": FigureSpec(
        mean_field_convergence.draw,
        ("mean-field",),
        ("mean_field_history", "mean_field_rounds"),
        "residuals of each method, and errors of coarser grids",
    ),
    "mean-field-players": FigureSpec(
        mean_field_players.draw,
        ("mean-field",),
        ("mean_field_players",),
        "gain of a deviation and error of the price against the number of owners",
        mean_field_players.fits,
    ),
    "bidding-strategies": FigureSpec(
        bidding_strategies.draw,
        ("bidding",),
        ("bidding_strategies",),
        "values and caps that owners tell in equilibrium",
    ),
    "bidding-efficiency": FigureSpec(
        bidding_efficiency.draw,
        ("bidding",),
        ("bidding",),
        "privacy bought at the truth and in equilibrium, and who loses",
    ),
    "bidding-collusion": FigureSpec(
        bidding_collusion.draw,
        ("bidding",),
        ("bidding_collusion",),
        "what owners gain by lying together",
        bidding_collusion.fits,
    ),
    "bidding-crowds": FigureSpec(
        bidding_crowds.draw,
        ("bidding",),
        ("bidding_crowds",),
        "gain of the best lie against the number of owners",
        bidding_crowds.fits,
    ),
}
"""Their specifications."""
