"""Processor time of one training iteration of the published network, beside the plain way.

n = 10 owners, M = 8 options, two networks of 3 x 100, 1,024 profiles, 100 steps of misreports for
each of the 10 owners of every profile; then one step of Adam. The plain way is what published code
does: all bids of all copies of a batch need slopes, and each step differentiates the whole networks
with their parameters. Seconds are of the processor (one thread), so that a busy machine does not
count; `--steps` shortens both sides alike.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from _timing import Row, Timing, at_most, faster, plain, report

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from market_sim.mechanisms.networks.base import Bids
from market_sim.mechanisms.networks.error import error_bound_of
from market_sim.mechanisms.networks.regret_net import RegretNet
from market_sim.mechanisms.networks.regret_net_recipe import RegretNetRecipe
from market_sim.mechanisms.networks.training import Trainer

PROFILES = 1024
QUOTED = 11.0  # seconds an iteration, the authors' code on one core
_STEPS = "--steps"


def taken(call: Callable[[], object], repeats: int) -> Timing:
    """Return best and median processor time of `repeats` calls."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        seconds.append(time.process_time() - start)
    return Timing(min(seconds), statistics.median(seconds), repeats)


def recipe(steps: int, sampled: int) -> RegretNetRecipe:
    """Return the published recipe with so many steps and lying owners."""
    return RegretNetRecipe.preset(
        "m-regret-net", batch=PROFILES, owners_sampled=sampled, lie_steps=steps
    )


def trainer(steps: int, sampled: int) -> Trainer:
    """Return our trainer, ready for its first iteration."""
    made = recipe(steps, sampled)
    module = RegretNet(made.network, 0)
    module.inputs.fit(made.law, 0)
    return Trainer(module, made.law, made.training)


class PlainWay:
    """The same iteration written straight from the algorithm, on copies of the whole batch."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        made = recipe(steps, 0)
        self.module = RegretNet(made.network, 0)
        self.module.inputs.fit(made.law, 0)
        self.optimizer = torch.optim.Adam(self.module.parameters(), lr=1e-3)
        ours = trainer(steps, 0)
        reports, budget = made.law.sample(ours.streams.generator("batch", 0), PROFILES)
        self.truth = Bids.from_reports(reports, torch.float32)
        self.budget = torch.tensor(budget, dtype=torch.float32)

    def iteration(self) -> None:
        """Find all owners' misreports by plain ascent, then take one step of Adam."""
        owners = self.truth.owners
        index = torch.arange(owners)
        mask = torch.eye(owners)[:, None]  # copy i of the batch: owner i lies
        copies = Bids(*(self._copied(column) for column in vars(self.truth).values()))
        budget = self.budget.expand(owners, -1)
        rate, cap = copies.rate.clone(), copies.cap.clone()
        for _ in range(self.steps):
            rate.requires_grad_()
            cap.requires_grad_()
            told = self._told(copies, rate, cap, mask)
            utility = self.module(told, budget).utility(copies)
            (utility * mask).sum().backward()
            with torch.no_grad():
                rate = (rate + 0.1 * rate.grad).clamp(min=0.01)
                cap = torch.minimum((cap + 0.1 * cap.grad).clamp(min=0.01), copies.cap)
        outcome = self.module(self.truth, self.budget)
        honest = outcome.utility(self.truth)
        told = self._told(copies, rate, cap, mask)
        lying = self.module(told, budget).utility(copies)[index, :, index].T
        regret = (lying - honest).clamp(min=0).mean(dim=0).sum()
        violation = (-honest).clamp(min=0).mean(dim=0).sum()
        loss = error_bound_of(outcome.epsilon, self.truth.data_size).mean()
        self.optimizer.zero_grad()
        (loss + regret + regret**2 / 2 + violation + 2 * violation**2).backward()
        self.optimizer.step()

    def _copied(self, column: torch.Tensor) -> torch.Tensor:
        return column.expand(self.truth.owners, -1, -1).contiguous()

    @staticmethod
    def _told(copies: Bids, rate: torch.Tensor, cap: torch.Tensor, mask: torch.Tensor) -> Bids:
        def lie(new: torch.Tensor, old: torch.Tensor) -> torch.Tensor:
            return mask * new + (1 - mask) * old

        return copies.with_lie(lie(rate, copies.rate), lie(cap, copies.cap))


def main() -> None:
    """Time both ways and print the table."""
    torch.set_num_threads(1)
    steps = 100
    if _STEPS in sys.argv:
        place = sys.argv.index(_STEPS)
        steps = int(sys.argv[place + 1])
        del sys.argv[place : place + 2]
    ours, sampled = trainer(steps, 0), trainer(steps, 1)
    ours.step()
    sampled.step()
    mine = taken(ours.step, 3)
    theirs = taken(PlainWay(steps).iteration, 1)
    rows: list[Row] = [
        at_most("ours, all owners", mine, QUOTED / 5 * steps / 100),
        plain("ours, one liar a market", taken(sampled.step, 3)),
        plain("the plain way", theirs),
        faster("ours, all owners", mine, theirs.best, None, "plain"),
    ]
    notes = [
        f"{PROFILES} profiles, {steps} steps of misreports; processor time of one thread.",
        f"The authors' code was measured at {QUOTED:g} s an iteration (100 steps).",
    ]
    report("One training iteration, n = 10, M = 8", rows, notes)


if __name__ == "__main__":
    main()
