"""LearnedUtility: what data is worth to a model that is really trained on it."""

import hashlib
import json
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.aggregation import Aggregator
from market_sim.errors import InvalidInput
from market_sim.games.utility import Utility, as_levels, check_values
from market_sim.shapes import Array, whole_number

if TYPE_CHECKING:
    from market_sim.learning import FederatedTask

Measure = Literal["accuracy", "balanced_accuracy", "auc", "loss"]
PerProfile = Float[NDArray[np.float64], "*profiles"]


class LearnedUtility(Utility):
    r"""U = quality of the model that a coalition trains, above that of the untrained model.

    A level is the epsilon at which a user's gradients are bought: 0 for nothing, infinity for no
    noise. A coalition trains `rounds` rounds from the same initial parameters; each repeat has
    noise of its own, and the same noise for all coalitions (common random numbers), so that
    differences between coalitions are sharper than their levels. For "loss" the gain is the
    decrease.

    Parameters
    ----------
    task
        A `market_sim.learning.FederatedTask`; its users are the owners of its data. It is reset.
    rounds
        Training rounds, at least 1.
    measure
        A field of the task's `Quality`: "accuracy", "balanced_accuracy", "auc" or "loss".
    aggregator
        Weights of the gradients; in proportion to data size if omitted.
    repeats
        How often each coalition is trained; U is the mean.
    memo
        Where trained results are kept, from text to a list of numbers: any mutable mapping, such
        as one that lives in a file. Nothing is trained twice, and a computation that was stopped
        goes on where it was. Keys tell different tasks and settings apart; a dictionary if
        omitted.

    Attributes
    ----------
    trained
        How many trainings this object has run.

    Raises
    ------
    InvalidInput
        If a number is outside its domain or the measure is unknown.
    """

    def __init__(
        self,
        task: "FederatedTask",
        rounds: int,
        *,
        measure: Measure = "accuracy",
        aggregator: Aggregator | None = None,
        repeats: int = 1,
        memo: MutableMapping[str, Any] | None = None,
    ) -> None:
        if measure not in get_args(Measure):
            raise InvalidInput(f"measure must be one of {get_args(Measure)}, got {measure!r}")
        self.task = task
        self.rounds = whole_number("rounds", rounds, 1)
        self.measure = measure
        self.aggregator = aggregator
        self.repeats = whole_number("repeats", repeats, 1)
        self.trained = 0
        self._memo: MutableMapping[str, Any] = {} if memo is None else memo
        task.reset()
        self._baseline = self._quality()
        self._fingerprint = self._describe()

    @property
    def users(self) -> int:
        """Number of users, the owners of the task's data."""
        return self.task.owners

    @property
    def baseline(self) -> float:
        """Quality of the untrained model."""
        return self._baseline

    def value(self, levels: ArrayLike) -> PerProfile:
        """Return U of levels of shape `(*profiles, users)`, each a privacy loss epsilon."""
        runs = self._runs(levels)
        return np.asarray(runs.mean(axis=-1))

    def standard_error(self, levels: ArrayLike) -> PerProfile:
        """Return the standard error of U over repeats, of which at least 2 are needed."""
        if self.repeats < 2:
            raise InvalidInput("a standard error needs repeats of at least 2, got 1")
        return np.asarray(self._runs(levels).std(axis=-1, ddof=1) / np.sqrt(self.repeats))

    def _runs(self, levels: ArrayLike) -> Array:
        """Return the gain of every repeat, shape `(*profiles, repeats)`; trains what is new."""
        given = as_levels(levels, self.users)
        rows = given.reshape(-1, self.users)
        result = np.array([self._gains(row) for row in rows]).reshape(len(rows), self.repeats)
        return check_values(result).reshape(*given.shape[:-1], self.repeats)

    def _gains(self, levels: Array) -> list[float]:
        """Return the gains of one coalition, from the memo as far as it goes."""
        if not levels.any():
            return [0.0] * self.repeats
        key = f"{self._fingerprint}:{','.join(format(level, '.17g') for level in levels)}"
        known = [float(gain) for gain in self._memo.get(key, [])]
        for repeat in range(len(known), self.repeats):
            known.append(self._train(levels, repeat))
            self._memo[key] = list(known)
        return known[: self.repeats]

    def _train(self, levels: Array, repeat: int) -> float:
        self.task.reset()
        weights = self._weights(levels)
        for round_ in range(self.rounds):
            self.task.update(self.task.deliver(levels, weights, repeat * self.rounds + round_))
        self.trained += 1
        gain = self._quality() - self._baseline
        return -gain if self.measure == "loss" else gain

    def _weights(self, levels: Array) -> Array:
        if self.aggregator is not None:
            return self.aggregator.weights(levels, self.task.data_size)
        share = np.where(levels > 0, self.task.data_size, 0.0)
        return np.asarray(share / share.sum())

    def _quality(self) -> float:
        return float(getattr(self.task.evaluate(), self.measure))

    def _describe(self) -> str:
        """Return a short text that differs when anything differs that a result depends on."""
        task = self.task
        settings = {
            "data": task.data.name,
            "model": repr(task.model),
            "perturbation": repr(task.perturbation),
            "learning_rate": task.learning_rate,
            "momentum": task.momentum,
            "local_samples": task.local_samples,
            "task": task.name,
            "rounds": self.rounds,
            "measure": self.measure,
            "aggregator": repr(self.aggregator),
            "baseline": f"{self._baseline:.6g}",
            "probe": self._probe(),
        }
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
        digest.update(task.parameters().tobytes())
        digest.update(task.data_size.tobytes())
        return digest.hexdigest()[:16]

    def _probe(self) -> list[str]:
        """Return what a first round of all users looks like: who holds what, and the noise."""
        weights = np.arange(1.0, self.users + 1.0)
        first = self.task.deliver(np.ones(self.users), weights / weights.sum(), 0)
        # six digits: a result may be read on another machine, where sums are rounded differently
        return [f"{first.gradient_norm:.6g}", f"{first.noise_norm:.6g}"]
