"""A whole training run: steps, audits, checkpoints that resume exactly, progress."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from market_sim.mechanisms.networks.checkpoints import load_network, save_network
from market_sim.mechanisms.networks.laws import Markets
from market_sim.mechanisms.networks.training import (
    CHECKPOINT,
    Progress,
    TrainedNetwork,
    Trainer,
)
from market_sim.mechanisms.networks.training_audit import Audited
from market_sim.mechanisms.networks.training_settings import TrainingSettings
from market_sim.mechanisms.networks.training_state import (
    joined,
    last_checkpoint_named,
    optimizer_tensors,
    parted,
    require_same_training,
    restore_optimizer,
)

_STATE = "training"


def train(  # noqa: PLR0913 - three of them say where and how to report, all by keyword
    kind: str,
    module: nn.Module,
    law: Markets,
    settings: TrainingSettings,
    metadata: Mapping[str, Any],
    *,
    folder: Path | None = None,
    progress: Progress | None = None,
    resume: bool = False,
    audit_law: Markets | None = None,
) -> TrainedNetwork:
    """Train a network and return it as it was at its best held-out audit.

    Parameters
    ----------
    kind
        Name of the class of networks; it stands in the file.
    module
        Called as `module(bids, budget, temperature=...)`, gives an `ExpectedOutcome`. Its
        parameters are changed; in the end they are the best ones.
    law, settings
        Where the markets come from, and how to train.
    metadata
        Plain values to keep with the network; they tell one training from another.
    folder
        Where checkpoints are written; none are if omitted.
    progress
        Called after every iteration with named numbers; the held-out figures are those of the
        latest audit, NaN before the first.
    resume
        Go on from the checkpoint of `folder`, if there is one: the result is that of a run that
        was never interrupted, bit for bit.
    audit_law
        Where the markets of the held-out audit come from; `law` if omitted.

    Raises
    ------
    InvalidInput
        If the checkpoint is damaged or belongs to another training.
    TrainingError
        If the loss is not finite.
    """
    trainer = Trainer(module, law, settings, audit_law=audit_law)
    return run(trainer, kind, metadata, folder=folder, progress=progress, resume=resume)


def run(
    trainer: Trainer,
    kind: str,
    metadata: Mapping[str, Any],
    *,
    folder: Path | None = None,
    progress: Progress | None = None,
    resume: bool = False,
) -> TrainedNetwork:
    """Let a fresh trainer do all of its iterations; parameters and errors as for `train`."""
    path = None if folder is None else folder / CHECKPOINT
    if resume and path is not None and path.exists():
        restore(trainer, path, metadata)
    with last_checkpoint_named(path):
        _run(trainer, path, metadata, progress)
    trainer.module.load_state_dict(trainer.best)
    audit = _audit_of(trainer).plain()
    figures = {
        "iterations": trainer.iteration,
        "held_out": {name: x if np.isfinite(x) else None for name, x in audit.items()},
    }
    return TrainedNetwork(kind, trainer.module.eval(), {**metadata, "training": figures})


def _audit_of(trainer: Trainer) -> Audited:
    return trainer.audit() if trainer.best_audit is None else trainer.best_audit


def _run(
    trainer: Trainer, path: Path | None, metadata: Mapping[str, Any], progress: Progress | None
) -> None:
    settings = trainer.settings
    while not trainer.finished:
        numbers = trainer.step()
        at_end = trainer.iteration == settings.iterations
        if trainer.iteration % settings.audit_every == 0 or at_end:
            trainer.audit()
        if progress is not None:
            progress({**numbers, **_held_out_numbers(trainer.last_audit)})
        if path is not None and (trainer.iteration % settings.checkpoint_every == 0 or at_end):
            store(trainer, path, metadata)


def _held_out_numbers(audit: Audited | None) -> dict[str, float]:
    names = ("error_bound", "regret", "ir_violation")
    return {f"held_out_{n}": np.nan if audit is None else getattr(audit, n) for n in names}


def store(trainer: Trainer, path: Path, metadata: Mapping[str, Any]) -> None:
    """Write everything that the rest of the training depends on."""
    tensors = joined(
        network=trainer.module.state_dict(),
        best=trainer.best,
        optimizer=optimizer_tensors(trainer.optimizer),
    )
    state = {
        "of": dict(metadata),
        "iteration": trainer.iteration,
        "multipliers": trainer.multipliers,
        "sums": trainer.sums,
        "audits_since_best": trainer.audits_since_best,
        **{name: _plain(getattr(trainer, name)) for name in ("best_audit", "last_audit")},
    }
    save_network(path, _STATE, state, tensors)


def _plain(audit: Audited | None) -> dict[str, str] | None:
    """Return figures as text: JSON has no infinity, and `repr` loses no digit."""
    return None if audit is None else {name: repr(x) for name, x in audit.plain().items()}


def restore(trainer: Trainer, path: Path, metadata: Mapping[str, Any]) -> None:
    """Set a fresh trainer to a stored state.

    Raises
    ------
    InvalidInput
        If the checkpoint is damaged or belongs to another training.
    """
    stored = load_network(path, _STATE)
    state = stored.metadata
    require_same_training(path, state["of"], metadata)
    parts = parted(stored.tensors, "network", "best", "optimizer")
    trainer.module.load_state_dict(parts["network"])
    trainer.best = parts["best"]
    restore_optimizer(trainer.optimizer, parts["optimizer"])
    trainer.iteration = state["iteration"]
    trainer.multipliers, trainer.sums = list(state["multipliers"]), list(state["sums"])
    trainer.audits_since_best = state["audits_since_best"]
    trainer.best_audit, trainer.last_audit = (
        None if state[name] is None else Audited(**{k: float(x) for k, x in state[name].items()})
        for name in ("best_audit", "last_audit")
    )
