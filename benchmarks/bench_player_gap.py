"""What N owners gain by leaving the mean field, measured in markets of agents, against N.

Beside the markets stands the rollout of the solver's own arrays, which should say the same.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]
from agents.mean_field_gap import dynamic_gap, static_gap  # noqa: E402 - the tree beside us first
from market_sim import MeanFieldGame  # noqa: E402
from market_sim.laws import Uniform  # noqa: E402

SIZES = [10, 32, 100, 316, 1000, 3162, 10000]


def main() -> None:
    """Print gaps and slopes with their 95 % bootstrap intervals."""
    print("one round, uniform law, B = N / 2, everybody sells at v <= p:")
    print(" ", static_gap(Uniform(0, 1), Uniform(0.1, 5), 0.5, SIZES, estimates=40), flush=True)
    game = MeanFieldGame(
        value=Uniform(0, 1),
        privacy=4.0,
        cap=1.0,
        budget=0.2,
        rounds=8,
        reversion=0.1,
        volatility=0.1,
        cells=40,
        nodes=41,
    )
    solution = game.equilibrium()
    print("8 rounds, values drift; the deviator foresees what the others sell:")
    print(" ", dynamic_gap(solution, SIZES, estimates=12, markets=1, foresight=True), flush=True)
    print("8 rounds, the deviator knows the law of what the others sell:")
    print(" ", dynamic_gap(solution, SIZES[:5], estimates=6, markets=8), flush=True)
    rollout = ", ".join(
        f"N = {size}: {solution.players_gap(size, 1, 400).gain:.3g}" for size in SIZES[:5]
    )
    print(f"the same from arrays: {rollout}")


if __name__ == "__main__":
    main()
