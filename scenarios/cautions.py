"""Cautions: settings of a scenario that are allowed but mean little, said before it runs."""

from market_sim.bounds import warn_if_never_binds
from scenarios.config import Scenario
from scenarios.units import law_of, plan, population_of

_SPENDING = ("auctions", "market", "audit", "bidding")


def caution(scenario: Scenario) -> None:
    """Warn, once a setting and amount, where the budget never binds.

    The warnings are `MarketSimWarning`; a law without a greatest cost gives none.
    """
    if scenario.experiment not in _SPENDING:
        return
    seen = set()
    for unit in plan(scenario):
        place = (unit.setting, unit.owners, unit.law, unit.level)
        law = law_of(population_of(scenario, unit))
        if place in seen or unit.law == "proportional" or set(law.kinds) != {"linear"}:
            continue
        seen.add(place)
        if law.sizes == "none" and not law.single_minded:
            warn_if_never_binds(law, unit.level * (unit.owners if unit.law == "per-owner" else 1))
