"""Lies against a `RegretNet`, differentiated by hand: what training spends nearly all its time on.

Only the liar's own inputs change, so the others' part of the first layer is computed once; only her
own options are read off; no slopes of parameters are formed. Both networks run side by side in
stacked products, owner by owner, in blocks that stay in the processor's cache.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from market_sim.mechanisms.networks.base import Bids
from market_sim.mechanisms.networks.inputs import FLOOR, SHAPE_POINTS
from market_sim.mechanisms.networks.misreports import Owners, Rows
from market_sim.mechanisms.networks.regret_net import RegretNet
from market_sim.valuation import KINDS

HALF = bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
_EXPONENTIAL = KINDS.index("exponential")
_LARGEST = 80.0  # the exponential of it, and sums of such, are finite in float32
_POWER = np.array([1.0, 2.0, 0.5, 0.0, 0.0], dtype=np.float32)  # base = c eps^power, by kind
_LOG_COEFFICIENT = np.log(np.array([2.0, 1.0, 2.0, 1.0, 1.0], dtype=np.float32))


@dataclass(frozen=True, eq=False)
class FrozenNet:
    """The parameters of a `RegretNet` as float32 arrays, both networks stacked on the first axis.

    Parameters
    ----------
    module
        The network; later changes of its parameters are not seen.
    temperature
        Of the smoothed choice of a deterministic network; 1 for the others.
    half
        Carry slopes (never utilities) back in bfloat16; by default where the processor multiplies
        in it. The way up is a little rougher, what is found there is exact.
    """

    module: RegretNet
    temperature: float = 1.0
    half: bool = HALF

    @cached_property
    def layers(self) -> list[tuple[Rows, Rows]]:
        """Weights `(2, in, out)` and biases `(2, 1, out)` of the hidden layers."""
        both = (_linears(self.module.allocation)[:-1], _linears(self.module.payment)[:-1])
        return [
            (np.stack([_array(p.weight).T for p in pair]), np.stack([_array(p.bias) for p in pair]))
            for pair in zip(*both, strict=True)
        ]

    @cached_property
    def half_layers(self) -> list[Tensor]:
        """Weights `(2, out, in)` of the hidden layers in bfloat16."""
        return [torch.from_numpy(w).transpose(1, 2).bfloat16().contiguous() for w, _ in self.layers]

    @cached_property
    def outputs(self) -> list[tuple[Rows, Rows]]:
        """Weights `(in, out)` and biases of the two last layers; options are `(owner, option)`."""
        last = [_linears(net)[-1] for net in (self.module.allocation, self.module.payment)]
        return [(_array(layer.weight).T, _array(layer.bias)) for layer in last]

    @cached_property
    def scale(self) -> tuple[Rows, Rows]:
        """Mean and deviation of the inputs."""
        return _array(self.module.inputs.mean), _array(self.module.inputs.deviation)


def _linears(network: nn.Module) -> list[nn.Linear]:
    return [layer for layer in network.modules() if isinstance(layer, nn.Linear)]


def _array(tensor: Tensor) -> NDArray[np.float32]:
    return tensor.detach().numpy().astype(np.float32)


class OwnerLies:
    """Lies of one and the same owner in many profiles; a `LieProblem` in units of the budget.

    Parameters
    ----------
    net
        The frozen parameters.
    seen
        Standardized inputs at the truth, shape `(rows, owners, inputs)`.
    truth
        True bids, shape `(rows, owners)`.
    budget
        Shape `(rows,)`.
    owner
        Index of the liar.
    """

    def __init__(self, net: FrozenNet, seen: Rows, truth: Bids, budget: Tensor, owner: int) -> None:
        self.net = net
        self.owner = owner
        settings = net.module.settings
        self._deterministic = settings.deterministic
        self._prepare_valuation(truth, budget)
        self._prepare_network(seen)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self._log_cap)

    def _prepare_valuation(self, truth: Bids, budget: Tensor) -> None:
        own = (slice(None), self.owner)
        money = _array(budget)
        kind = truth.kind[own].numpy()
        amount = truth.rate[own] if truth.data_size is None else (truth.rate * truth.data_size)[own]
        self._per_budget = _array(amount) / money
        with np.errstate(divide="ignore"):
            self._log_scale = np.log(self._per_budget * truth.owners)
        cap = _array(truth.cap[own]).clip(max=self.net.module.settings.max_cap)
        self._log_cap = np.log(cap)
        self._power = _POWER[kind]
        self._log_coefficient = _LOG_COEFFICIENT[kind]
        self._exponential = np.flatnonzero(kind == _EXPONENTIAL)
        self._shares = _array(self.net.module.shares)
        self._share_power = self._shares ** self._power[:, None]

    def _prepare_network(self, seen: Rows) -> None:
        count = len(self.net.scale[0])
        first, bias = self.net.layers[0]
        own = slice(self.owner * count, (self.owner + 1) * count)
        others = seen.reshape(len(seen), -1).copy()
        others[:, own] = 0.0
        self._first = np.ascontiguousarray(first[:, own])  # (2, inputs, hidden)
        self._first_back = np.ascontiguousarray(self._first.transpose(0, 2, 1))
        self._cached = others @ first + bias[:, None]
        self._seen = seen[:, self.owner].copy()
        weight, bias = self.net.outputs[0]
        outcomes = len(self._shares) + 1
        self._own_options = slice(self.owner * outcomes, (self.owner + 1) * outcomes)
        self._out = np.ascontiguousarray(weight[:, self._own_options])
        self._out_bias = bias[self._own_options]
        shape = (len(self.net.layers), 2, len(seen), first.shape[-1])
        self._hidden = np.empty(shape, dtype=np.float32)
        self._slope = np.empty(shape[1:], dtype=np.float32)
        self._spare = np.empty(shape[1:], dtype=np.float32)
        half = (torch.empty(shape[1:], dtype=torch.bfloat16) for _ in range(2))
        self._half = (next(half), next(half)) if self.net.half else None

    def utility(self, log_rate: Rows, log_cap: Rows) -> tuple[Rows, Rows, Rows]:
        """Return utility / B and its slopes; see `LieProblem`."""
        place = self._log_cap + log_cap
        by_rate, by_cap = self._look(log_rate, place)
        self._forward()
        chance, shares = self._choices()
        cost, cost_slope = self._costs(place)
        own = shares[:, self.owner]
        expected = np.einsum("rm,rm->r", chance[:, 1:], cost)
        pay = own * (1.0 - chance[:, 0]) if self._deterministic else own
        to_options = np.empty_like(chance)
        np.subtract(expected[:, None], cost, out=to_options[:, 1:])
        to_options[:, 0] = expected
        if self._deterministic:
            to_options += (own * chance[:, 0])[:, None]
            to_options[:, 0] -= own
        to_options *= chance
        to_options /= self.net.temperature
        to_shares = -shares
        to_shares[:, self.owner] += 1.0
        to_shares *= (pay if self._deterministic else own)[:, None]
        slope = self._backward(to_options, to_shares)
        direct = np.einsum("rm,rm->r", chance[:, 1:], cost_slope)
        slope_cap = np.einsum("rf,rf->r", slope, by_cap) - direct
        return pay - expected, slope[:, 0] * by_rate, slope_cap

    def _look(self, log_rate: Rows, place: Rows) -> tuple[Rows, Rows]:
        """Set the liar's inputs; return their slopes by log rate (of the first) and by log cap."""
        mean, deviation = self.net.scale
        log_base = self._log_coefficient + self._power * place
        steepness = self._power.copy()
        seen = self._seen
        by_cap = np.zeros_like(seen)
        rows = self._exponential
        if len(rows):
            eps = np.exp(place[rows])
            log_base[rows] = np.log(np.expm1(eps))
            steepness[rows] = eps / -np.expm1(-eps)
            for column, share in enumerate(SHAPE_POINTS, start=2):
                part = share * eps
                form = np.log(np.expm1(part)) - log_base[rows]
                seen[rows, column] = (form - mean[column]) / deviation[column]
                by_cap[rows, column] = (part / -np.expm1(-part) - steepness[rows]) / deviation[
                    column
                ]
        relative = np.exp(self._log_scale + log_rate + log_base)
        seen[:, 0] = (np.log(relative + FLOOR) - mean[0]) / deviation[0]
        top = self.net.module.settings.max_cap
        seen[:, 1] = (place - np.float32(np.log(top)) - mean[1]) / deviation[1]
        by_rate = relative / (relative + FLOOR) / deviation[0]
        by_cap[:, 0] = by_rate * steepness
        by_cap[:, 1] = 1.0 / deviation[1]
        return by_rate, by_cap

    def _costs(self, place: Rows) -> tuple[Rows, Rows]:
        """Return each option's true cost / B and its slope by log cap, `(rows, options)`."""
        top = self._per_budget * np.exp(self._log_coefficient + self._power * place)
        cost = top[:, None] * self._share_power
        slope = self._power[:, None] * cost
        rows = self._exponential
        if len(rows):
            eps = np.exp(place[rows])[:, None] * self._shares
            scale = self._per_budget[rows, None]
            less_one = np.expm1(eps)
            cost[rows] = scale * less_one
            slope[rows] = scale * eps * (less_one + 1.0)
        return cost, slope

    def _forward(self) -> None:
        """Fill the hidden layers of both networks."""
        hidden = self._hidden
        np.matmul(self._seen, self._first, out=hidden[0])
        hidden[0] += self._cached
        np.tanh(hidden[0], out=hidden[0])
        for depth, (weight, bias) in enumerate(self.net.layers[1:], start=1):
            np.matmul(hidden[depth - 1], weight, out=hidden[depth])
            hidden[depth] += bias[:, None]
            np.tanh(hidden[depth], out=hidden[depth])

    def _choices(self) -> tuple[Rows, Rows]:
        """Return the liar's chances `(rows, options + 1)` and all shares of the budget."""
        logits = self._hidden[-1, 0] @ self._out
        logits += self._out_bias
        logits /= self.net.temperature
        weight, bias = self.net.outputs[1]
        money = self._hidden[-1, 1] @ weight
        money += bias
        return _softmax(logits), _softmax(money)

    def _backward(self, to_options: Rows, to_shares: Rows) -> Rows:
        """Return the slopes of utility by the liar's standardized inputs, `(rows, inputs)`."""
        np.matmul(to_options, self._out.T, out=self._slope[0])
        np.matmul(to_shares, self.net.outputs[1][0].T, out=self._slope[1])
        for depth in range(len(self.net.layers) - 1, -1, -1):
            hidden = self._hidden[depth]  # read for the last time: 1 - tanh^2 takes its place
            np.multiply(hidden, hidden, out=hidden)
            np.subtract(1.0, hidden, out=hidden)
            np.multiply(self._slope, hidden, out=self._slope)
            if depth:
                self._through(depth)
        return np.asarray(np.matmul(self._slope, self._first_back).sum(axis=0))

    def _through(self, depth: int) -> None:
        """Carry the slopes back through one hidden layer, in place."""
        if self._half is None:
            weight = self.net.layers[depth][0].transpose(0, 2, 1)
            np.matmul(self._slope, weight, out=self._spare)
            self._slope, self._spare = self._spare, self._slope
            return
        into, out = self._half
        slope = torch.from_numpy(self._slope)
        torch.bmm(into.copy_(slope), self.net.half_layers[depth], out=out)
        slope.copy_(out)


def _softmax(logits: Rows) -> Rows:
    """Return the softmax of rows, in place."""
    np.clip(logits, -_LARGEST, _LARGEST, out=logits)  # quicker than to subtract the largest
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)
    return logits


def by_owner(owner: Owners, owners: Sequence[int] | range, block: int = 1024) -> list[Owners]:
    """Return the rows of each owner in turn, at most `block` at a time."""
    parts = []
    for one in owners:
        rows = np.flatnonzero(owner == one)
        parts += [rows[start : start + block] for start in range(0, len(rows), block)]
    return parts
