"""VersionTask: the model that owners train together under the noise they chose themselves."""

import numpy as np
from numpy.typing import ArrayLike

from market_sim.errors import InvalidInput
from market_sim.learning.datasets import TrainTest
from market_sim.learning.metrics import Quality
from market_sim.learning.models import ModelSpec
from market_sim.learning.partitions import Partition
from market_sim.learning.task import DeliveredGradient, FederatedTask
from market_sim.privacy import GaussianPerturbation
from market_sim.shapes import Array, as_floats, whole_number
from market_sim.streams import Streams


class VersionTask:
    r"""T rounds in which each owner uploads the mean of her clipped sample steps, plus noise.

    Round t: u_i = mean over her samples of clip(rate * gradient) + sigma_i z_it, and
    w <- w - sum_i (n_i / n_S) u_i over who takes part. Each sample is clipped by itself, so that
    replacing one moves her upload by at most 2 clip / n_i, which is what sigma_i is made for.

    Parameters
    ----------
    data
        Training and test set.
    model
        A specification or one of "logistic", "mlp", "cnn".
    partition
        Who holds which training sample; fixes the number of owners.
    rounds
        T, a whole number of at least 1.
    learning_rate
        Step size, > 0.
    clip
        Bound of a sample's step in L2, > 0, in units of the parameters.
    streams
        Random streams of the run (initial parameters, noise).
    name
        Tells the random streams of several tasks of one run apart.

    Raises
    ------
    InvalidInput
        If the partition is not one of this training set or a number is out of range.

    Notes
    -----
    Source: PIECE [S] step 4; version marketplace [D], noise of the owners.
    """

    def __init__(
        self,
        data: TrainTest,
        model: ModelSpec | str,
        partition: Partition,
        *,
        rounds: int,
        learning_rate: float,
        clip: float,
        streams: Streams,
        name: str = "versions",
    ) -> None:
        self.rounds = whole_number("rounds", rounds, 1)
        self.clip = float(as_floats("clip", clip, positive=True))
        self.learning_rate = float(as_floats("learning_rate", learning_rate, positive=True))
        self.data_size = partition.data_size
        self.name = name
        self._streams = streams
        self._owner = np.repeat(np.arange(partition.owners), self.data_size.astype(np.intp))
        held = np.concatenate(partition.indices)
        samples = Partition(tuple(held[:, None]), partition.samples)  # every sample by itself
        self._task = FederatedTask(
            data,
            model,
            samples,
            GaussianPerturbation(clip=self.clip / self.learning_rate),
            learning_rate=self.learning_rate,
            streams=streams,
            name=name,
        )

    @property
    def owners(self) -> int:
        """Number of owners."""
        return int(self.data_size.size)

    @property
    def dimension(self) -> int:
        """Number of model parameters."""
        return self._task.dimension

    def train(self, noise: ArrayLike, sale: int = 0) -> Array:
        """Train from the initial parameters and return the model, shape `(dimension,)`.

        Parameters
        ----------
        noise
            sigma_i of each owner's upload, >= 0, shape `(owners,)`; infinite for whoever stays out.
        sale
            Number of the training; part of the key of the noise.

        Raises
        ------
        InvalidInput
            If the shape is wrong, a noise is negative, or nobody takes part.
        """
        scale = as_floats("noise", noise, minimum=0.0, finite=False)
        if scale.shape != (self.owners,):
            raise InvalidInput(
                f"noise must be one number for each of {self.owners} owners, got {scale.shape}"
            )
        inside = np.isfinite(scale)
        if not inside.any():
            raise InvalidInput("every owner stays out (infinite noise), so there is no model")
        share = np.where(inside, self.data_size, 0.0)
        share = share / share.sum()
        weights = (share / self.data_size)[self._owner]
        free = np.full(weights.shape, np.inf)
        self._task.reset()
        for number in range(self.rounds):
            clean = self._task.deliver(free, weights / weights.sum(), number)
            extra = self._noise(share, np.where(inside, scale, 0.0), sale, number)
            noisy = clean.gradient + extra / self.learning_rate
            self._task.update(DeliveredGradient(noisy, clean.gradient_norm, 0.0))
        return self._task.parameters()

    def evaluate(self, parameters: ArrayLike) -> Quality:
        """Judge parameters, such as those of a version, on the test set.

        Raises
        ------
        InvalidInput
            If the length differs from `dimension` or an entry is not finite.
        """
        self._task.load(parameters)
        return self._task.evaluate()

    def _noise(self, share: Array, scale: Array, sale: int, number: int) -> Array:
        """Sum over owners of their share of the noise, each from streams of her own."""
        total = np.zeros(self.dimension)
        for owner in np.flatnonzero(share * scale):
            rng = self._streams.for_owner(f"noise {sale} of {self.name}", int(owner), number)
            total += share[owner] * scale[owner] * rng.standard_normal(self.dimension)
        return total
