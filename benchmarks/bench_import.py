"""Time of `import market_sim` in a fresh interpreter; the aim is under 0.3 s, without torch."""

import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
AIM = 0.3
CLOCK = "import time; t = time.perf_counter(); import {name}; print(time.perf_counter() - t)"


def seconds(name: str, repeats: int = 7) -> float:
    """Return the median time in seconds that `import name` takes in a new process."""
    command = [sys.executable, "-c", CLOCK.format(name=name)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    runs = [
        float(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
        for _ in range(repeats)
    ]
    return statistics.median(runs)


def main() -> None:
    """Print the import time of the library beside that of NumPy, its only heavy dependency."""
    print(f"import numpy       {seconds('numpy'):.3f} s")
    print(f"import market_sim  {seconds('market_sim'):.3f} s   (aim {AIM} s)")


if __name__ == "__main__":
    main()
