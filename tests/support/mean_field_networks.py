"""Networks of the mean-field auction with random parameters, and lies in value and cap."""

import numpy as np
import torch

import market_sim as ms
from market_sim.mechanisms.networks.checkpoints import save_network
from market_sim.mechanisms.networks.mean_field_net import KIND, MeanFieldNetwork, MeanFieldSettings

VALUES = (0.0, 0.3, 0.7, 0.9, 0.97, 1.0, 1.03, 1.2, 1.7, 4.0)
CAPS = (0.03, 0.2, 0.5, 0.8, 0.95, 1.0)


def random_network(folder, seed, *, spread=2.0, held=0.5):
    """Save a network whose parameters are random and `spread` times wide; return its path."""
    settings = MeanFieldSettings(hidden=5, pooled=2, most_owners=20)
    network = MeanFieldNetwork(settings, seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(spread * torch.randn(parameter.shape, generator=generator))
        network.top.bias.fill_(held)
    path = folder / f"mean-field-{seed}.safetensors"
    save_network(path, KIND, {"settings": settings.plain()}, network.state_dict())
    return str(path)


def releasing_at_once(folder):
    """Save a network that holds nothing back: the rule without anything learned."""
    return random_network(folder, 0, held=-1e3)


def drawn_market(seed, owners, profiles=3):
    """Draw linear owners, some without costs, alike, or with enormous caps, and budgets."""
    rng = np.random.default_rng(seed)
    shape = (profiles, owners)
    value = rng.uniform(0.0, 1.0, shape)
    cap = np.exp(rng.normal(0.0, rng.choice([0.0, 0.5, 2.0]), shape))
    if rng.random() < 0.4:
        value = np.round(value * 3.0) / 3.0
    if rng.random() < 0.3:
        cap = np.round(cap) + 1.0
    money = owners * np.exp(rng.uniform(np.log(0.01), np.log(3.0), profiles))
    return ms.Reports(ms.Valuations.linear(value), cap), money


def gains(auction, truth, budget, owner):
    """Return what the best of many joint lies in value and cap gains the owner, a market each."""
    lies = [(v, c) for v in VALUES for c in CAPS]
    told = ms.Reports(
        ms.Valuations.linear(np.repeat(truth.unit_value[None], len(lies), axis=0)),
        np.repeat(truth.cap[None], len(lies), axis=0),
    )
    value = np.stack([truth.unit_value[..., owner] * v for v, _ in lies])
    value[: len(lies) // 4] += 0.1  # so that those who ask nothing ask something
    cap = np.stack([truth.cap[..., owner] * c for _, c in lies])
    told = told.replace(owner, rate=value / 2.0, cap=cap)
    honest = auction.clear(truth, budget).utility(truth.valuations, truth.cap)[..., owner]
    money = np.broadcast_to(budget, told.profiles)
    lied = auction.clear(told, money).utility(truth.valuations, truth.cap)[..., owner]
    return (lied - honest).max(axis=0)
