"""Federated mean estimation: the value of data that is kept, securely aggregated, or given away."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from market_sim.errors import InvalidInput
from market_sim.games.utility import Indices, Utility, as_levels
from market_sim.shapes import Array, as_floats, frozen

GroupMean = Literal["published", "inverse_variance"]
PerUser = Float[NDArray[np.float64], "*profiles users"]
PerProfile = Float[NDArray[np.float64], "*profiles"]


class FederatedMeanEstimation(Utility):
    r"""Each user estimates the mean of her own data, helped by what others give.

    U = sum_i a_i log((r2 + 2 s2) / EMSE_i) over all users. Levels: 0 gives nothing, 1 takes part
    in a secure aggregate (only the mean of that group is seen), 2 gives her own mean. With
    V_j = r2 / n_j + s2, group weights g_j, A = sum_{rho=1} g_j^2 V_j the variance of the group's
    mean and W = sum_{rho=2} 1 / V_j + 1 / A (empty terms dropped),
    EMSE_i = s2 - s2^2 h^2 / A + (1 - s2 h / A)^2 / W, where h = g_i at level 1 and h = 0 at
    level 0; at level 2 she is a group of her own, EMSE_i = s2 q + q^2 / W, q = 1 - s2 / V_i.
    Nobody gives: EMSE_i = r2 + 2 s2.

    U is not monotone: with very different data sizes a second member of the group can destroy
    utility, and her fair payment is then negative.

    Parameters
    ----------
    data_size
        n_i > 0, shape `(users,)`.
    r2
        Variance of one sample around its user's mean, > 0.
    s2
        Variance of the users' means, >= 0.
    importance
        a_i >= 0, how much each user's error counts, shape `(users,)`; 1 each if omitted.
    group_mean
        "published": the group's plain mean, g_j = 1 / N1. "inverse_variance": g_j ~ 1 / V_j.
    min_group
        A group of fewer members than this (1 or 2) gives nothing: its mean would reveal a member.

    Raises
    ------
    InvalidInput
        If a number is outside its domain, an option unknown or the shapes differ.

    Notes
    -----
    Source: Fair Value of Data [S] Propositions 4 and 5, eqs. (15), (56)-(64); [D] the closed form
    through W, and the options.
    """

    smooth = True

    def __init__(
        self,
        data_size: ArrayLike,
        *,
        r2: float,
        s2: float,
        importance: ArrayLike | None = None,
        group_mean: GroupMean = "published",
        min_group: int = 1,
    ) -> None:
        size = as_floats("data_size", data_size, positive=True)
        if size.ndim != 1 or size.size == 0:
            raise InvalidInput(f"data_size must be one number a user, got shape {size.shape}")
        weight = np.ones(size.size) if importance is None else importance
        self.importance = frozen(as_floats("importance", weight, minimum=0.0))
        if self.importance.shape != size.shape:
            raise InvalidInput(
                f"importance must be one number a user ({size.size}), "
                f"got shape {self.importance.shape}"
            )
        if group_mean not in get_args(GroupMean):
            raise InvalidInput(
                f"group_mean must be one of {get_args(GroupMean)}, got {group_mean!r}"
            )
        if min_group not in (1, 2):
            raise InvalidInput(f"min_group must be 1 or 2, got {min_group}")
        self.data_size = frozen(size)
        self.r2 = _one("r2", r2, positive=True)
        self.s2 = _one("s2", s2)
        self.group_mean = group_mean
        self.min_group = self.atoms = int(min_group)
        self.variance = frozen(self.r2 / size + self.s2)

    @property
    def users(self) -> int:
        """Number of users."""
        return self.data_size.size

    @cached_property
    def kinds(self) -> Indices:
        """Users of equal data size and importance are of one kind."""
        size, by_size = np.unique(self.data_size, return_inverse=True)
        weight, by_weight = np.unique(self.importance, return_inverse=True)
        code = by_size * weight.size + by_weight
        seen = np.bincount(code, minlength=size.size * weight.size) > 0
        return np.asarray((np.cumsum(seen) - 1)[code], dtype=np.intp)

    @cached_property
    def _first(self) -> Indices:
        """One user of each kind."""
        first = np.zeros(int(self.kinds.max()) + 1, dtype=np.intp)
        first[self.kinds[::-1]] = np.arange(self.users)[::-1]
        return first

    def value(self, levels: ArrayLike) -> PerProfile:
        """Return U of levels 0, 1 or 2, shape `(*profiles, users)`.

        Raises
        ------
        InvalidInput
            If a level is not 0, 1 or 2 or the number of users differs.
        """
        gain = np.log((self.r2 + 2.0 * self.s2) / self.emse(levels))
        return np.asarray((self.importance * gain).sum(axis=-1))

    def emse(self, levels: ArrayLike) -> PerUser:
        """Return the expected mean square error of each user's own estimate."""
        source = self._sources(levels)
        own = self.s2 * source.share * source.precision
        total = np.where(source.total > 0, source.total, 1.0)[..., None]
        error = self.s2 * (1.0 - source.share * own) + np.square(1.0 - own) / total
        return np.where(source.total[..., None] > 0, error, self.r2 + 2.0 * self.s2)

    def weights(self, levels: ArrayLike) -> Float[NDArray[np.float64], "*profiles users users"]:
        """Return the weight of user j's mean in the estimate of user i, at `[..., i, j]`.

        Each row sums to 1; all zeros where nobody gives. Source: [S] (59)-(64).
        """
        source = self._sources(levels)
        own = self.s2 * source.share
        total = np.where(source.total > 0, source.total, 1.0)[..., None]
        common = (1.0 - own * source.precision) / total
        # a member of the secure group reaches her own data through the group's mean only
        same = source.grouped[..., :, None] & source.grouped[..., None, :]
        same = same | np.eye(self.users, dtype=bool)
        pull = common[..., :, None] + np.where(same, own[..., :, None], 0.0)
        return np.asarray(pull * (source.precision * source.share)[..., None, :])

    def value_of_counts(self, kind: ArrayLike, level: ArrayLike, counts: Sequence[Array]) -> Array:
        """Return U by counts of groups; fractions interpolate from `min_group` members on."""
        members = self._first[np.atleast_1d(kind)]
        given = _checked(np.atleast_1d(as_floats("level", level, finite=False)))
        groups = [
            _Group(int(rho), float(self.variance[i]), float(self.importance[i]), count)
            for rho, i, count in zip(given, members, counts, strict=True)
            if rho > 0
        ]
        ones, twos = ([g for g in groups if g.level == rho] for rho in (1, 2))
        precision, terms = self._secure(ones)
        total = np.asarray(precision + _total(g.count / g.variance for g in twos))
        nobody = total == 0
        total[nobody] = 1.0
        gain = np.zeros(total.shape)
        _add_log(gain, self.importance.sum(), total * (self.r2 + 2.0 * self.s2))
        total *= self.s2
        # EMSE * W is s2 W + 1 at level 0, q (s2 W + q) at level 2
        idle = self.importance.sum() - _total(g.count * g.importance for g in groups)
        _add_log(gain, -idle, total + 1.0)
        for g in twos:
            rest = 1.0 - self.s2 / g.variance
            _add_log(gain, -(g.count * g.importance), rest * total + rest * rest)
        for amount, kept, missed in terms:
            _add_log(gain, -amount, total * kept + missed)
        gain[nobody] = 0.0
        shape = np.broadcast_shapes(*(np.shape(count) for count in counts))
        return np.broadcast_to(gain, shape)

    def _secure(self, ones: Sequence["_Group"]) -> tuple[Array, list[tuple[Array, Array, Array]]]:
        """Return the precision of the group's mean and what EMSE * W of its members is made of.

        Each entry is (importance of all these members, 1 - s2 h^2 / A, (1 - s2 h / A)^2).
        """
        size = _total(g.count for g in ones)
        there = size > self.min_group - 0.5  # whole numbers up to rounding, or above
        safe = np.where(there, size, 1.0)
        if self.group_mean == "published":
            mean = np.where(there, _total(g.count * g.variance for g in ones) / safe, 1.0)
            own = np.where(there, self.s2 / mean, 0.0)
            amount = _total(g.count * g.importance for g in ones)
            precision = np.where(there, safe / mean, 0.0)
            return precision, [(amount, 1.0 - own / safe, np.square(1.0 - own))] if ones else []
        precision = np.where(there, _total(g.count / g.variance for g in ones), 0.0)
        scale = np.where(there, precision, np.inf)
        terms = []
        for g in ones:
            own = np.where(there, self.s2 / g.variance, 0.0)
            kept = np.where(g.count > 0, 1.0 - own / (g.variance * scale), 1.0)
            terms.append((g.count * g.importance, kept, np.square(1.0 - own)))
        return precision, terms

    def _sources(self, levels: ArrayLike) -> "_Sources":
        """Return what reaches whom; a group that is too small gives nothing."""
        given = _checked(as_levels(levels, self.users))
        one, two = given == 1, given == 2
        one = one & (one.sum(axis=-1, keepdims=True) >= self.min_group)
        size = np.maximum(one.sum(axis=-1, keepdims=True), 1)
        weight = one / size if self.group_mean == "published" else one / self.variance
        norm = weight.sum(axis=-1, keepdims=True)
        share = weight / np.where(norm > 0, norm, 1.0)
        spread = (np.square(share) * self.variance).sum(axis=-1, keepdims=True)
        group = np.divide(1.0, spread, out=np.zeros(spread.shape), where=spread > 0)
        precision = np.where(one, group, np.where(two, 1.0 / self.variance, 0.0))
        total = group[..., 0] + (two / self.variance).sum(axis=-1)
        return _Sources(one, np.where(two, 1.0, share), precision, total)


