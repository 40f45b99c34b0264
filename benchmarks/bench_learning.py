"""One learning round of many owners against a Python loop over owners, both in this process.

A round: mean gradient of each owner, clip, weighted sum, server step; no noise, which costs both
sides the same. The loops are what a good programmer writes without batching:

- plain: one model, `torch.autograd.grad`, norm, clip, accumulate in place;
- client: each owner gets the parameters loaded into a client model, `loss.backward()`, clips and
  sends a flat copy; the server adds the copies up at the end.

Each side runs on 1 and on 2 threads and its better time counts. Repetitions alternate between
the sides, so that other load on the machine meets all of them; the smallest times are compared.

    python benchmarks/bench_learning.py [--json] [--repeat N] [--threads 1 2]
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from market_sim.learning.datasets import Dataset, TrainTest
from market_sim.learning.models import MLP, Logistic, ModelSpec, unflatten
from market_sim.learning.partitions import iid
from market_sim.learning.task import FederatedTask
from market_sim.privacy import GaussianPerturbation, LaplacePerturbation
from market_sim.streams import Streams

LEARNING_RATE = 0.1


@dataclass(frozen=True)
class Setting:
    """Size of one comparison."""

    name: str
    model: ModelSpec
    features: int
    classes: int
    owners: int
    samples: int


SETTINGS = (
    Setting("MLP 784-64-10", MLP((64,)), 784, 10, 1000, 50),
    Setting("MLP 51-32-2", MLP((32,)), 51, 2, 1000, 50),
    Setting("logistic 51-2", Logistic(), 51, 2, 1000, 50),
)


@dataclass(frozen=True)
class Result:
    """Seconds a round, and how far the results are apart."""

    setting: str
    norm: str
    ours: float
    plain_loop: float
    client_loop: float
    ratio_plain: float
    ratio_client: float
    max_difference: float
    relative_difference: float


def owners_data(setting: Setting) -> TrainTest:
    """Random data: no structure that a method could profit from."""
    rng = np.random.default_rng(0)
    count = setting.owners * setting.samples
    features = rng.standard_normal((count, setting.features), dtype=np.float32)
    train = Dataset(features, rng.integers(0, setting.classes, count), setting.classes)
    return TrainTest("random", train, train.take(np.arange(10)))


def network(setting: Setting, parameters: Tensor) -> nn.Module:
    """Return an ordinary module that holds the parameters."""
    module = setting.model.build((setting.features,), setting.classes)
    real = module.to_empty(device="cpu")
    load(real, parameters)
    return real


def load(module: nn.Module, parameters: Tensor) -> None:
    """Copy a parameter vector into a module."""
    with torch.no_grad():
        for own, given in zip(
            module.parameters(), unflatten(module, parameters).values(), strict=True
        ):
            own.copy_(given)


def plain_loop(
    module: nn.Module, owners: list[tuple[Tensor, Tensor]], clip: float, norm: int
) -> Tensor:
    """Do a round and return its aggregate: one owner after another on one model."""
    leaves = list(module.parameters())
    total = [torch.zeros_like(leaf) for leaf in leaves]
    for features, labels in owners:
        gradients = torch.autograd.grad(cross_entropy(module(features), labels), leaves)
        if norm == 1:
            size = float(sum(g.abs().sum() for g in gradients))
        else:
            size = float(sum(g.square().sum() for g in gradients)) ** 0.5
        factor = min(1.0, clip / size) / len(owners)
        for place, gradient in zip(total, gradients, strict=True):
            place.add_(gradient, alpha=factor)
    with torch.no_grad():
        for leaf, gradient in zip(leaves, total, strict=True):
            leaf.sub_(gradient, alpha=LEARNING_RATE)
    return torch.cat([gradient.reshape(-1) for gradient in total])


def client_loop(
    module: nn.Module, owners: list[tuple[Tensor, Tensor]], clip: float, norm: int
) -> Tensor:
    """Do a round and return its aggregate: every owner acts as a client."""
    server = torch.cat([leaf.detach().reshape(-1) for leaf in module.parameters()])
    sent = []
    for features, labels in owners:
        load(module, server)
        module.zero_grad()
        cross_entropy(module(features), labels).backward()
        nn.utils.clip_grad_norm_(module.parameters(), clip, norm_type=norm)
        sent.append(torch.cat([p.grad.reshape(-1) for p in module.parameters()]))
    gradient = torch.stack(sent).mean(dim=0)
    load(module, server - LEARNING_RATE * gradient)
    return gradient


def timed(call: Callable[[], Tensor], threads: int) -> tuple[float, Tensor]:
    """Return the seconds and the result of a call on so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    start = time.perf_counter()
    result = call()
    seconds = time.perf_counter() - start
    torch.set_num_threads(before)
    return seconds, result


def compare(
    setting: Setting, data: TrainTest, norm: int, repeat: int, threads_tried: tuple[int, ...]
) -> Result:
    """Run both loops and the library's round in turn; keep the best times and last results."""
    perturbation = LaplacePerturbation(1.0) if norm == 1 else GaussianPerturbation(1.0)
    partition = iid(data.train.labels, setting.owners, np.random.default_rng(1))
    task = FederatedTask(
        data,
        setting.model,
        partition,
        perturbation,
        learning_rate=LEARNING_RATE,
        streams=Streams(0),
    )
    start = torch.tensor(task.parameters(), dtype=torch.float32)
    silent, even = np.full(setting.owners, np.inf), np.full(setting.owners, 1 / setting.owners)
    owners = [
        (torch.tensor(data.train.features[own]), torch.tensor(data.train.labels[own]))
        for own in partition.indices
    ]

    def ours() -> Tensor:
        delivered = task.deliver(silent, even, 0)
        task.update(delivered)
        return torch.tensor(delivered.gradient, dtype=torch.float32)

    best: dict[str, float] = {}
    last: dict[str, Tensor] = {}
    for _ in range(repeat):
        for threads in threads_tried:
            task.load(start.numpy())
            module, client = network(setting, start), network(setting, start)
            for name, call in (
                ("ours", ours),
                ("plain", lambda module=module: plain_loop(module, owners, 1.0, norm)),
                ("client", lambda client=client: client_loop(client, owners, 1.0, norm)),
            ):
                seconds, last[name] = timed(call, threads)
                best[name] = min(seconds, best.get(name, seconds))
    gaps = [(last["ours"] - last[name]).abs().max().item() for name in ("plain", "client")]
    return Result(
        setting.name,
        f"L{norm}",
        best["ours"],
        best["plain"],
        best["client"],
        best["plain"] / best["ours"],
        best["client"] / best["ours"],
        max(gaps),
        max(gaps) / last["plain"].abs().max().item(),
    )


def main() -> None:
    """Print the comparison of all settings."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON list")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="numbers to try")
    arguments = parser.parse_args()
    results = []
    for setting in SETTINGS:
        data = owners_data(setting)
        tried = tuple(arguments.threads)
        results += [compare(setting, data, norm, arguments.repeat, tried) for norm in (1, 2)]
    if arguments.json:
        print(json.dumps([asdict(result) for result in results], indent=2))
        return
    print(
        f"{'model':16} norm    ours s  plain s (ratio)  client s (ratio)  max difference  relative"
    )
    for r in results:
        print(
            f"{r.setting:16} {r.norm:4} {r.ours:9.4f} {r.plain_loop:8.3f} ({r.ratio_plain:4.1f})"
            f" {r.client_loop:9.3f} ({r.ratio_client:5.1f}) {r.max_difference:12.1e}"
            f" {r.relative_difference:12.1e}"
        )


if __name__ == "__main__":
    main()
