"""Local steps of ten personal models against a plain loop over participants, in one process.

The loop is what a good programmer writes: an `nn.Module` and a `torch.optim.SGD` a participant,
`loss.backward()`, `step()`. Both sides see the same batches; the largest difference of their
parameters is printed. Repetitions alternate between the sides, the smallest times are compared,
and both use all threads of torch: ours a participant a thread, the loop inside each operation.

A run is 50 rounds of 200 steps and of judging all models on 1,000 images, from the best times.

    OMP_NUM_THREADS=2 python benchmarks/bench_personal.py [--json] [--repeat N] [--steps N]
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from market_sim.learning.datasets import Dataset, TrainTest
from market_sim.learning.models import CNN, MLP, ModelSpec, unflatten
from market_sim.learning.partitions import Partition, iid
from market_sim.learning.personal import PersonalTask
from market_sim.learning.personal_samples import passes
from market_sim.shapes import Array
from market_sim.streams import Streams

PARTICIPANTS, BATCH, ROUNDS, LOCAL_STEPS, LIMIT = 10, 64, 50, 200, 600.0
SETTINGS: dict[str, tuple[ModelSpec, tuple[int, ...]]] = {
    "CNN 8-16, 3 x 32 x 32": (CNN(), (3, 32, 32)),
    "CNN 8-16, 1 x 28 x 28": (CNN(), (1, 28, 28)),
    "MLP 784-64-10": (MLP((64,)), (784,)),
    "MLP 64-32-10": (MLP((32,)), (64,)),
}


@dataclass(frozen=True)
class Result:
    """Seconds of a step of all participants, and of a whole run."""

    setting: str
    threads: int
    ours: float
    loop: float
    ratio: float
    max_difference: float
    judging: float
    run: float


def images(shape: tuple[int, ...]) -> TrainTest:
    """Random data of the size of CIFAR-10 small: no structure that a side could profit from."""
    rng = np.random.default_rng(0)
    features = rng.random((4000, *shape), dtype=np.float32)
    whole = Dataset(features, rng.integers(0, 10, 4000), 10)
    return TrainTest("random", whole.take(np.arange(3000)), whole.take(np.arange(3000, 4000)))


def network(task: PersonalTask) -> nn.Module:
    """Return an ordinary module that holds the initial parameters."""
    module = task.model.build(task.data.sample_shape, 10).to_empty(device="cpu")
    initial = unflatten(module, torch.tensor(task.initial, dtype=torch.float32))
    with torch.no_grad():
        for own, given in zip(module.parameters(), initial.values(), strict=True):
            own.copy_(given)
    return module


def plain_loop(task: PersonalTask, partition: Partition, streams: Streams) -> Array:
    """Train one participant after the other."""
    found = []
    features = torch.tensor(task.data.train.features)
    labels = torch.tensor(task.data.train.labels)
    for who, own in enumerate(partition.indices):
        rng = streams.for_owner("batches 0 of personal", who, 0)
        rows = passes(own, rng, task.descent.steps * BATCH).reshape(-1, BATCH)
        module = network(task)
        optimizer = torch.optim.SGD(module.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-5)
        for batch in rows:
            optimizer.zero_grad()
            leaves = list(module.parameters())
            loss = cross_entropy(module(features[batch]), labels[batch])
            torch.autograd.backward(loss, inputs=leaves)
            optimizer.step()
        found.append(torch.cat([leaf.detach().reshape(-1) for leaf in module.parameters()]))
    return torch.stack(found).numpy().astype(np.float64)


def compare(name: str, steps: int, repeat: int) -> Result:
    """Run both sides in turn; keep the best times and the last results."""
    model, shape = SETTINGS[name]
    data, streams = images(shape), Streams(0)
    partition = iid(data.train.labels, PARTICIPANTS, np.random.default_rng(1))
    task = PersonalTask(data, model, partition, local_steps=steps, streams=streams)
    sides: dict[str, Callable[[], Array]] = {
        "ours": lambda: task.train(task.begin(), 0),
        "loop": lambda: plain_loop(task, partition, streams),
    }
    best: dict[str, float] = {}
    last: dict[str, Array] = {}
    for _ in range(repeat):
        for side, call in sides.items():
            start = time.perf_counter()
            last[side] = call()
            seconds = time.perf_counter() - start
            best[side] = min(seconds, best.get(side, seconds))
    start = time.perf_counter()
    task.evaluate(last["ours"])
    judging = time.perf_counter() - start
    ours, loop = best["ours"] / steps, best["loop"] / steps
    return Result(
        name,
        torch.get_num_threads(),
        ours,
        loop,
        loop / ours,
        float(np.abs(last["ours"] - last["loop"]).max()),
        judging,
        ROUNDS * (LOCAL_STEPS * ours + judging),
    )


def main() -> None:
    """Print the comparison of all settings."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON list")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20, help="local steps a repetition")
    arguments = parser.parse_args()
    results = [compare(name, arguments.steps, arguments.repeat) for name in SETTINGS]
    if arguments.json:
        print(json.dumps([asdict(result) for result in results], indent=2))
        return
    print(f"{'10 participants':22} {'ms/step':>8} {'loop':>7} {'ratio':>6} {'apart':>8}  run")
    for r in results:
        reached = "reached" if r.run <= LIMIT else "not reached"
        print(
            f"{r.setting:22} {1e3 * r.ours:8.2f} {1e3 * r.loop:7.2f} {r.ratio:5.1f}x"
            f" {r.max_difference:8.1e}  {r.run:.0f} s (<= {LIMIT:.0f} s: {reached})"
        )
    print(f"{results[0].threads} threads; judging all on 1,000: {results[0].judging:.2f} s")


if __name__ == "__main__":
    main()
