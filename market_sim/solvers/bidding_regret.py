"""Regret of play in bidding games, by code that knows no solver and shares no grid with one."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from market_sim.errors import InvalidInput
from market_sim.games.bidding import BiddingGame
from market_sim.games.bidding_strategy import Bidding
from market_sim.games.bidding_types import Play, TypedBidding
from market_sim.shapes import Array, whole_number
from market_sim.streams import Streams

_SPREAD = 0.35  # of the first search, in logarithms; each later one looks a quarter as far
_JUDGES = 400
_BESIDE = 1e-6
_FEW = 1e-3  # smallest part of a cap that is tried


@dataclass(frozen=True, eq=False)
class StrategyRegret:
    """What an owner gains by leaving a strategy that all others keep.

    Attributes
    ----------
    mean, error
        Expected gain over types, in money, and its standard error over types and others.
    worst
        The largest gain of one type tried.
    value, cap, gain
        The types tried and what each gains, shape `(types,)`; a gain may be below 0 by noise.
    bid, offer
        The best report found for each.
    """

    mean: float
    error: float
    worst: float
    value: Array
    cap: Array
    gain: Array
    bid: Array
    offer: Array


def strategy_regret(
    game: BiddingGame,
    strategy: Bidding,
    *,
    types: int = 32,
    profiles: int = 400,
    tries: int = 40,
    seed: int = 1,
) -> StrategyRegret:
    """Return E[max over reports of u(report) - u(strategy)] where all others play a strategy.

    For each type drawn, random reports, bids just beside hers and those of others, and then ever
    closer ones around the best are tried against some draws of the others; the gain of the best is
    measured against other draws. So noise does not count as gain: the mean is below the regret, by
    what the search misses, never above it but for its standard error.

    Parameters
    ----------
    game, strategy
        What is played.
    types
        Types drawn, an even number of at least 4.
    profiles
        Draws of the others against which reports are sought; four times as many, and at least 400,
        judge what was found.
    tries
        Random reports of each type, at least 8; half as many in each of three closer searches.
    seed
        Of all draws.

    Raises
    ------
    InvalidInput
        If a number is too small or the strategy leaves its domain.
    """
    if whole_number("types", types, 4) % 2:
        raise InvalidInput(f"types must be even, since they come in pairs, got {types}")
    streams = Streams(seed)
    value, cap = _some_types(game, types, streams.generator("regret types"))
    whole_number("profiles", profiles, 2)
    whole_number("tries", tries, 8)
    found, judged = (
        _opponents(game, strategy, count, streams, sample)
        for sample, count in enumerate((profiles, max(4 * profiles, _JUDGES)))
    )
    own = np.stack(strategy(value, cap))
    rng = streams.generator("regret search")
    best = np.array(own)
    top = _mean_utility(game, value, best[:, None], found)[0].mean(axis=-1)
    for tried in range(4):
        reports = _candidates(game, value, cap, best, tries, tried, found[0], rng)
        worth = _mean_utility(game, value, reports, found).mean(axis=-1)
        pick = worth.argmax(axis=0)
        better = worth[pick, np.arange(types)] > top
        top = np.where(better, worth[pick, np.arange(types)], top)
        best = np.where(better, reports[:, pick, np.arange(types)], best)
    gain = np.subtract(*_mean_utility(game, value, np.stack([best, own], axis=1), judged))
    per_type = gain.mean(axis=-1)
    # Types are drawn one from each interval of value: neighboring pairs tell how noisy that is. The
    # others are shared by all types, so their noise is counted beside it.
    pairs = per_type.reshape(-1, 2).mean(axis=1)
    apart = np.sqrt((np.diff(pairs) ** 2).mean() / 2.0 / pairs.size)
    error = np.hypot(apart, _standard_error(gain.mean(axis=0)))
    mean = max(0.0, float(per_type.mean()))
    worst = max(0.0, float(per_type.max()))
    return StrategyRegret(mean, float(error), worst, value, cap, per_type, best[0], best[1])


def profile_gains(
    game: BiddingGame, value: Array, cap: Array, bid: Array, offer: Array, seed: int = 1
) -> Float[NDArray[np.float64], " owners"]:
    """Return the most each owner gains by another report, the others' reports being known.

    Tried are bids just below, at and above each other bid, and random ones, each with several
    caps; then closer ones around the best. All arguments have shape `(owners,)`.
    """
    rng = Streams(seed).generator("profile gains")
    gains = np.zeros(len(bid))
    base = game.utility(value, bid, offer)
    top = 2.0 * max(float(bid.max()), float(value.max()), game.budget / float(cap.min()))
    for owner in range(len(bid)):
        beside = np.concatenate([bid * (1 + shift) for shift in (-_BESIDE, 0.0, _BESIDE)])
        bids = np.concatenate([beside, top * rng.random(60) ** 2, [value[owner], bid[owner]]])
        some = np.exp(rng.uniform(np.log(_FEW), 0.0, 0 if game.fixed_cap else 30))
        parts = np.append(some, [1.0, offer[owner] / cap[owner]])
        tried = np.stack(np.meshgrid(bids, parts)).reshape(2, -1)
        best = base[owner]
        for zoom in range(8):
            offers = cap[owner] * np.minimum(tried[1], 1.0)
            worth = _one_moves(game, value, bid, offer, owner, tried[0], offers)
            if worth.max() > best or zoom == 0:
                centre = tried[:, worth.argmax()]
                best = max(best, float(worth.max()))
            around = np.exp(_SPREAD / 3**zoom * rng.uniform(-1.0, 1.0, (2, 60)))
            around[1, :20] = around[0, 20:40] = 1.0
            around[1, : 60 if game.fixed_cap else 0] = 1.0
            tried = np.minimum(centre[:, None] * around, [[np.inf], [1.0]])
        gains[owner] = best - base[owner]
    return gains


def typed_regret(game: TypedBidding, play: Play) -> float:
    """Return the most that a type gains by a listed report, summed profile by profile.

    Every profile of reports is cleared anew and weighed by the product of the others' chances; an
    owner's seat counts as 1 / N.
    """
    chance = game.chance @ play
    shape = (game.choices,) * game.owners
    profiles = np.indices(shape).reshape(game.owners, -1).T
    epsilon, payment = game.cleared(profiles)
    log_chance = np.log(np.maximum(chance, 1e-300))
    everyone = log_chance[profiles].sum(axis=1)
    sold, paid = np.zeros((2, game.choices))
    for seat in range(game.owners):
        own = profiles[:, seat]
        weight = np.exp(everyone - log_chance[own]) / game.owners
        np.add.at(sold, own, weight * epsilon[:, seat])
        np.add.at(paid, own, weight * payment[:, seat])
    worth = paid - np.outer(game.value, sold)
    best = np.where(game.offer <= game.cap[:, None] * (1 + 1e-12), worth, -np.inf).max(axis=1)
    return float((best - (play * worth).sum(axis=1)).max())


def _some_types(game: BiddingGame, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return types, one value from each of `count` equally likely intervals.

    Neighbors have opposite caps (antithetic), so that a pair is a typical one.
    """
    share = (np.arange(count) + rng.random(count)) / count
    first = rng.random(count // 2)
    cap = game.cap_quantile(np.stack([first, 1.0 - first], axis=1).reshape(-1))
    return game.value_quantile(share), cap


def _opponents(
    game: BiddingGame, strategy: Bidding, profiles: int, streams: Streams, sample: int
) -> tuple[Array, Array]:
    value, cap = game.types(streams.generator("regret others", sample), profiles)
    bid, offer = strategy(value[:, 1:], cap[:, 1:])
    return np.asarray(bid), np.asarray(offer)


def _mean_utility(
    game: BiddingGame, value: Array, reports: Array, others: tuple[Array, Array]
) -> Array:
    """Return utilities `(choices, types, profiles)` of reports `(2, choices, types)`."""
    epsilon, payment = game.alone(reports[0][..., None], reports[1][..., None], *others)
    return payment - value[:, None] * epsilon


def _candidates(
    game: BiddingGame,
    value: Array,
    cap: Array,
    best: Array,
    tries: int,
    tried: int,
    rivals: Array,
    rng: np.random.Generator,
) -> Array:
    """Return reports to try, `(2, choices, types)`: anywhere first, then around the best."""
    if tried == 0:
        top = 2.0 * max(float(value.max()), float(best[0].max()))
        bid = top * rng.random((tries, 1)) * np.ones(value.size)
        bid[0] = value  # the truth is a report, too
        bid[1], bid[2] = best[0] * (1.0 - _BESIDE), best[0] * (1.0 + _BESIDE)
        if rivals.size:  # ranks change beside the bids of others, above all where many are equal
            beside = rng.choice(rivals.reshape(-1), tries // 4)
            shift = 1.0 + _BESIDE * rng.choice([-1.0, 1.0], tries // 4)
            bid[3 : 3 + tries // 4] = (beside * shift)[:, None]
        small = np.exp(rng.uniform(-5.0, 0.0, (tries, 1)))
        part = np.where(rng.random((tries, 1)) < 0.5, 1.0, small)
        part[: 3 + tries // 4] = 1.0
        return np.stack([bid, (1.0 if game.fixed_cap else part) * cap * np.ones(bid.shape)])
    count = max(2, tries // 2)
    around = np.exp(_SPREAD / 4.0 ** (tried - 1) * rng.uniform(-1.0, 1.0, (2, count, 1)))
    around[1, : count if game.fixed_cap else count // 2] = 1.0
    return np.stack([best[0] * around[0], np.minimum(best[1] * around[1], cap)])


def _one_moves(
    game: BiddingGame,
    value: Array,
    bid: Array,
    offer: Array,
    owner: int,
    bids: Array,
    offers: Array,
) -> Array:
    """Return the utility of one owner for each of her reports, `(choices,)`."""
    said = np.repeat(np.stack([bid, offer])[:, None], len(bids), axis=1)
    said[0, :, owner], said[1, :, owner] = bids, offers
    epsilon, payment = game.outcome(said[0], said[1])
    return np.asarray(payment[:, owner] - value[owner] * epsilon[:, owner])


def _standard_error(sample: Array) -> float:
    return float(sample.std(ddof=1) / np.sqrt(sample.size))
