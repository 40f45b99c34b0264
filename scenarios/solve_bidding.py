"""The command `market-sim solve bidding`: how owners bid under a rule that is not truthful."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from market_sim.errors import ScenarioError

if TYPE_CHECKING:
    from market_sim.solvers import BiddingEfficiency, BiddingEquilibrium

_LAWS = ("uniform", "bimodal", "realistic")
_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)  # of the owners: whose bids are shown


def bidding(
    mechanism: Annotated[
        str, typer.Option(metavar="NAME", help="A registered mechanism.")
    ] = "first-price",
    law: Annotated[str, typer.Option(metavar="NAME", help="uniform, bimodal or realistic")] = (
        "uniform"
    ),
    owners: Annotated[int, typer.Option(metavar="N", help="Number of owners.")] = 10,
    budget: Annotated[
        float | None, typer.Option(metavar="MONEY", help="The buyer's money. [default: N / 2]")
    ] = None,
    steps: Annotated[int, typer.Option(metavar="N", help="Best responses taken.")] = 40,
    profiles: Annotated[int, typer.Option(metavar="N", help="Markets drawn in each step.")] = 300,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of all draws.")] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON and nothing else.")
    ] = False,
) -> None:
    """Find how owners bid who know only their own value and cap, and what that costs the buyer.

    Prints a bid and an offered cap for typical owners, the regret with its standard error, and what
    the money buys at equilibrium, at the truth, and at best.
    """
    from market_sim.bounds import warn_if_never_binds
    from market_sim.games import BiddingGame
    from market_sim.population import privacy_auction_law
    from market_sim.solvers import bayes_nash_bids, bidding_efficiency
    from scenarios import registry
    from scenarios.config import plain
    from scenarios.items import Item

    if law not in _LAWS:
        raise ScenarioError(f"--law is {law!r}, expected one of {list(_LAWS)}")
    if owners < 1:
        raise ScenarioError(f"--owners is {owners}, expected at least 1")
    rule = registry.build("mechanism", Item(name=mechanism))
    money = owners / 2 if budget is None else budget
    game = BiddingGame(rule, privacy_auction_law(law), owners, money)
    warn_if_never_binds(game.law, money)
    found = bayes_nash_bids(
        game, values=9, caps=2, bids=49, steps=steps, profiles=profiles, seed=seed
    )
    worth = bidding_efficiency(game, found.strategy, seed=seed)
    bids = _bids(game, found)
    if as_json:
        answer = _described(mechanism, law, owners, money, found, worth) | {"bids": bids}
        typer.echo(json.dumps(plain(answer), indent=2, allow_nan=False))
        return
    for line in _sentences(found, worth, bids):
        typer.echo(line)


def _bids(game: Any, found: "BiddingEquilibrium") -> list[dict[str, float]]:
    """Return what owners of a middling cap report, from a low value to a high one."""
    cap = game.cap_quantile(0.5)
    rows = []
    for share in _SHARES:
        value = game.value_quantile(share)
        bid, offer = found.strategy(value, cap)
        row = {"value": value, "cap": cap, "bid": bid, "offered_cap": offer}
        rows.append({name: float(number) for name, number in row.items()})
    return rows


def _described(
    mechanism: str,
    law: str,
    owners: int,
    budget: float,
    found: "BiddingEquilibrium",
    worth: "BiddingEfficiency",
) -> dict[str, Any]:
    """Return what was found, as JSON can hold it."""
    return {
        "mechanism": mechanism,
        "law": law,
        "owners": owners,
        "budget": budget,
        "regret": found.regret,
        "regret_error": found.regret_error,
        "worst_regret": found.worst_regret,
        "converged": found.converged,
        "status": found.status,
        "history": found.history.tolist(),
        "efficiency": vars(worth),
    }


def _sentences(
    found: "BiddingEquilibrium", worth: "BiddingEfficiency", bids: list[dict[str, float]]
) -> list[str]:
    """Return lines for people: bids, evidence, and what the money buys."""
    lines = [f"{'value':>8} {'cap':>8} {'bid':>8} {'offers':>8}"]
    lines += [" ".join(f"{number:8.4g}" for number in row.values()) for row in bids]
    return [
        *lines,
        f"regret       {found.regret:.2g} +- {found.regret_error:.1g}: {found.status}",
        f"buys         {worth.purchased:.5g} epsilon, {worth.ratio:.1%} of what the money could; "
        f"at the truth {worth.ratio_truthful:.1%}",
        f"pays         {worth.payment:.5g}; owners keep {worth.surplus:.5g}, "
        f"{worth.losing:.1%} of them lose",
    ]
