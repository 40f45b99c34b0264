"""The rules of the privacy auction game by their definitions, in plain Python: oracles, and loops.

Each takes unit values v, caps and money of one market and returns what every owner sells and is
paid, as two lists. Nothing is shared with the fast code; equal values keep the owners' order.
"""

from math import inf, sqrt


def ascending(unit):
    return sorted(range(len(unit)), key=unit.__getitem__)


def prefix_sales(unit, cap, chosen, price):
    sold, paid = [0.0] * len(unit), [0.0] * len(unit)
    for i in chosen:
        sold[i], paid[i] = cap[i], price * cap[i]
    return sold, paid


def proportional_share(unit, cap, budget):
    order, total, count = ascending(unit), 0.0, 0
    for i in order:
        if unit[i] * (total + cap[i]) > budget:
            break
        total += cap[i]
        count += 1
    following = unit[order[count]] if count < len(unit) else inf
    return prefix_sales(unit, cap, order[:count], min(budget / total, following) if count else 0.0)


def csra(unit, cap, budget):
    order, total, count, price = ascending(unit), 0.0, 0, 0.0
    for place in range(1, len(unit)):
        total += cap[order[place - 1]]
        if unit[order[place]] * total > budget:
            break
        count, price = place, unit[order[place]]
    return prefix_sales(unit, cap, order[:count], price)


def mfg_pricing(unit, cap, budget):
    total = sum(cap)
    return list(cap), [budget * c / total for c in cap]


def first_price(unit, cap, budget):
    left = budget
    sold = [0.0] * len(unit)
    for price in sorted(set(unit)):
        group = [i for i in range(len(unit)) if unit[i] == price]
        asked = sum(price * cap[i] for i in group)
        part = 1.0 if asked <= left else left / asked
        for i in group:
            sold[i] = part * cap[i]
        left -= part * asked
        if part < 1.0:
            break
    return sold, [v * x for v, x in zip(unit, sold, strict=True)]


def first_price_without_ties(unit, cap, budget):
    sold, paid, left = [0.0] * len(unit), [0.0] * len(unit), budget
    for i in ascending(unit):
        asked = unit[i] * cap[i]
        part = 1.0 if asked <= left else left / asked
        sold[i], paid[i] = part * cap[i], part * asked
        left -= part * asked
        if part < 1.0:
            break
    return sold, paid


def equal_parts(unit, cap, budget, pays, respect_caps):
    """PAC (pays "share") and the budget-capped threshold (pays "next"): every k is tried."""
    owners, best = len(unit), None
    order = ascending(unit)
    for k in range(1, owners):
        part = 1.0 / (owners - k)
        able = [i for i in order if not respect_caps or cap[i] >= part]
        if len(able) < k + (pays == "next"):
            continue
        following = unit[able[k]] if len(able) > k else inf
        deciding = unit[able[k - 1]] if pays == "share" else following
        if k * deciding <= budget * (owners - k):
            price = min(budget / k, following * part) if pays == "share" else following * part
            best = (able[:k], part, price)
    sold, paid = [0.0] * owners, [0.0] * owners
    if best is not None:
        for i in best[0]:
            sold[i], paid[i] = best[1], best[2]
    return sold, paid


def greedy_welfare(unit, cap, demand, weight):
    """Return what an efficient buyer takes of each owner, and the welfare."""
    taken, left, welfare = [0.0] * len(unit), demand, 0.0
    for i in ascending(unit):
        if unit[i] > weight:
            break
        taken[i] = min(cap[i], left)
        left -= taken[i]
        welfare += (weight - unit[i]) * taken[i]
    return taken, welfare


def vcg(unit, cap, demand, weight):
    """Clarke payments literally: welfare with her, as if she cost nothing, less that without."""
    taken, welfare = greedy_welfare(unit, cap, demand, weight)
    paid = []
    for i in range(len(unit)):
        others = [j for j in range(len(unit)) if j != i]
        alone = greedy_welfare([unit[j] for j in others], [cap[j] for j in others], demand, weight)
        paid.append(welfare + unit[i] * taken[i] - alone[1] if taken[i] > 0 else 0.0)
    return taken, paid


def others_supply(unit, cap, i, price):
    pairs = ((unit[j], cap[j]) for j in range(len(unit)) if j != i)
    return sum(c for v, c in pairs if v <= price)


def clearing_price(unit, cap, budget):
    """sup{p : p S(p) <= B}: before each jump of the supply, and at the end."""
    order, total = ascending(unit), 0.0
    for place, i in enumerate(order):
        if unit[i] * (total + cap[i]) > budget and unit[i] * total <= budget:
            jump = sum(cap[j] for j in order[place:] if unit[j] == unit[i])
            if unit[i] * (total + jump) > budget:
                return min(unit[i], budget / total) if total > 0 else unit[i]
        total += cap[i]
        following = unit[order[place + 1]] if place + 1 < len(order) else inf
        if unit[i] * total <= budget and budget / total < following:
            return budget / total
    return budget / total if total > 0 else 0.0


def leave_one_out_soft(unit, cap, budget):
    owners = len(unit)
    sold, paid = [0.0] * owners, [0.0] * owners
    money = budget * (owners - 1) / owners
    for i in range(owners if owners > 1 else 0):
        others = [j for j in range(owners) if j != i]
        price = clearing_price([unit[j] for j in others], [cap[j] for j in others], money)
        if unit[i] * others_supply(unit, cap, i, unit[i]) <= money:
            sold[i], paid[i] = cap[i], price * cap[i]
    return sold, paid


def leave_one_out_hard(unit, cap, budget):
    """Every interval of the others' supply, its ends and its peak."""
    owners = len(unit)
    sold, paid = [0.0] * owners, [0.0] * owners
    for i in range(owners if owners > 1 else 0):
        borders = sorted({unit[j] for j in range(owners) if j != i})
        gain = 0.0
        for low, high in zip([0.0, *borders], [*borders, inf], strict=True):
            supply = others_supply(unit, cap, i, low) if low or borders[0] == 0 else 0.0
            prices = [low, high, budget / (supply + cap[i])]
            if supply > 0:
                prices += [sqrt(unit[i] * budget / supply)]
            for price in prices:
                if low <= price <= high and unit[i] < price < inf:
                    amount = min(cap[i], budget / price - supply)
                    if (price - unit[i]) * amount > gain * (1 + 1e-12):
                        gain = (price - unit[i]) * amount
                        sold[i], paid[i] = amount, price * amount
    return sold, paid
