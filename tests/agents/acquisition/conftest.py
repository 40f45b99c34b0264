"""Small acquisition games."""

import numpy as np
import pytest

from market_sim.games import AcquisitionGame, DPMeanEstimation, FederatedMeanEstimation

SIZES = [100, 10, 10, 10, 100, 10, 10, 10, 10, 10]
COSTS = [[0, 0.02, 0.5]] + [[0, 0.02, 0.4]] * 3 + [[0, 0.1, 4]] + [[0, 0.05, 1]] * 4 + [[0, 0.5, 4]]


@pytest.fixture(scope="session")
def figure_7b():
    """Return the game of Fig. 7b of the paper."""
    return AcquisitionGame(FederatedMeanEstimation(SIZES, r2=1.0, s2=100.0), COSTS)


@pytest.fixture(scope="session")
def alike():
    """Build a game of identical users who give everything or nothing: `alike(users, cost)`."""

    def build(users=10, cost=0.03):
        return AcquisitionGame(DPMeanEstimation(users), [[0, cost]] * users, [0, np.inf])

    return build


@pytest.fixture(scope="session")
def mixed_costs():
    """Return a game of five users, three levels, of which the first gives too, all costs apart."""
    costs = [[0, 0.01 * i, 0.03 * i + 0.01] for i in range(1, 6)]
    return AcquisitionGame(DPMeanEstimation(5), costs, [0.5, 2.0, 8.0], private_gives=True)
