"""Menu networks with random parameters, and every lie of an owner, for tests."""

import itertools

import numpy as np
import torch

import market_sim as ms
from market_sim.mechanisms.networks.checkpoints import save_network
from market_sim.mechanisms.networks.menu_grid import MenuGrid
from market_sim.mechanisms.networks.menu_net import KIND, MenuNetwork, MenuSettings

RATES = (0.0, 0.2, 0.6, 0.95, 1.0, 1.05, 1.6, 4.0)
CAPS = (0.1, 0.45, 0.9, 1.0, 1.1, 2.0)


def random_network(path, seed, *, spread=3.0, order="size", verified=True, options=24, most=64):
    """Save a network whose weights are `spread` times those before training; return its path."""
    grid = MenuGrid(max_cap=2.0, options=options)
    settings = MenuSettings(grid, hidden=8, order=order, verified=verified, blocks=most)
    network = MenuNetwork(settings, seed)
    with torch.no_grad():
        for layer in network.layers:
            layer.weight.mul_(spread)
    metadata = {"settings": settings.plain()}
    return str(
        save_network(path / f"menu-{seed}.safetensors", KIND, metadata, network.state_dict())
    )


def mixed_population(seed, profiles, owners=4, single=0.3):
    """Owners of every family, single-minded ones among them."""
    rng = np.random.default_rng(seed)
    drawn = ms.fl_market_2022(owners).sample(rng, (profiles,))
    step = rng.random(drawn.shape) < single
    true = drawn.valuations
    kind = np.where(step, ms.KINDS.index("step"), true.kind)
    rate = np.where(step, true.cost(drawn.cap), true.rate)
    return ms.Population(ms.Valuations(kind, rate), drawn.cap, drawn.data_size)


def best_gain(mechanism, truth, budget, owner):
    """Return the most that an owner gains by any family, rate and cap, shape `profiles`."""
    honest = mechanism.clear(truth, budget).utility(truth.valuations, truth.cap)[..., owner]
    best = np.full(honest.shape, -np.inf)
    for kind in range(len(ms.KINDS)):
        lies = np.array(list(itertools.product(RATES, CAPS)))
        told = truth.replace(
            owner,
            kind=np.full((len(lies), 1), kind),
            rate=lies[:, :1] * truth.valuations.rate[:, owner],
            cap=lies[:, 1:] * truth.cap[:, owner],
        )
        lied = mechanism.clear(told, budget).utility(truth.valuations, truth.cap)[..., owner]
        best = np.maximum(best, (lied - honest).max(axis=0))
    return best