@dataclass(frozen=True)
class _Group:
    """Users of one kind at one level, `count` of them."""

    level: int
    variance: float
    importance: float
    count: Array


@dataclass(frozen=True)
class _Sources:
    """The means that are published: the secure group's and each level-2 user's own."""

    grouped: NDArray[np.bool_]  # who is in the secure group
    share: Array  # weight of each user in the mean that she is part of, g_j (1 at level 2)
    precision: Array  # 1 / variance of that mean, 0 for who is part of none
    total: Array  # W


def _add_log(gain: Array, factor: Array | float, argument: Array | float) -> None:
    """Add factor * log(argument) in place: tables are large, and new memory is slow."""
    work = np.asarray(argument)
    np.log(work, out=work)
    work *= factor
    gain += work


def _total(terms: Iterable[Array]) -> Array:
    return np.asarray(sum(terms, np.zeros(())))


def _checked(levels: Array) -> Array:
    """Return levels, refused unless each is 0, 1 or 2."""
    bad = (levels != 0) & (levels != 1) & (levels != 2)
    if bad.any():
        raise InvalidInput(
            f"levels must be 0 (nothing), 1 (secure aggregate) or 2 (full), "
            f"got {levels[bad].reshape(-1)[0]:g}"
        )
    return levels


def _one(name: str, value: float, *, positive: bool = False) -> float:
    number = as_floats(name, value, minimum=0.0, positive=positive)
    if number.ndim:
        raise InvalidInput(f"{name} must be one number, got shape {number.shape}")
    return float(number)
