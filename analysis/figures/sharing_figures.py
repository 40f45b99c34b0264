"""The figures of markets for models, by name."""

from analysis.figures import (
    incentive_lies,
    incentive_rationality,
    incentive_welfare,
    sharing_attackers,
    sharing_comparison,
    sharing_graph,
    sharing_liars,
    sharing_rounds,
)
from analysis.figures.spec import FigureSpec

SHARING_FIGURES: dict[str, FigureSpec] = {
    "sharing-comparison": FigureSpec(
        sharing_comparison.draw,
        ("sharing",),
        ("sharing_participants",),
        "economic utility and accuracy by method and task",
    ),
    "sharing-rounds": FigureSpec(
        sharing_rounds.draw,
        ("sharing",),
        ("sharing_rounds",),
        "accuracy, utility and imports inside groups over rounds",
    ),
    "sharing-graph": FigureSpec(
        sharing_graph.draw,
        ("sharing",),
        ("sharing_participants", "sharing_edges"),
        "who learns from whom at the beginning, in the middle and at the end",
        sharing_graph.traded,
    ),
    "sharing-attackers": FigureSpec(
        sharing_attackers.draw,
        ("sharing",),
        ("sharing_rounds", "sharing_participants"),
        "imports from attackers, and honest participants' accuracy, over rounds",
        sharing_attackers.attacked,
    ),
    "sharing-liars": FigureSpec(
        sharing_liars.draw,
        ("sharing",),
        ("sharing_participants",),
        "what liars gain over the truth under each rule",
        sharing_liars.lies,
    ),
    "incentive-rationality": FigureSpec(
        incentive_rationality.draw,
        ("incentives",),
        ("incentive_edges",),
        "what sellers get against their cost and buyers pay against their gain",
        lambda run: run.rows("incentive_edges") > 0,
    ),
    "incentive-lies": FigureSpec(
        incentive_lies.draw,
        ("incentives",),
        ("incentives",),
        "how often a lie pays and how much, by rule",
    ),
    "incentive-welfare": FigureSpec(
        incentive_welfare.draw,
        ("incentives",),
        ("incentive_markets",),
        "the platform's deficit, and welfare against the exact graph",
    ),
}
"""Their specifications."""
