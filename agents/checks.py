"""Checks at the door of a market: what is given together must fit together."""

import warnings
from collections.abc import Sequence

from agents.buyer import BuyerTerms
from market_sim import Aggregator, InvalidInput, Mechanism, Population
from market_sim.privacy import Perturbation


def check_terms(
    population: Population, buyers: Sequence[BuyerTerms], perturbation: Perturbation, owners: str
) -> None:
    """Refuse a population with leading axes, no or unfit buyers, an unknown mode.

    Raises
    ------
    InvalidInput
        Naming what does not fit and what to give instead.

    Warns
    -----
    UserWarning
        If the failure probability of the perturbation is 1 / owners or more.
    """
    if not isinstance(population, Population):
        raise InvalidInput(f"population must be ms.Population, got {type(population).__name__}")
    if len(population.shape) != 1:
        raise InvalidInput(f"a market needs one population, got profiles {population.shape[:-1]}")
    if owners not in ("arrays", "objects"):
        raise InvalidInput(f'owners must be "arrays" or "objects", got {owners!r}')
    _check_names(buyers)
    _check_tasks(buyers, population.owners, perturbation)
    _warn_of_delta(population.owners, perturbation.failure_probability)


def check_rules(mechanism: Mechanism, aggregator: Aggregator) -> None:
    """Refuse rules that are none, such as a class in place of its instance.

    Raises
    ------
    InvalidInput
        Naming the rule and what was given.
    """
    for name, rule, kind in (
        ("mechanism", mechanism, Mechanism),
        ("aggregator", aggregator, Aggregator),
    ):
        if not isinstance(rule, kind):
            raise InvalidInput(
                f"{name} must be an instance of market_sim.{kind.__name__}, got {rule!r}"
            )


def _warn_of_delta(owners: int, delta: float) -> None:
    """Say so where the promise of privacy fails for an owner on average."""
    if owners * delta >= 1.0:
        warnings.warn(
            f"delta = {delta:g} for each of {owners} owners is weak, since {owners * delta:.3g} of "
            "them may be exposed on average: give the perturbation a delta far below 1 / owners",
            stacklevel=4,
        )


def _check_names(buyers: Sequence[BuyerTerms]) -> None:
    given: object = buyers
    if not isinstance(given, Sequence) or not all(isinstance(b, BuyerTerms) for b in given):
        raise InvalidInput(f"buyers must be a list of BuyerTerms, got {given!r:.80}")
    if not buyers:
        raise InvalidInput("a market needs at least one buyer, got none")
    names = [buyer.name for buyer in buyers]
    if len(set(names)) < len(names):
        raise InvalidInput(f"buyers must have different names, got {names}")


def _check_tasks(buyers: Sequence[BuyerTerms], owners: int, perturbation: Perturbation) -> None:
    tasks = [(buyer.name, buyer.task) for buyer in buyers if buyer.task is not None]
    if len({id(task) for _, task in tasks}) < len(tasks):
        raise InvalidInput("two buyers share one task object: give each a task of her own")
    for name, task in tasks:
        if task.owners != owners:
            raise InvalidInput(
                f"the task of {name} has data of {task.owners} owners but the population has "
                f"{owners}"
            )
        if task.perturbation != perturbation:
            raise InvalidInput(
                f"the task of {name} perturbs by {task.perturbation} but the market's ledger "
                f"composes {perturbation}: give both the same perturbation"
            )
