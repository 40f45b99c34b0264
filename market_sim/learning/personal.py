"""PersonalTask: one model a participant, trained on her own data, side by side."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from market_sim.errors import InvalidInput
from market_sim.learning.datasets import TrainTest
from market_sim.learning.models import ModelSpec, initial_parameters, model_spec
from market_sim.learning.partitions import Partition
from market_sim.learning.personal_attacks import Attack
from market_sim.learning.personal_distance import Models, participants_mask, usable
from market_sim.learning.personal_quality import (
    PersonalQuality,
    by_own_mix,
    class_scores,
    label_mix,
)
from market_sim.learning.personal_samples import PersonalSamples
from market_sim.learning.personal_sgd import Descent, Samples, as_strength, model_gradients
from market_sim.learning.personal_threads import in_blocks
from market_sim.shapes import Array, as_number, frozen, whole_number
from market_sim.streams import Streams


class PersonalTask:
    """Participants who each train a model of their own from one common initial model.

    Participant i runs `local_steps` steps of SGD on the mean loss L_i of her own samples plus
    strength / 2 ||theta - target_i||^2. Nothing is remembered between calls: models go in and
    come out, and what is random depends on the seed, the participant and the round only.

    Parameters
    ----------
    data
        Training and test set.
    model
        A specification or one of "logistic", "mlp", "cnn".
    partition
        Who holds which training sample; fixes the number of participants.
    learning_rate
        Step size, > 0.
    momentum
        Share of the last step that is kept, in [0, 1); it starts at zero every round.
    weight_decay
        The loss has weight_decay / 2 ||theta||^2 in addition, >= 0.
    batch
        Samples a step, >= 1; None for all of a participant's samples in every step.
    local_steps
        Steps a round, >= 1.
    streams
        Random streams of the run (initial parameters, batches, attacks).
    attacks
        The attackers among the participants, by their index.
    dtype
        "float32" or "float64", for the computation.
    name
        Tells the random streams of several tasks of one run apart.

    Raises
    ------
    InvalidInput
        If the partition is not one of this training set, a number is out of range or an attacker
        is no participant.

    Notes
    -----
    Source: iPFL [S], experiments.
    """

    def __init__(  # noqa: PLR0913 - a task is its data, its model and the numbers of SGD
        self,
        data: TrainTest,
        model: ModelSpec | str,
        partition: Partition,
        *,
        learning_rate: float = 0.01,
        momentum: float = 0.9,
        weight_decay: float = 1e-5,
        batch: int | None = 64,
        local_steps: int = 200,
        streams: Streams,
        attacks: Mapping[int, Attack] | None = None,
        dtype: Literal["float32", "float64"] = "float32",
        name: str = "personal",
    ) -> None:
        if partition.samples != len(data.train):
            raise InvalidInput(
                f"the partition shares out {partition.samples} samples but {data.name!r} has "
                f"{len(data.train)} training samples"
            )
        self.data, self.partition, self.name = data, partition, name
        self.model = model_spec(model)
        self.batch = None if batch is None else whole_number("batch", batch, 1)
        self.descent = _descent(learning_rate, momentum, weight_decay, local_steps)
        self.attacks = _checked_attacks(attacks or {}, partition.owners)
        if dtype not in ("float32", "float64"):
            raise InvalidInput(f"dtype must be 'float32' or 'float64', got {dtype!r}")
        self._streams, self._dtype = streams, getattr(torch, dtype)
        module = self.model.build(data.sample_shape, data.classes)
        self._gradients = model_gradients(module)
        seed = streams.seed(f"parameters of {name}")
        self._initial = initial_parameters(module, seed).numpy().astype(np.float64)
        self._samples = PersonalSamples(
            torch.tensor(data.train.features, dtype=self._dtype),
            torch.from_numpy(self._labels()),
            partition,
        )
        self._mix = label_mix(data.train.labels, partition, data.classes)

    @property
    def participants(self) -> int:
        """Number of participants, m."""
        return self.partition.owners

    @property
    def dimension(self) -> int:
        """Number of parameters of one model."""
        return self._gradients.dimension

    @property
    def data_size(self) -> Array:
        """N, training samples a participant, shape `(participants,)`."""
        return self.partition.data_size

    @property
    def label_mix(self) -> Array:
        """Shares of the labels in each participant's samples, shape `(participants, classes)`."""
        return frozen(self._mix)

    @property
    def initial(self) -> Array:
        """theta0, where everyone starts, shape `(dimension,)`."""
        return frozen(self._initial)

    def begin(self) -> Models:
        """Return everyone's first model, theta0, shape `(participants, dimension)`."""
        return np.tile(self._initial, (self.participants, 1))

    def train(
        self,
        start: ArrayLike,
        round_: int,
        *,
        target: ArrayLike | None = None,
        strength: float = 0.0,
        active: ArrayLike | None = None,
        phase: int = 0,
    ) -> Models:
        """Return the models after the local steps of one round.

        Parameters
        ----------
        start
            Where training starts, shape `(participants, dimension)`. A model that is not finite, or
            longer than 1e9, comes back as it was.
        round_
            Number of the round, >= 0; part of the key of the batches.
        target
            What each model is pulled towards, of the same shape; None for no pull.
        strength
            The loss has strength / 2 ||theta - target||^2 in addition, from 0 to 1e30.
        active
            Who takes part, shape `(participants,)`; the others' models come back as they were.
        phase
            Tells several trainings in one round apart; part of the key of the batches.

        Raises
        ------
        InvalidInput
            If a shape is wrong or a number out of range.
        """
        models = self._models("start", start).copy()
        towards = None if target is None else self._models("target", target)
        pull = as_strength("strength", strength)
        key = (whole_number("round", round_, 0), whole_number("phase", phase, 0))
        inside = participants_mask(active, self.participants) & usable(models)
        if towards is not None:
            inside &= usable(towards)

        def train_some(who: NDArray[np.int64]) -> Array:
            aim = None if towards is None else self._tensor(towards[who])
            gradients = deepcopy(self._gradients)  # a module is no place for two threads
            start_here = self._tensor(models[who])
            batches = self._batches(who, *key)
            return _array(self.descent.run(gradients, start_here, batches, aim, pull))

        in_blocks(np.flatnonzero(inside), self._gradients.at_once, train_some, models)
        return models

    def gradients(self, models: ArrayLike) -> Models:
        """Return the gradient of each participant's loss on all her samples, weight decay included.

        Parameters
        ----------
        models
            Shape `(participants, dimension)`.

        Raises
        ------
        InvalidInput
            If the shape is wrong.
        """
        values = self._models("models", models)
        found = np.empty_like(values)

        def some(who: NDArray[np.int64]) -> Array:
            gradients, all_hers = deepcopy(self._gradients), self._samples.everything(who)
            return _array(gradients.of(self._tensor(values[who]), all_hers))

        in_blocks(np.arange(self.participants), self._gradients.at_once, some, found)
        return found + self.descent.weight_decay * values

    def send(self, models: ArrayLike, round_: int) -> Models:
        """Return what participants show to each other: their models, or an attacker's making.

        Parameters
        ----------
        models
            What they hold, shape `(participants, dimension)`.
        round_
            Number of the round, >= 0; part of the key of an attacker's noise.

        Raises
        ------
        InvalidInput
            If the shape is wrong.
        """
        shown = self._models("models", models).copy()
        for who, attack in self.attacks.items():
            rng = self._streams.for_owner(f"attack on {self.name}", who, round_)
            shown[who] = attack.send(shown[who], self._initial, rng)
        return shown

    def evaluate(self, models: ArrayLike) -> PersonalQuality:
        """Judge each participant's model on the test set, weighted by her own mix of labels.

        Parameters
        ----------
        models
            Shape `(participants, dimension)`.

        Raises
        ------
        InvalidInput
            If the shape is wrong.
        """
        values = self._models("models", models)
        scores = np.full((self.participants, 2, self.data.classes), np.nan)

        def judge(who: NDArray[np.int64]) -> Array:
            model = self._tensor(values[int(who[0])])
            return class_scores(deepcopy(self._gradients), model, self.data.test)[None]

        in_blocks(np.flatnonzero(usable(values)), 1, judge, scores)
        return by_own_mix(scores, self._mix, self.data.test.labels)

    def _batches(self, who: NDArray[np.int64], round_: int, phase: int) -> Callable[[int], Samples]:
        if self.batch is None:
            whole = self._samples.everything(who)
            return lambda _step: whole
        purpose = f"batches {phase} of {self.name}"
        generators = [self._streams.for_owner(purpose, int(i), round_) for i in who]
        return self._samples.batches(who, generators, self.descent.steps, self.batch)

    def _labels(self) -> NDArray[np.int64]:
        """Labels that participants train on; an attacker may have changed hers."""
        labels = np.array(self.data.train.labels)
        for who, attack in self.attacks.items():
            own = self.partition.indices[who]
            rng = self._streams.for_owner(f"labels of {self.name}", who)
            labels[own] = attack.labels(labels[own], rng)
        return labels

    def _models(self, name: str, given: ArrayLike) -> Array:
        values = np.asarray(given, dtype=np.float64)
        if values.shape != (self.participants, self.dimension):
            raise InvalidInput(
                f"{name} must be {self.participants} models of {self.dimension} parameters, got "
                f"shape {values.shape}"
            )
        return values

    def _tensor(self, values: Array) -> Tensor:
        return torch.from_numpy(values).to(self._dtype)


def _array(values: Tensor) -> Array:
    return np.asarray(values.numpy(), dtype=np.float64)


def _descent(rate: float, momentum: float, decay: float, steps: int) -> Descent:
    kept = as_number("momentum", momentum, minimum=0.0)
    if kept >= 1.0:
        raise InvalidInput(f"momentum must be at least 0 and below 1, got {momentum}")
    return Descent(
        as_strength("learning_rate", rate, positive=True),
        kept,
        as_strength("weight_decay", decay),
        whole_number("local_steps", steps, 1),
    )


def _checked_attacks(attacks: Mapping[int, Attack], participants: int) -> dict[int, Attack]:
    for who, attack in attacks.items():
        if whole_number("an attacker's index", who, 0) >= participants:
            raise InvalidInput(f"attacker {who} is not one of the {participants} participants")
        if not isinstance(attack, Attack):
            raise InvalidInput(f"attacker {who} needs an attack such as SignFlip(), got {attack!r}")
    return {int(who): attack for who, attack in attacks.items()}
