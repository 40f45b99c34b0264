"""Experiment "audit": mechanisms attacked by lies, on sampled populations."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from market_sim import AuditReport, Reports
from market_sim.auditing import audit, default_audit
from market_sim.errors import ScenarioError
from market_sim.shapes import Array
from scenarios import registry
from scenarios.config import AuditConfig, Scenario
from scenarios.items import Item
from scenarios.loading import load_scenario, scenario_names
from scenarios.markets import one_thread
from scenarios.overrides import nearest
from scenarios.populations import BudgetConfig, PopulationConfig
from scenarios.schemas import TABLES
from scenarios.units import Unit, law_of, mechanisms_at, plan, population_of

Progress = Callable[[int, int], None]
_DEFAULT_AUDITS = 6
_DEFAULT_PROFILES = 100
_DEFAULT_RATE = 0.5


def run_audit(scenario: Scenario, unit: Unit) -> dict[str, dict[str, Any]]:
    """Audit one mechanism on one kind of owners.

    The profiles depend on the seed, the setting and the kind of owners only.

    Returns
    -------
    The table "audit" with a row for each deviation.
    """
    report = audit_unit(scenario, unit)
    where = {"seed": unit.seed, "setting": unit.setting, "mechanism": unit.mechanism}
    rows = [asdict(row) | where for row in report.rows]
    return {"audit": {name: [row[name] for row in rows] for name in TABLES["audit"]}}


def audit_unit(scenario: Scenario, unit: Unit) -> AuditReport:
    """Return the report of a unit."""
    config = scenario.audit or AuditConfig()
    items = mechanisms_at(scenario, unit)
    single_minded = unit.population == "single-minded"
    mechanism = registry.build("mechanism", items[unit.mechanism])
    with one_thread("torch" in sys.modules):
        return audit(
            mechanism,
            law_of(population_of(scenario, unit), single_minded=single_minded),
            budget=_budget_of(unit),
            profiles=scenario.profiles,
            seed=unit.seed,
            deviations=config.deviations,
            population=unit.population,
        )


def _budget_of(unit: Unit) -> float | Callable[[Reports], Array]:
    """Return a unit's money: a number, or a function of what the owners ask."""
    if unit.law == "proportional":
        return _share_of_value(unit.level)
    return unit.level * unit.owners if unit.law == "per-owner" else unit.level


def _share_of_value(rate: float) -> Callable[[Reports], Array]:
    def money(reports: Reports) -> Array:
        return np.asarray(rate * reports.value.sum(axis=-1))

    return money


def audit_targets(
    targets: Sequence[str],
    *,
    profiles: int | None = None,
    budget: float | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
) -> list[AuditReport]:
    """Audit mechanisms and the mechanisms of scenarios; All-in with all its payments if none.

    Parameters
    ----------
    targets
        Names of mechanisms, places `module:Class`, names or files of scenarios.
    profiles, budget, seed
        In place of what the scenarios say; for mechanisms 100 profiles, half of the owners' total
        value, seed 0 if omitted.
    progress
        Called with the number of finished audits and of all.

    Raises
    ------
    MarketSimError
        If a target is unknown or a mechanism breaks its interface.
    """
    if budget is not None and not 0 < budget < float("inf"):
        raise ScenarioError(f"budget is {budget:g}, expected a positive finite number")
    if not targets and budget is None:
        return _default(profiles or _DEFAULT_PROFILES, seed or 0, progress)
    scenarios = [
        _changed(_scenario_of(target), profiles, budget, seed)
        for target in targets or ["audit-all-in"]
    ]
    work = [(scenario, unit) for scenario in scenarios for unit in plan(scenario)]
    reports = []
    for done, (scenario, unit) in enumerate(work):
        if progress is not None:
            progress(done, len(work))
        reports.append(audit_unit(scenario, unit))
    return reports


def _default(profiles: int, seed: int, progress: Progress | None) -> list[AuditReport]:
    done: list[AuditReport] = []

    def note(report: AuditReport) -> None:
        done.append(report)
        if progress is not None:
            progress(len(done), _DEFAULT_AUDITS)

    if progress is not None:
        progress(0, _DEFAULT_AUDITS)
    return list(default_audit(profiles, seed, progress=note))


def _scenario_of(target: str) -> Scenario:
    """Return the audit that a target stands for."""
    mechanisms = registry.names("mechanism")
    if target in mechanisms or (":" in target and not target.endswith(".toml")):
        return _audit_of(Item(name=target))
    known = scenario_names()
    if not Path(target).suffix == ".toml" and target not in known:
        raise ScenarioError(
            f"there is no mechanism or scenario {target!r}{nearest(target, [*mechanisms, *known])}"
        )
    return load_scenario(target)


def _audit_of(item: Item) -> Scenario:
    """Return the audit of one mechanism, on the owners that it is defined for."""
    every = PopulationConfig().kinds
    families = getattr(registry.build("mechanism", item), "families", ("step", *every))
    kinds = tuple(kind for kind in every if kind in families) or every
    whole = {} if "step" in families else {"populations": ("multi-minded",)}
    return Scenario(
        name="audit",
        experiment="audit",
        profiles=_DEFAULT_PROFILES,
        population=PopulationConfig(kinds=kinds),
        audit=AuditConfig.model_validate(whole),
        budget=(BudgetConfig(law="proportional", levels=(_DEFAULT_RATE,)),),
        mechanisms=(item,),
    )


def _changed(
    scenario: Scenario, profiles: int | None, budget: float | None, seed: int | None
) -> Scenario:
    """Return a scenario as an audit: one seed, one budget, the given numbers in place of its own.

    Of another experiment the first budget law is taken, at the middle of its levels, and 100
    profiles.
    """
    if not scenario.budget:
        raise ScenarioError(f"{scenario.name} holds no auction, so there is no mechanism to audit")
    law = scenario.budget[0]
    level = sorted(law.levels)[(len(law.levels) - 1) // 2]
    money = law.model_copy(update={"levels": (level,)})
    if budget is not None:
        money = BudgetConfig(law="fixed", levels=(budget,))
    own = scenario.profiles if scenario.experiment == "audit" else _DEFAULT_PROFILES
    return scenario.model_copy(
        update={
            "experiment": "audit",
            "budget": (money,),
            "profiles": profiles or own,
            "seed": scenario.seed if seed is None else seed,
            "seeds": 1,
        }
    )
