"""Versions of one model: each is cut once, by adding noise, and sold as often as asked."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.pricing.cone import check_labels
from market_sim.shapes import Array, as_floats, frozen, whole_number
from market_sim.streams import Streams
from market_sim.versions.labels import VersionLabels

Draws = Literal["independent", "nested"]


@dataclass(frozen=True)
class Combination:
    """The best that somebody can make of several versions by averaging them.

    Attributes
    ----------
    numbers
        Which versions, each once: a second copy is the same bytes.
    weights
        Their weights in the average; they sum to 1.
    noise
        Standard deviation of the average.
    label
        Its label.
    """

    numbers: tuple[int, ...]
    weights: Array
    noise: float
    label: float


class ModelVersions:
    r"""Version j is w + N(0, sigma_j^2 - sigma_g^2): post-processing, no further privacy loss.

    Each version is drawn once: buying it twice gives the same bytes. With "independent" draws the
    extra noises of two versions are independent, so that averaging them helps, up to the noise
    sigma_g of w itself, which they share; the precision reached is at most the sum of precisions
    1 / sigma_j^2, which the price menu counts on. With "nested" draws a version is the next better
    one plus noise, so that an average is never better than its best member.

    Parameters
    ----------
    parameters
        The global model w, shape `(dimension,)`.
    labels
        eps_1 < ... < eps_k.
    scale
        What noise a label names.
    global_label
        eps_g of w; versions above it cannot be cut.
    streams
        Random streams of the run.
    sale
        Key of this model among those of a run.
    draws
        How the versions' noises depend on each other.

    Raises
    ------
    InvalidInput
        If labels do not increase, parameters are not one vector of finite numbers, or a number is
        out of its range.

    Notes
    -----
    Source: version marketplace [D], noise of the versions.
    """

    def __init__(
        self,
        parameters: ArrayLike,
        labels: ArrayLike,
        *,
        scale: VersionLabels,
        global_label: float,
        streams: Streams,
        sale: int = 0,
        draws: Draws = "independent",
    ) -> None:
        self.parameters = frozen(as_floats("parameters", parameters).copy())
        if self.parameters.ndim != 1:
            raise InvalidInput(
                f"parameters must be one vector, got shape {self.parameters.shape}: flatten them"
            )
        self.labels = frozen(check_labels(labels))
        self.scale = scale
        reached = as_floats("global_label", global_label, minimum=0.0, finite=False)
        self.global_label = float(reached)
        self._streams, self._sale = streams, whole_number("sale", sale, 0)
        if draws not in get_args(Draws):
            raise InvalidInput(f"draws must be 'independent' or 'nested', got {draws!r}")
        self.draws = draws
        self._cut: dict[int, Array] = {}

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def extra_noise(self) -> Float[NDArray[np.float64], " versions"]:
        """Noise that is added to w, sqrt(sigma_j^2 - sigma_g^2); NaN above eps_g."""
        return np.asarray(np.sqrt(self._extra_variance()))

    def version(self, number: int) -> Float[NDArray[np.float64], " dimension"]:
        """Return the parameters of a version, read-only and always the same.

        Parameters
        ----------
        number
            0 for the cheapest.

        Raises
        ------
        InvalidInput
            If there is no such version or its label is above eps_g.
        """
        place = self._available(number)
        if place not in self._cut:
            self._cut[place] = frozen(self.parameters + self._noise(place))
        return self._cut[place]

    def combine(self, *numbers: int) -> Combination:
        """Return the average of versions with the least noise that is possible.

        Raises
        ------
        InvalidInput
            If no version is named, or one is not available.
        """
        if not numbers:
            raise InvalidInput("combine needs the number of at least one version")
        places = sorted({self._available(number) for number in numbers})
        extra = self._extra_variance()[places]
        if self.draws == "nested" or extra.min() == 0.0:  # the best one says all that the rest say
            weights = np.zeros(len(places))
            weights[-1] = 1.0
        else:
            weights = (1.0 / extra) / (1.0 / extra).sum()
        variance = float(self.scale.noise(self.global_label)) ** 2
        variance += float(extra[-1] if weights[-1] == 1.0 else 1.0 / (1.0 / extra).sum())
        noise = float(np.sqrt(variance))
        return Combination(tuple(places), weights, noise, float(self.scale.label(noise)))

    def _extra_variance(self) -> Array:
        """sigma_j^2 - sigma_g^2, as a product so that a label just below eps_g keeps its digits."""
        sigma = self.scale.noise(self.labels)
        ratio = self.labels / self.global_label if self.global_label else np.inf
        left = (1.0 - ratio) * (1.0 + ratio)
        rounding = np.abs(left) < 1e-12
        return np.asarray(sigma**2 * np.where(rounding, 0.0, np.where(left < 0, np.nan, left)))

    def _available(self, number: int) -> int:
        place = whole_number("number", number, 0)
        if place >= len(self):
            raise InvalidInput(
                f"there is no version {place}: {len(self)} versions are numbered from 0"
            )
        if np.isnan(self._extra_variance()[place]):
            raise InvalidInput(
                f"version {place} has the label {self.labels[place]:g}, but the model reaches "
                f"{self.global_label:g} only: drop the version or raise the reward pool"
            )
        return place

    def _noise(self, place: int) -> Array:
        """Return the extra noise of a version, from streams of its own."""
        variance = self._extra_variance()
        if self.draws == "independent":
            return np.asarray(np.sqrt(variance[place]) * self._normal(place))
        best = int(np.flatnonzero(~np.isnan(variance))[-1])
        steps = variance[place : best + 1] - np.append(variance[place + 1 : best + 1], 0.0)
        noises = [np.sqrt(step) * self._normal(place + i) for i, step in enumerate(steps)]
        return np.asarray(np.sum(noises, axis=0))

    def _normal(self, place: int) -> Array:
        rng = self._streams.generator("version noise", self._sale, place)
        return rng.standard_normal(len(self.parameters))
