"""The market of models as the formulas read: plain loops, bisection, all sets."""

import itertools
import math

import numpy as np


def gain(market, buyer, sellers):
    """G_i(S)."""
    own, scale = market.data_size[buyer], market.gain[buyer]
    total = own + sum(market.data_size[j] for j in sellers)
    return math.sqrt(scale / own) - math.sqrt(scale / total)


def penalty(market, buyer, seller):
    """lam (N_j / N_i) d_ij."""
    ratio = market.data_size[seller] / market.data_size[buyer]
    return market.penalty * ratio * market.distance[buyer, seller]


def weight(market, buyer, seller):
    """w_ij."""
    return market.cost[seller] + penalty(market, buyer, seller)


def worth(market, buyer, sellers):
    """W_i(S)."""
    return gain(market, buyer, sellers) - sum(weight(market, buyer, j) for j in sellers)


def candidates(market, buyer):
    """Whom the buyer may import from."""
    return np.flatnonzero(market.possible[buyer]).tolist()


def best_set(market, buyer, without=None):
    """The set of the largest W_i and this W_i, all sets compared."""
    others = [j for j in candidates(market, buyer) if j != without]
    sets = itertools.chain.from_iterable(
        itertools.combinations(others, size) for size in range(len(others) + 1)
    )
    best = max(sets, key=lambda chosen: worth(market, buyer, chosen))
    return set(best), worth(market, buyer, best)


def stopping_total(scale, size, price, steps=200):
    """n*_ij by bisection."""
    if scale == 0:
        return -math.inf
    if price <= 0:
        return math.inf
    low, high = size, 2.0 * size
    while math.sqrt(scale / (high - size)) - math.sqrt(scale / high) > price:
        high *= 2.0
    for _ in range(steps):
        middle = (low + high) / 2.0
        if middle in (low, high):
            break
        if math.sqrt(scale / (middle - size)) - math.sqrt(scale / middle) > price:
            low = middle
        else:
            high = middle
    return high


def greedy_set(market, buyer, steps=200):
    """The published greedy of one buyer."""
    scale, size = market.gain[buyer], market.data_size
    stops = {
        j: stopping_total(scale, size[j], weight(market, buyer, j), steps)
        for j in candidates(market, buyer)
    }
    total, chosen = size[buyer], set()
    for j in sorted(stops, key=lambda j: (-stops[j], j)):
        if total + size[j] >= stops[j]:
            break
        chosen.add(j)
        total += size[j]
    return chosen


def sets(imports):
    """The imports of each buyer as a set."""
    return [set(np.flatnonzero(row).tolist()) for row in imports]
