"""Networks that a file can bring back: their form is a record of plain values."""

import json
from abc import abstractmethod
from collections.abc import Mapping
from math import sqrt
from typing import Any, Self

import torch
from torch import Tensor, nn

from market_sim.errors import InvalidInput


class StoredModule(nn.Module):
    """A network made from settings; a subclass says how plain values become its settings."""

    @classmethod
    @abstractmethod
    def read_settings(cls, values: dict[str, Any]) -> Any:
        """Return the settings that plain values describe."""

    def __init__(self, settings: Any, seed: int = 0) -> None:
        super().__init__()

    @classmethod
    def from_stored(cls, metadata: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        """Return the network of a file (see `load_network`).

        Raises
        ------
        InvalidInput
            If the tensors do not fit the settings.
        """
        module = cls(cls.read_settings(metadata["settings"]))
        try:
            module.load_state_dict(dict(tensors))
        except RuntimeError as error:
            text = " ".join(str(error).split())
            raise InvalidInput(f"the tensors do not fit the network's settings: {text}") from error
        return module


def draw_glorot(module: nn.Module, seed: int) -> None:
    """Draw the weights of all linear layers by Glorot's uniform rule; biases are 0."""
    generator = torch.Generator().manual_seed(seed)
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            bound = sqrt(6.0 / (layer.in_features + layer.out_features))
            nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def as_plain(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as a file's header gives them back: lists for tuples, text for keys."""
    return dict(json.loads(json.dumps(content)))
