"""What a market for models writes down after each round."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from market_sim.learning import PersonalQuality
from market_sim.shapes import Array
from market_sim.sharing import SharingMarket, SharingOutcome

Block = dict[str, Any]
Mask = NDArray[np.bool_]

ROUNDS = (
    "round",
    "status",
    "present",
    "imports",
    "refused",
    "money",
    "deficit",
    "welfare",
    "net_welfare",
    "optimal_share",
    "utility",
    "accuracy",
    "loss",
    "inside_share",
    "attacker_share",
)
PARTICIPANTS = (
    "round",
    "participant",
    "kind",
    "cluster",
    "present",
    "data_size",
    "gain",
    "cost",
    "said_data_size",
    "said_gain",
    "said_cost",
    "imports",
    "exports",
    "gained",
    "spent",
    "earned",
    "utility",
    "honest_utility",
    "economic_utility",
    "accuracy",
    "loss",
)
EDGES = (
    "round",
    "seller",
    "buyer",
    "seller_kind",
    "buyer_kind",
    "same_cluster",
    "status",
    "price",
    "received",
    "gained",
    "penalty",
    "cost",
    "distance",
)


@dataclass(frozen=True)
class SharingRound:
    """Everything about one round.

    Attributes
    ----------
    round
        Its number, from 0.
    present
        Who took part, shape `(participants,)`.
    truth
        The market as it is.
    outcome
        What was decided on what was said.
    utility, honest_utility
        True utilities, in money; and what each would have had by telling the truth this round, NaN
        where nothing is paid.
    quality
        Accuracy and loss of everyone's model.
    """

    round: int
    present: Mask
    truth: SharingMarket
    outcome: SharingOutcome
    utility: Array
    honest_utility: Array
    quality: PersonalQuality


@dataclass(frozen=True)
class People:
    """What the tables say of participants beside numbers: kinds and clusters, by row."""

    kinds: NDArray[np.object_]
    clusters: NDArray[np.int64]

    @property
    def attackers(self) -> Mask:
        """Who attacks."""
        return np.asarray(self.kinds == "attacker")


def round_row(trade: SharingRound, people: People) -> Block:
    """Return the row of the table of rounds; means are over honest participants who were there."""
    outcome, imports = trade.outcome, trade.outcome.imports
    honest = trade.present & ~people.attackers
    same = people.clusters[:, None] == people.clusters[None, :]
    true = trade.truth.settle(imports)
    return {
        "round": trade.round,
        "status": outcome.status,
        "present": int(trade.present.sum()),
        "imports": int(imports.sum()),
        "refused": int(outcome.refused.sum()),
        "money": float(outcome.payment.sum()),
        "deficit": outcome.deficit,
        "welfare": true.welfare,
        "net_welfare": true.net_welfare,
        "optimal_share": true.optimal_share,
        "utility": _mean(trade.utility, honest),
        "accuracy": _mean(trade.quality.accuracy, honest),
        "loss": _mean(trade.quality.loss, honest),
        "inside_share": _share(same, imports),
        "attacker_share": _share(np.broadcast_to(people.attackers, imports.shape), imports),
    }


def participant_rows(trade: SharingRound, people: People, total: Array) -> Block:
    """Return a row a participant; `total` is everyone's utility since the first round."""
    truth, outcome = trade.truth, trade.outcome
    said = outcome.market
    return {
        "round": trade.round,
        "participant": np.arange(truth.participants),
        "kind": people.kinds,
        "cluster": people.clusters,
        "present": trade.present.astype(np.int64),
        "data_size": truth.data_size,
        "gain": truth.gain,
        "cost": truth.cost,
        "said_data_size": said.data_size,
        "said_gain": said.gain,
        "said_cost": said.cost,
        "imports": outcome.imports.sum(axis=1),
        "exports": outcome.exports,
        "gained": truth.problems.gain(outcome.imports),
        "spent": outcome.spent,
        "earned": outcome.earned,
        "utility": trade.utility,
        "honest_utility": trade.honest_utility,
        "economic_utility": total,
        "accuracy": trade.quality.accuracy,
        "loss": trade.quality.loss,
    }


def edge_rows(trade: SharingRound, people: People) -> Block | None:
    """Return a row an edge that was traded or refused; None if there is none."""
    outcome, market = trade.outcome, trade.outcome.market
    buyer, seller = np.nonzero(outcome.imports | outcome.refused)
    if not buyer.size:
        return None
    traded = outcome.imports[buyer, seller]
    marginal = market.problems.added(outcome.imports)
    penalty = np.where(market.possible, market.edge_penalty, np.nan)
    distance = np.where(market.possible, market.distance, np.nan)
    return {
        "round": trade.round,
        "seller": seller,
        "buyer": buyer,
        "seller_kind": people.kinds[seller],
        "buyer_kind": people.kinds[buyer],
        "same_cluster": (people.clusters[buyer] == people.clusters[seller]).astype(np.int64),
        "status": np.where(traded, "traded", "refused").astype(object),
        "price": outcome.payment[buyer, seller],
        "received": outcome.received[buyer, seller],
        "gained": np.where(traded, marginal[buyer, seller], 0.0),
        "penalty": penalty[buyer, seller],
        "cost": trade.truth.cost[seller],
        "distance": distance[buyer, seller],
    }


def _mean(values: Array, rows: Mask) -> float:
    kept = values[rows & np.isfinite(values)]
    return float(kept.mean()) if kept.size else float("nan")


def _share(marked: Mask, imports: Mask) -> float:
    """Return the share of imports that are marked; NaN without imports."""
    return float(marked[imports].mean()) if imports.any() else float("nan")
