"""Learned auctions whose network lies in a file: what they have in common."""

import re
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from market_sim.mechanisms.networks.attack_trials import changed
from market_sim.mechanisms.networks.base import Bids, DifferentiableMechanism, ExpectedOutcome
from market_sim.mechanisms.networks.checkpoints import StoredNetwork, load_network
from market_sim.mechanisms.networks.laws import MarketLaw
from market_sim.reports import Reports
from market_sim.shapes import Array

Module = TypeVar("Module", bound=nn.Module)
_BLOCK = 1024  # markets a pass


@dataclass(frozen=True)
class StoredAuction(DifferentiableMechanism, Generic[Module]):
    """A learned auction that is told its network by a shipped name or by the path of a file."""

    network: str | Path

    @abstractmethod
    def _read(self) -> tuple[StoredNetwork, Module]:
        """Return the file and the network in it."""

    @cached_property
    def _stored(self) -> tuple[StoredNetwork, Module]:
        stored, module = self._read()
        return stored, module.double().requires_grad_(requires_grad=False).eval()

    @property
    def network_name(self) -> str:
        """Name of the network, without folder and ending."""
        return self._stored[0].name

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Settings, law of the training, recipe and figures of the training."""
        return self._stored[0].metadata

    @property
    def module(self) -> Module:
        """The network, in double precision, parameters fixed."""
        return self._stored[1]

    @property
    def law(self) -> MarketLaw:
        """The law of the markets of the training."""
        return MarketLaw.from_plain(dict(self.metadata["law"]))

    @property
    def name(self) -> str:
        """Name of the network."""
        return re.sub(r"[^a-z0-9]+", "-", self.network_name.lower()).strip("-")


def read_kind(network: str | Path, kind: str, module: Any) -> tuple[StoredNetwork, Any]:
    """Return a file of a kind and its network, made by the class that stores such networks."""
    stored = load_network(network, kind)
    return stored, module.from_stored(stored.metadata, stored.tensors)


def in_blocks(module: nn.Module, reports: Reports, money: Array) -> list[ExpectedOutcome]:
    """Return what the network says of all profiles, some rows at a time."""
    bids = changed(Bids.from_reports(reports), lambda column: column.reshape(-1, reports.owners))
    purse = torch.from_numpy(money.reshape(-1))
    outcomes = []
    for rows in torch.arange(len(purse)).split(_BLOCK):
        part = changed(bids, lambda column: column[rows])  # noqa: B023
        outcomes.append(module(part, purse[rows]))
    return outcomes


def joined(parts: list[Tensor], shape: tuple[int, ...]) -> Array:
    """Return the rows of several tensors in one array of a shape."""
    array: Array = torch.cat(parts).numpy()
    return array.reshape(shape)
