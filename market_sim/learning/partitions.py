"""Partitions: which training samples belong to which owner."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.shapes import Array, as_floats, as_number, whole_number

Indices = Int64[NDArray[np.int64], "_"]


@dataclass(frozen=True, eq=False)
class Partition:
    """Disjoint sets of sample indices, one an owner.

    Parameters
    ----------
    indices
        One array of indices into the training set an owner, each with at least one entry.
    samples
        Size of the training set that is shared out.

    Raises
    ------
    InvalidInput
        If an owner is left without a sample, an index is out of range, or two owners share one.
    """

    indices: tuple[Indices, ...]
    samples: int

    def __post_init__(self) -> None:
        if not self.indices:
            raise InvalidInput("a partition needs at least one owner")
        empty = [owner for owner, own in enumerate(self.indices) if own.size == 0]
        if empty:
            raise InvalidInput(
                f"owner {empty[0]} got no sample ({len(empty)} of {len(self.indices)} owners): "
                "use fewer owners, more samples or a less skewed partition"
            )
        held = np.concatenate(self.indices)
        if held.min() < 0 or held.max() >= self.samples:
            raise InvalidInput(f"an index is outside the {self.samples} samples of the data set")
        if np.bincount(held, minlength=self.samples).max() > 1:
            raise InvalidInput("two owners hold the same sample: a partition must not overlap")

    @property
    def owners(self) -> int:
        """Number of owners."""
        return len(self.indices)

    @property
    def data_size(self) -> Array:
        """Number of samples an owner, shape `(owners,)`."""
        return np.array([own.size for own in self.indices], dtype=np.float64)

    def capped(self, samples_per_owner: int) -> "Partition":
        """Return the partition with each owner's samples beyond a cap left out (a random subset).

        The order inside an owner is random already, so the first ones are a uniform choice.
        """
        if samples_per_owner < 1:
            raise InvalidInput(f"samples_per_owner must be at least 1, got {samples_per_owner}")
        return Partition(tuple(own[:samples_per_owner] for own in self.indices), self.samples)


def iid(labels: ArrayLike, owners: int, rng: np.random.Generator) -> Partition:
    """Share the samples out at random in parts whose sizes differ by one at most.

    Parameters
    ----------
    labels
        Labels of the training set, shape `(samples,)`; only their number matters here.
    owners
        Number of owners, >= 1.
    rng
        Source of the shuffle.

    Raises
    ------
    InvalidInput
        If there are more owners than samples.
    """
    classes = checked_labels(labels, owners)
    return Partition(tuple(np.array_split(_shuffled(classes.size, rng), owners)), classes.size)


def dirichlet(
    labels: ArrayLike, owners: int, rng: np.random.Generator, *, alpha: float = 0.5
) -> Partition:
    """Share each class out by its own proportions p_c ~ Dirichlet(alpha, ..., alpha).

    Small alpha: each owner sees few classes; large alpha: nearly IID. An owner who drew nothing
    receives one sample from the owner who holds most, so that everyone has something to sell.

    Parameters
    ----------
    labels
        Labels of the training set, shape `(samples,)`.
    owners
        Number of owners, >= 1.
    rng
        Source of the proportions and shuffles.
    alpha
        Concentration, > 0.

    Raises
    ------
    InvalidInput
        If there are more owners than samples or alpha is not positive.

    Notes
    -----
    Source: Hsu, Qi and Brown 2019, "Measuring the Effects of Non-Identical Data Distribution".
    """
    classes = checked_labels(labels, owners)
    concentration = as_number("alpha", alpha, positive=True)
    parts: list[list[NDArray[np.int64]]] = [[] for _ in range(owners)]
    for label in np.unique(classes):
        members = rng.permutation(np.flatnonzero(classes == label))
        sizes = apportion(rng.dirichlet(np.full(owners, concentration)), members.size)
        for part, piece in zip(parts, np.split(members, np.cumsum(sizes)[:-1]), strict=True):
            part.append(piece)
    held = [rng.permutation(np.concatenate(part)) for part in parts]
    return Partition(tuple(without_empty(held)), classes.size)


def shards(
    labels: ArrayLike, owners: int, rng: np.random.Generator, *, per_owner: int = 2
) -> Partition:
    """Sort by label, cut into owners * per_owner equal shards and deal `per_owner` to each.

    Parameters
    ----------
    labels
        Labels of the training set, shape `(samples,)`.
    owners
        Number of owners, >= 1.
    rng
        Source of the deal and of the order inside a class.
    per_owner
        Shards an owner, >= 1: an upper bound of about that many classes each.

    Raises
    ------
    InvalidInput
        If there are more shards than samples.

    Notes
    -----
    Source: McMahan et al. 2017, "Communication-Efficient Learning of Deep Networks", Section 3.
    """
    classes = checked_labels(labels, owners)
    if per_owner < 1:
        raise InvalidInput(f"per_owner must be at least 1, got {per_owner}")
    if owners * per_owner > classes.size:
        raise InvalidInput(
            f"{owners} owners with {per_owner} shards each need as many samples, got {classes.size}"
        )
    mixed = _shuffled(classes.size, rng)
    by_label = mixed[np.argsort(classes[mixed], kind="stable")]
    pieces = np.array_split(by_label, owners * per_owner)
    deal = _shuffled(len(pieces), rng).reshape(owners, per_owner)
    held = [rng.permutation(np.concatenate([pieces[i] for i in hand])) for hand in deal]
    return Partition(tuple(held), classes.size)


def quantity_skew(
    labels: ArrayLike,
    owners: int,
    rng: np.random.Generator,
    *,
    alpha: float = 1.0,
    sizes: Sequence[int] | ArrayLike | None = None,
) -> Partition:
    """Share the samples out at random in parts of unequal size.

    Parameters
    ----------
    labels
        Labels of the training set, shape `(samples,)`; only their number matters here.
    owners
        Number of owners, >= 1.
    rng
        Source of the sizes and the shuffle.
    alpha
        The sizes are 1 + a share of the rest, shares ~ Dirichlet(alpha, ..., alpha), alpha > 0.
    sizes
        Sizes to use instead, one an owner, integers >= 1; what they leave over nobody holds.

    Raises
    ------
    InvalidInput
        If there are more owners than samples, or the sizes do not fit owners and samples.
    """
    classes = checked_labels(labels, owners)
    if sizes is None:
        concentration = as_number("alpha", alpha, positive=True)
        shares = rng.dirichlet(np.full(owners, concentration))
        counts = 1 + apportion(shares, classes.size - owners)
    else:
        counts = _given_sizes(sizes, owners, classes.size)
    mixed = _shuffled(classes.size, rng)
    return Partition(tuple(np.split(mixed, np.cumsum(counts))[:owners]), classes.size)


def checked_labels(labels: ArrayLike, owners: int) -> NDArray[np.int64]:
    """Return labels as integers, refused if each owner cannot have a sample."""
    classes = np.asarray(labels)
    if classes.ndim != 1 or classes.size == 0:
        raise InvalidInput(f"labels must be one axis with entries, got shape {classes.shape}")
    if not 1 <= whole_number("owners", owners, 0) <= classes.size:
        raise InvalidInput(
            f"{owners} owners cannot each hold one of {classes.size} samples: "
            f"give between 1 and {classes.size} owners"
        )
    return classes.astype(np.int64)


def _given_sizes(sizes: ArrayLike, owners: int, samples: int) -> NDArray[np.int64]:
    given = as_floats("sizes", sizes, minimum=1.0)
    counts = given.astype(np.int64)
    if counts.shape != (owners,) or not np.array_equal(counts, given):
        raise InvalidInput(f"sizes must be {owners} integers, one an owner, got {sizes!r:.80}")
    if counts.sum() > samples:
        raise InvalidInput(f"sizes add up to {counts.sum()} but there are {samples} samples")
    return counts


def _shuffled(count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return rng.permutation(count).astype(np.int64)


def apportion(shares: Array, total: int) -> NDArray[np.int64]:
    """Return integers of the given sum, each within one of share * total (cumulative rounding)."""
    ends = np.rint(np.cumsum(shares) * total).astype(np.int64)
    ends[-1] = total
    return np.diff(ends, prepend=0)


def without_empty(held: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """Give every empty owner the last sample of whoever holds most."""
    for owner, own in enumerate(held):
        if own.size == 0:
            richest = max(range(len(held)), key=lambda other: held[other].size)
            held[owner], held[richest] = held[richest][-1:], held[richest][:-1]
    return held
