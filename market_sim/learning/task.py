"""FederatedTask: a buyer's model and the owners' data; one call delivers a round's gradient."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray
from torch.func import functional_call

from market_sim.errors import InvalidInput
from market_sim.learning.batches import Batch, OwnerSamples
from market_sim.learning.datasets import TrainTest
from market_sim.learning.gradients import clipped_sum, gradient_rule
from market_sim.learning.metrics import Quality, quality
from market_sim.learning.models import ModelSpec, initial_parameters, model_spec, unflatten
from market_sim.learning.partitions import Partition
from market_sim.privacy import Perturbation
from market_sim.shapes import Array, as_floats, as_number
from market_sim.streams import Streams

_OWNERS_PER_BLOCK = 16
_TEST_SAMPLES_AT_ONCE = 2048
_SIMPLEX_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class DeliveredGradient:
    """What the broker hands to the buyer at the end of a round.

    Attributes
    ----------
    gradient
        Weighted sum of clipped and perturbed gradients, shape `(dimension,)`.
    gradient_norm
        Euclidean norm of the same sum without noise; for the record, no buyer sees it.
    noise_norm
        Euclidean norm of the weighted noise alone.
    """

    gradient: Float[NDArray[np.float64], "dimension"]
    gradient_norm: float
    noise_norm: float


class FederatedTask:
    """A model that is trained, round by round, on gradients bought from data owners.

    Round t: g = sum_i weights_i (clip(g_i) + scale(epsilon_i) z_it), theta <- theta - rate * v,
    v <- momentum * v + g, with g_i the mean gradient over the samples of owner i and z_it unit
    noise that depends on the seed, the owner and the round only (common random numbers).

    Parameters
    ----------
    data
        Training and test set.
    model
        A specification or one of "logistic", "mlp", "cnn".
    partition
        Who holds which training sample; fixes the number of owners.
    perturbation
        Noise, and the norm and bound of the clipping.
    learning_rate
        Step size of the server, > 0.
    streams
        Random streams of the run (initial parameters, noise, choice of samples).
    momentum
        Share of the last step that is kept, in [0, 1).
    local_samples
        If given, an owner computes on so many of her samples, drawn anew each round.
    name
        Tells the random streams of several tasks of one run apart.

    Raises
    ------
    InvalidInput
        If the partition is not one of this training set or a number is out of range.
    """

    def __init__(  # noqa: PLR0913 - a task is its data, its model and four numbers
        self,
        data: TrainTest,
        model: ModelSpec | str,
        partition: Partition,
        perturbation: Perturbation,
        *,
        learning_rate: float,
        streams: Streams,
        momentum: float = 0.0,
        local_samples: int | None = None,
        name: str = "",
    ) -> None:
        if partition.samples != len(data.train):
            raise InvalidInput(
                f"the partition shares out {partition.samples} samples but {data.name!r} has "
                f"{len(data.train)} training samples"
            )
        if local_samples is not None and local_samples < 1:
            raise InvalidInput(f"local_samples must be at least 1, got {local_samples}")
        self.data = data
        self.model = model_spec(model)
        self.perturbation = perturbation
        self.learning_rate = as_number("learning_rate", learning_rate, positive=True)
        self.momentum = as_number("momentum", momentum)
        if not 0.0 <= self.momentum < 1.0:
            raise InvalidInput(f"momentum must be at least 0 and below 1, got {momentum}")
        self.local_samples = local_samples
        self.name = name
        self._streams = streams
        self._samples = OwnerSamples(data.train, partition)
        self._module = self.model.build(data.sample_shape, data.classes)
        self._rule = gradient_rule(self._module, data.sample_shape)
        self.reset()

    @property
    def owners(self) -> int:
        """Number of owners."""
        return int(self._samples.sizes.size)

    @property
    def dimension(self) -> int:
        """Number of model parameters."""
        return self._rule.dimension

    @property
    def data_size(self) -> Array:
        """Training samples an owner, shape `(owners,)`."""
        return self._samples.sizes.astype(np.float64)

    def parameters(self) -> Array:
        """Return a copy of the model's parameters, shape `(dimension,)`."""
        return self._parameters.numpy().astype(np.float64)

    def load(self, parameters: ArrayLike) -> None:
        """Replace the model's parameters (kept in float32) and forget the momentum.

        Raises
        ------
        InvalidInput
            If the length differs from `dimension` or an entry is not finite.
        """
        values = as_floats("parameters", parameters)
        if values.shape != (self.dimension,):
            raise InvalidInput(f"the model has {self.dimension} parameters, got {values.shape}")
        self._parameters = torch.from_numpy(values.astype(np.float32))
        self._velocity = torch.zeros(self.dimension, dtype=torch.float64)

    def reset(self) -> None:
        """Start again from the initial parameters of the run."""
        seed = self._streams.seed(self._purpose("parameters"))
        self.load(initial_parameters(self._module, seed).numpy())

    def deliver(self, epsilon: ArrayLike, weights: ArrayLike, round_: int) -> DeliveredGradient:
        """Train, clip, perturb and aggregate; only owners with a positive weight are computed.

        Parameters
        ----------
        epsilon
            Privacy each owner sold, >= 0, shape `(owners,)`; infinite means no noise.
        weights
            Aggregation weights on the simplex, shape `(owners,)`.
        round_
            Number of the round, >= 0; part of the key of the noise.

        Raises
        ------
        InvalidInput
            If a shape is wrong, the weights are not on the simplex or all zero, an owner has
            weight but sold nothing, or a gradient is not finite.
        """
        shares, factors = self._checked(epsilon, weights, round_)
        sellers = np.flatnonzero(shares > 0).astype(np.int64)
        clean = self._clipped(sellers, shares, round_)
        noise = self._noise(sellers, factors, round_)
        return DeliveredGradient(
            clean + noise, float(np.linalg.norm(clean)), float(np.linalg.norm(noise))
        )

    def update(self, delivered: DeliveredGradient) -> None:
        """Take one step of gradient descent with what was bought.

        Raises
        ------
        InvalidInput
            If the gradient has another length or the parameters leave the finite numbers.
        """
        gradient = as_floats("gradient", delivered.gradient)
        if gradient.shape != (self.dimension,):
            raise InvalidInput(f"the model has {self.dimension} parameters, got {gradient.shape}")
        velocity = self.momentum * self._velocity + torch.from_numpy(gradient)
        stepped = self._parameters.to(torch.float64) - self.learning_rate * velocity
        parameters = stepped.to(torch.float32)
        if not bool(torch.isfinite(parameters).all()):
            raise InvalidInput(
                f"a step of learning rate {self.learning_rate:g} left the finite numbers: lower it"
            )
        self._parameters, self._velocity = parameters, velocity

    def evaluate(self) -> Quality:
        """Judge the present model on the test set."""
        values = unflatten(self._module, self._parameters)
        test = self.data.test
        pieces = []
        with torch.no_grad():
            for first in range(0, len(test), _TEST_SAMPLES_AT_ONCE):
                rows = slice(first, first + _TEST_SAMPLES_AT_ONCE)
                features = torch.tensor(test.features[rows])
                logits = functional_call(self._module, values, (features,))
                pieces.append(logits.to(torch.float64).softmax(dim=1))
        return quality(torch.cat(pieces).numpy(), test.labels)

    def _checked(self, epsilon: ArrayLike, weights: ArrayLike, round_: int) -> tuple[Array, Array]:
        """Weights, and weights times noise scales (0 for owners who do not take part)."""
        sold = self._per_owner("epsilon", epsilon, finite=False)
        shares = self._per_owner("weights", weights)
        if round_ < 0:
            raise InvalidInput(f"round must be at least 0, got {round_}")
        if not shares.any():
            raise InvalidInput("all weights are zero: nobody sold, so there is no aggregate")
        if abs(shares.sum() - 1.0) > _SIMPLEX_TOLERANCE:
            raise InvalidInput(f"weights must add up to 1, got {shares.sum():g}")
        free = np.flatnonzero((shares > 0) & (sold == 0))
        if free.size:
            raise InvalidInput(
                f"owner {free[0]} has weight {shares[free[0]]:g} but sold no privacy: "
                "weights must be zero where epsilon is zero"
            )
        scales = self.perturbation.scale(np.where(shares > 0, sold, np.inf))
        return shares, shares * scales

    def _per_owner(self, name: str, value: ArrayLike, *, finite: bool = True) -> Array:
        array = as_floats(name, value, minimum=0.0, finite=finite)
        if array.shape != (self.owners,):
            raise InvalidInput(
                f"{name} must be one number for each of the {self.owners} owners, "
                f"got shape {array.shape}"
            )
        return array

    def _clipped(self, sellers: NDArray[np.int64], shares: Array, round_: int) -> Array:
        """Weighted sum of the clipped gradients, without noise."""
        total = clipped_sum(
            self._rule,
            self._parameters,
            self._batches(sellers, round_),
            torch.from_numpy(shares.astype(np.float32)),
            clip=self.perturbation.clip,
            norm=self.perturbation.norm,
        )
        return total.numpy().astype(np.float64)

    def _batches(self, sellers: NDArray[np.int64], round_: int) -> Iterator[Batch]:
        sizes = self._samples.sizes[sellers]
        if self.local_samples is None:
            at_once = self._rule.samples_at_once(int(sizes.mean()))
            yield from self._samples.batches(sellers, at_once)
            return
        count = self.local_samples
        at_once = max(self._rule.samples_at_once(count) // count, 1)
        for first in range(0, sellers.size, at_once):
            group = sellers[first : first + at_once]
            yield self._samples.gather(group, [self._chosen(int(i), count, round_) for i in group])

    def _chosen(self, owner: int, count: int, round_: int) -> NDArray[np.int64]:
        """Draw the rows that an owner computes on this round."""
        rows = self._samples.all_of(owner)
        if rows.size <= count:
            return rows
        rng = self._streams.for_owner(self._purpose("samples"), owner, round_)
        return rng.choice(rows, count, replace=False)

    def _noise(self, sellers: NDArray[np.int64], factors: Array, round_: int) -> Array:
        """Sum of factor_i z_i, in blocks of owners: the sum does not depend on the threads."""
        noisy = sellers[factors[sellers] > 0]
        blocks = [noisy[i : i + _OWNERS_PER_BLOCK] for i in range(0, noisy.size, _OWNERS_PER_BLOCK)]
        total = np.zeros(self.dimension)
        with ThreadPoolExecutor(max_workers=torch.get_num_threads()) as pool:
            for part in pool.map(lambda block: self._block_noise(block, factors, round_), blocks):
                total += part
        return total

    def _block_noise(self, owners: NDArray[np.int64], factors: Array, round_: int) -> Array:
        part = np.zeros(self.dimension)
        for owner in owners:
            rng = self._streams.for_owner(self._purpose("noise"), int(owner), round_)
            noise = self.perturbation.unit_noise(rng, self.dimension)
            noise *= factors[owner]
            part += noise
        return part

    def _purpose(self, purpose: str) -> str:
        return f"{purpose} of {self.name}" if self.name else purpose
