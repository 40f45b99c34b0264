"""Partitions of personalised learning: clusters of like owners, and few classes each."""

import numpy as np
from jaxtyping import Int64
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.learning.partitions import Partition, apportion, checked_labels, without_empty
from market_sim.shapes import as_number, whole_number


def cluster_of(owners: int, clusters: int) -> Int64[NDArray[np.int64], "owners"]:
    """Return the cluster of each owner: neighbours together, in numbers that differ by one at most.

    Parameters
    ----------
    owners
        Number of owners, >= clusters.
    clusters
        Number of clusters, >= 1.

    Raises
    ------
    InvalidInput
        If a cluster would be empty.
    """
    if whole_number("clusters", clusters, 1) > whole_number("owners", owners, 1):
        raise InvalidInput(f"{clusters} clusters need as many owners at least, got {owners}")
    return np.sort(np.arange(owners, dtype=np.int64) % clusters)


def cluster(
    labels: ArrayLike,
    owners: int,
    rng: np.random.Generator,
    *,
    clusters: int = 3,
    alpha: float = 0.1,
    inside: float = 10.0,
) -> Partition:
    """Share each class out over clusters by Dirichlet(alpha), inside them by Dirichlet(inside).

    Owners of a cluster see about the same classes, owners of two clusters different ones; who is
    in which says `cluster_of`. An owner who drew nothing receives one sample.

    Parameters
    ----------
    labels
        Labels of the training set, shape `(samples,)`.
    owners
        Number of owners, >= clusters.
    rng
        Source of the proportions and shuffles.
    clusters
        Number of clusters, >= 1.
    alpha
        Concentration over the clusters, > 0: small for clusters without a class in common.
    inside
        Concentration inside a cluster, > 0: large for owners who are alike.

    Raises
    ------
    InvalidInput
        If there are more owners than samples, fewer than clusters, or a concentration is not
        positive.

    Notes
    -----
    Source: iPFL [S], experiments, the Cluster task.
    """
    classes = checked_labels(labels, owners)
    group = cluster_of(owners, clusters)
    between = as_number("alpha", alpha, positive=True)
    within = as_number("inside", inside, positive=True)
    parts: list[list[NDArray[np.int64]]] = [[] for _ in range(owners)]
    for label in np.unique(classes):
        members = rng.permutation(np.flatnonzero(classes == label))
        shares = rng.dirichlet(np.full(clusters, between))[group]
        for number in range(clusters):
            own = group == number
            shares[own] *= rng.dirichlet(np.full(int(own.sum()), within))
        pieces = np.split(members, np.cumsum(apportion(shares, members.size))[:-1])
        for part, piece in zip(parts, pieces, strict=True):
            part.append(piece)
    held = [rng.permutation(np.concatenate(part)) for part in parts]
    return Partition(tuple(without_empty(held)), classes.size)


def class_skew(
    labels: ArrayLike, owners: int, rng: np.random.Generator, *, classes_each: int = 5
) -> Partition:
    """Give each owner samples of so many classes; a class is shared equally by its owners.

    The classes that the fewest hold are dealt first, so that each is held by about equally many;
    what nobody was dealt nobody holds.

    Parameters
    ----------
    labels
        Labels of the training set, shape `(samples,)`.
    owners
        Number of owners, >= 1.
    rng
        Source of the deal and shuffles.
    classes_each
        Classes an owner, between 1 and the number of classes.

    Raises
    ------
    InvalidInput
        If there are more owners than samples, or fewer classes than an owner is to have.

    Notes
    -----
    Source: iPFL [S], experiments, the Skew task.
    """
    classes = checked_labels(labels, owners)
    known = np.unique(classes)
    if whole_number("classes_each", classes_each, 1) > known.size:
        raise InvalidInput(f"classes_each is {classes_each} but there are {known.size} classes")
    holders: list[list[int]] = [[] for _ in known]
    for owner in range(owners):
        order = rng.permutation(known.size)
        fewest = order[np.argsort([len(holders[place]) for place in order], kind="stable")]
        for place in fewest[:classes_each]:
            holders[place].append(owner)
    parts: list[list[NDArray[np.int64]]] = [[] for _ in range(owners)]
    for label, theirs in zip(known, holders, strict=True):
        members = rng.permutation(np.flatnonzero(classes == label))
        pieces = np.array_split(members, len(theirs)) if theirs else []
        for owner, piece in zip(theirs, pieces, strict=True):
            parts[owner].append(piece)
    held = [rng.permutation(np.concatenate(part)) for part in parts]
    return Partition(tuple(without_empty(held)), classes.size)
