"""Time of version menus: Eq. (26), its limit, the complete price space and the arbitrage check.

The other side of the projection is SLSQP on the same quadratic program, with the constraints of
neighboring versions and their derivatives given. Before anything is timed, the identity of
Eq. (26) and the agreement of the two projections are checked.
"""

import sys
from pathlib import Path

import numpy as np
from _timing import Row, at_most, faster, plain, report, timed
from scipy.optimize import minimize

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import market_sim as ms
from market_sim.pricing import Survey, best_complete_prices, check_arbitrage, revenue_bound

MANY, SOME = 1000, 200


def menu(versions: int) -> ms.PriceMenu:
    """Return a menu whose ideal prices admit arbitrage."""
    rng = np.random.default_rng(versions)
    labels = np.sort(rng.uniform(0.1, 10.0, versions))
    ideal = labels * rng.uniform(0.5, 1.5, versions)
    return ms.PriceMenu(labels, ideal / ideal.mean())


def slsqp(given: ms.PriceMenu) -> np.ndarray:
    """Return the projection by a general solver."""
    ratio = (given.labels[1:] / given.labels[:-1]) ** given.exponent
    eye = np.eye(given.labels.size)
    rows = np.concatenate([eye[1:] - eye[:-1], ratio[:, None] * eye[:-1] - eye[1:]])
    found = minimize(
        lambda v: 0.5 * ((v - given.ideal_prices) ** 2).sum(),
        given.labels * 0.1,
        jac=lambda v: v - given.ideal_prices,
        method="SLSQP",
        constraints={"type": "ineq", "fun": lambda v: rows @ v, "jac": lambda _: rows},
        options={"maxiter": 1000, "ftol": 1e-13},
    )
    return np.asarray(found.x)


def survey(buyers: int) -> Survey:
    """Return valuations of five versions, each wanted by as many."""
    rng = np.random.default_rng(0)
    labels = np.linspace(0.5, 2.5, 5)
    wanted = np.arange(buyers) % 5
    worth = 10.0 * (1.0 - np.exp(-labels[wanted]))
    return Survey(labels, wanted, worth * rng.lognormal(0.0, 0.5, buyers))


def fit_rows() -> list[Row]:
    """Time Eq. (26) from the smallest to the largest weight of interest."""
    many = menu(MANY)
    rows = []
    for weight in (1e-2, 1e5):
        assert many.solve(weight).identity_error < 1e-9
        case = f"Eq. (26), {MANY}, {weight:g}"
        rows.append(at_most(case, timed(lambda w=weight: many.solve(w)), 0.1))
    five = menu(5)
    return [plain("Eq. (26), 5 versions", timed(five.solve)), *rows]


def projection_rows() -> list[Row]:
    """Time the limit, beside a general solver."""
    some, many = menu(SOME), menu(MANY)
    assert np.allclose(some.project().prices, slsqp(some), atol=1e-5)
    slow = timed(lambda: slsqp(some), repeats=3)
    fast = timed(some.project)
    return [
        plain(f"SLSQP, {SOME}", slow),
        faster(f"projection, {SOME}", fast, slow.best, None, "SLSQP"),
        at_most(f"projection, {MANY}", timed(many.project), 0.1),
    ]


def other_rows() -> list[Row]:
    """Time the check, the dynamic programme and the bound."""
    solved, ideal = menu(MANY).solve(), menu(MANY)
    assert solved.check().method == "cone"
    assert check_arbitrage(ideal.labels, ideal.ideal_prices).witness is not None
    thousand = survey(1000)
    return [
        plain(f"check, {MANY}, cone", timed(solved.check)),
        plain(
            f"check, {MANY}, search",
            timed(lambda: check_arbitrage(ideal.labels, ideal.ideal_prices)),
        ),
        plain("complete space, 5 x 1000", timed(lambda: best_complete_prices(thousand))),
        plain("revenue bound, 5 x 1000", timed(lambda: revenue_bound(thousand))),
    ]


if __name__ == "__main__":
    report("Version menus, one core", [*fit_rows(), *projection_rows(), *other_rows()])
