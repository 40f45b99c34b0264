"""The command `market-sim solve`: one market, given on the command line, solved at once."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from market_sim.errors import ScenarioError
from scenarios.solve_bidding import bidding

if TYPE_CHECKING:
    from market_sim.games import AcquisitionGame
    from market_sim.solvers import PlatformOptimum
    from scenarios.studies import UsersConfig

solve_app = typer.Typer(help="Solve one market given on the command line.", no_args_is_help=True)
_MOST_USERS = 12  # whose play is written out
_RUNS = 20  # of the agents, from random levels
_OPTIONS = {"costs": "cost", "level_values": "level"}


solve_app.command("bidding")(bidding)


@solve_app.callback()
def _solve() -> None:
    """Solve one market given on the command line."""


@solve_app.command("fair-value")
def fair_value(  # noqa: PLR0913, PLR0917 - typer makes an option of each argument
    cost: Annotated[
        list[str],
        typer.Option(
            metavar="C",
            help="Cost of a level above the private one, once for each such level; "
            "a number, or one for each user: 0.1,0.2,0.4",
        ),
    ],
    utility: Annotated[
        str, typer.Option(metavar="NAME", help="dp-mean or federated-mean")
    ] = "dp-mean",
    users: Annotated[
        int | None, typer.Option(metavar="N", help="Number of users. [default: 2]")
    ] = (None),
    level: Annotated[
        list[str] | None,
        typer.Option(metavar="EPS", help="What a level of dp-mean gives, or inf. [default: inf]"),
    ] = None,
    data_size: Annotated[
        str | None, typer.Option(metavar="N", help="Samples of each user (federated-mean).")
    ] = None,
    s2: Annotated[float, typer.Option(metavar="X", help="Variance of the users' means.")] = 1.0,
    r2: Annotated[float, typer.Option(metavar="X", help="Variance of one sample.")] = 1.0,
    selection: Annotated[
        str, typer.Option(metavar="NAME", help="optimistic, pessimistic or dynamics")
    ] = "optimistic",
    play: Annotated[str, typer.Option(metavar="NAME", help="pure, symmetric or mixed")] = "pure",
    three_ways: Annotated[
        bool,
        typer.Option("--three-ways", help="Solve it by agents and in the mean-field limit, too."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON and nothing else.")
    ] = False,
) -> None:
    """Find the share of the value that a platform should pay out for users' data.

    Prints alpha*, what the platform keeps, the regime, and the users' equilibrium with its regret;
    with --three-ways also where agents go at that share, and the gaps between the ways.
    """
    from market_sim.solvers import optimal_alpha
    from scenarios.fair_value import game_of

    record = users_of(utility, users, level, data_size, cost, {"s2": s2, "r2": r2})
    game = game_of(record)
    found = optimal_alpha(game, selection, play)
    answer = described(game, found)
    ways = None
    if three_ways:
        from agents.acquisition import solve_three_ways

        ways = solve_three_ways(game, found.alpha, runs=_RUNS)
        answer["three_ways"] = ways.to_dict()
    if as_json:
        from scenarios.config import plain

        typer.echo(json.dumps(plain(answer), indent=2, allow_nan=False))
        return
    for line in sentences(answer, levels=[f"{given:g}" for given in game.level_values]):
        typer.echo(line)
    if ways is not None:
        typer.echo(f"\n{ways}")


def users_of(
    utility: str,
    users: int | None,
    levels: list[str] | None,
    data_size: str | None,
    costs: list[str],
    variances: dict[str, float],
) -> "UsersConfig":
    """Return the users that options describe.

    Raises
    ------
    ScenarioError
        Naming the option that is wrong, and what was expected.
    """
    from pydantic import ValidationError

    from scenarios.studies import UsersConfig

    if users is not None and users < 1:
        raise ScenarioError(f"--users is {users}, expected at least 1")
    rows = [_numbers("--cost", text) for text in costs]
    given: dict[str, Any] = {"utility": utility}
    number = users or max(map(len, rows))
    if utility == "federated-mean":
        if levels:
            raise ScenarioError("--level is for dp-mean: federated-mean has the levels 0, 1 and 2")
        given |= {"data_size": _numbers("--data-size", data_size or "1")} | variances
        number = users or max(len(given["data_size"]), number)
        steps = 2
    else:
        if data_size is not None:
            raise ScenarioError("--data-size is for --utility federated-mean")
        values = [_number("--level", text) for text in levels or ["inf"]]
        given["level_values"] = (0.0, *values)
        number = users or (number if number > 1 else 2)
        steps = len(values)
    if len(rows) != steps:
        raise ScenarioError(f"--cost is given {len(rows)} times, expected once a level: {steps}")
    odd = [len(row) for row in rows if len(row) not in (1, number)]
    if odd:
        raise ScenarioError(f"--cost has {odd[0]} numbers, expected one, or one a user: {number}")
    wide = [row * number if len(row) == 1 else row for row in rows]
    given["costs"] = [[0.0, *column] for column in zip(*wide, strict=True)]
    try:
        return UsersConfig.model_validate(given | {"users": number})
    except ValidationError as problem:
        error = problem.errors()[0]
        message = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        key = str(error["loc"][0]) if error["loc"] else ""
        option = (
            f"--{_OPTIONS.get(key, key.replace('_', '-'))} is {error['input']}, " if key else ""
        )
        raise ScenarioError(f"{option}expected {message}") from problem


def described(game: "AcquisitionGame", found: "PlatformOptimum") -> dict[str, Any]:
    """Return what was found, as JSON can hold it."""
    thresholds = found.thresholds
    return {
        "alpha": found.alpha,
        "value": found.value,
        "utility": found.utility,
        "regime": found.regime,
        "users": game.users,
        "levels": game.level_values.tolist(),
        "selection": found.selection,
        "play": found.play,
        "profile": found.profile.tolist(),
        "attained": found.attained,
        "regret": found.equilibrium.regret,
        "equilibrium": found.equilibrium.status,
        "status": found.status,
        "thresholds": None if thresholds is None else vars(thresholds),
    }


def sentences(answer: dict[str, Any], levels: list[str]) -> list[str]:
    """Return lines for people: the share, the regime, the equilibrium, the evidence."""
    limit = "" if answer["attained"] else " (approached, not reached)"
    lines = [
        f"alpha*       {answer['alpha']:.8g}{limit}",
        f"value        {answer['value']:.8g} of U = {answer['utility']:.8g}",
        f"regime       {answer['regime']}",
        f"equilibrium  {_play(answer, levels)}",
        f"regret       {answer['regret']:.2g}: {answer['equilibrium']}",
    ]
    if answer["thresholds"] is not None:
        found = answer["thresholds"]
        lines.append(
            f"thresholds   everyone shares up to c = {found['c_th']:.8g}, "
            f"nobody is paid from c = {found['switch_off']:.8g}"
        )
    return [*lines, f"found as     {answer['status']}"]


def _play(answer: dict[str, Any], levels: list[str]) -> str:
    """Write play in words: how many users are at each level, or with what chance each is chosen."""
    profile = answer["profile"]
    if answer["play"] == "pure":
        counts = [profile.count(place) for place in range(len(levels))]
        said = ", ".join(f"{n} at level {given}" for n, given in zip(counts, levels, strict=True))
        own = f" {tuple(profile)}" if len(profile) <= _MOST_USERS else ""
        return f"{said}{own}"
    rows = [profile] if answer["play"] == "symmetric" else profile
    chances = [
        ", ".join(f"level {given} with {p:.6g}" for p, given in zip(row, levels, strict=True))
        for row in rows
    ]
    if len(chances) == 1:
        return f"every user: {chances[0]}"
    return "; ".join(f"user {i}: {text}" for i, text in enumerate(chances, 1))


def _numbers(option: str, text: str) -> tuple[float, ...]:
    return tuple(_number(option, part) for part in text.split(","))


def _number(option: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ScenarioError(f"{option} is {text!r}, expected a number") from None
