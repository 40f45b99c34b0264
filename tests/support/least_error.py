"""Two judges of ErrorOpt that share nothing with it: a general solver and a lower bound.

Both state the problem as: minimize sum c_i x_i^2 + (sum |x_i - w_i|)^2 over the simplex, x_i = 0
for who sold nothing, c_i = 8 d / eps_i^2 (the clip L scales all of it by L^2).
"""

import numpy as np


def objective(weights, epsilon, share, dim=1):
    """Return the error bound at L = 1, for one profile."""
    won = epsilon > 0
    if (weights[~won] > 0).any() or not won.any():
        return np.inf
    variance = 8.0 * dim * np.sum((weights[won] / epsilon[won]) ** 2)
    return float(variance + np.abs(weights - share).sum() ** 2)


def slsqp(epsilon, share, dim=1, tolerance=1e-16):
    """Return weights by sequential least squares, x = w + a - b with a, b >= 0 (a smooth QP)."""
    from scipy.optimize import LinearConstraint, minimize

    won = epsilon > 0
    cost, owned = 8.0 * dim / epsilon[won] ** 2, share[won]
    lost, count = 1.0 - owned.sum(), int(won.sum())
    scale = objective_scale(cost, owned, lost)

    def parts(z):
        above, below = z[:count], z[count:]
        return owned + above - below, above.sum() + below.sum() + lost

    def value(z):
        x, bias = parts(z)
        return (np.sum(cost * x**2) + bias**2) / scale

    def slope(z):
        x, bias = parts(z)
        gradient = 2 * cost * x
        return np.concatenate([gradient + 2 * bias, 2 * bias - gradient]) / scale

    sums = LinearConstraint(np.r_[np.ones(count), -np.ones(count)][None], lost, lost)
    start = np.r_[np.full(count, lost / count), np.zeros(count)]
    bounds = [(0, None)] * count + [(0, w) for w in owned]
    answer = minimize(
        value,
        start,
        jac=slope,
        method="SLSQP",
        bounds=bounds,
        constraints=[sums],
        options={"ftol": tolerance, "maxiter": 2000},
    )
    found = np.zeros_like(share)
    found[won] = np.maximum(parts(answer.x)[0], 0.0)
    return found / found.sum()


def objective_scale(cost, owned, lost):
    """Return the objective at the start, so that the solver sees numbers near 1."""
    start = owned + lost / len(owned)
    return float(np.sum(cost * start**2) + (2 * lost) ** 2)


def lower_bound(weights, epsilon, share, dim=1):
    """Return a number that no weights on the simplex can beat (weak duality).

    For any signs |s_i| <= 1 and t = s.(x - w) >= 0: ||y - w||_1 >= s.(y - w), so by convexity the
    objective at every feasible y is at least
    sum c x^2 + t^2 + min_i g_i - g.x with g = 2 c x + 2 t s. The signs of owners who sit on their
    share are free; they are set so that all g agree with a level taken from each owner in turn.
    """
    won = epsilon > 0
    x, w = weights[won], share[won]
    cost = 8.0 * dim / epsilon[won] ** 2
    lost = share[~won].sum()
    moved = np.abs(x - w) > 1e-9 * w
    signs = np.where(moved, np.sign(x - w), 0.0)
    bias = np.abs(x - w).sum() + lost
    pull = 2 * cost * x
    # At the optimum all who moved share one level, and those who did not leave room for it.
    levels = [(np.max(pull - 2 * bias) + np.min(pull + 2 * bias)) / 2]
    if moved.any():
        levels.append(np.median((pull + 2 * bias * signs)[moved]))
    best = -np.inf
    for level in levels:
        free = np.clip((level - pull) / (2 * bias) if bias > 0 else 0.0, -1.0, 1.0)
        sign = np.where(moved, signs, free)
        reach = max(float(sign @ (x - w)) + lost, 0.0)
        gradient = pull + 2 * reach * sign
        slack = float(np.sum((gradient - gradient.min()) * x))
        best = max(best, float(np.sum(cost * x**2)) + reach**2 - slack)
    return best
