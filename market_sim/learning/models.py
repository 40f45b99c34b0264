"""Models as functions of one parameter vector: no module holds weights, no global randomness."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import pairwise
from math import prod, sqrt
from typing import ClassVar

import torch
from torch import Tensor, nn

from market_sim.errors import InvalidInput


@dataclass(frozen=True)
class ModelSpec(ABC):
    """What a model looks like; `build` gives its skeleton for a shape of sample."""

    name: ClassVar[str]

    @abstractmethod
    def build(self, sample_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return the network with parameters on the meta device (shapes without values)."""


@dataclass(frozen=True)
class Logistic(ModelSpec):
    """Multinomial logistic regression: logits = W x + b."""

    name: ClassVar[str] = "logistic"

    def build(self, sample_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return one linear layer on the flattened sample."""
        return nn.Sequential(nn.Flatten(), nn.Linear(prod(sample_shape), classes, device="meta"))


@dataclass(frozen=True)
class MLP(ModelSpec):
    """Fully connected network with ReLU between its layers.

    Parameters
    ----------
    hidden
        Widths of the hidden layers, each >= 1.

    Raises
    ------
    InvalidInput
        If there is no hidden layer or a width is below 1.
    """

    hidden: tuple[int, ...] = (64,)
    name: ClassVar[str] = "mlp"

    def __post_init__(self) -> None:
        _refuse_widths("hidden", self.hidden)

    def build(self, sample_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return linear layers with ReLU between them."""
        widths = (prod(sample_shape), *self.hidden)
        layers: list[nn.Module] = [nn.Flatten()]
        for inner, outer in pairwise(widths):
            layers += [nn.Linear(inner, outer, device="meta"), nn.ReLU()]
        return nn.Sequential(*layers, nn.Linear(widths[-1], classes, device="meta"))


@dataclass(frozen=True)
class CNN(ModelSpec):
    """Small convolutional network: (5 x 5 convolution, ReLU, 2 x 2 max pooling) per entry.

    Parameters
    ----------
    channels
        Output channels of the convolutions, each >= 1.

    Raises
    ------
    InvalidInput
        If there is no convolution or a width is below 1; on `build`, if samples are no images.
    """

    channels: tuple[int, ...] = (8, 16)
    name: ClassVar[str] = "cnn"

    def __post_init__(self) -> None:
        _refuse_widths("channels", self.channels)

    def build(self, sample_shape: tuple[int, ...], classes: int) -> nn.Module:
        """Return the network for images `(channels, height, width)` or `(height, width)`."""
        if len(sample_shape) not in (2, 3):
            raise InvalidInput(
                f"the cnn needs images (channels, height, width), got samples {sample_shape}: "
                "choose 'logistic' or 'mlp'"
            )
        depth, height, width = sample_shape if len(sample_shape) == 3 else (1, *sample_shape)
        layers: list[nn.Module] = [nn.Unflatten(1, (1, height))] if len(sample_shape) == 2 else []
        for outer in self.channels:
            layers += [nn.Conv2d(depth, outer, 5, padding=2, device="meta"), nn.ReLU()]
            layers.append(nn.MaxPool2d(2))
            depth, height, width = outer, height // 2, width // 2
        if min(height, width) < 1:
            raise InvalidInput(
                f"{len(self.channels)} poolings leave nothing of images {sample_shape}: "
                "use fewer channels entries"
            )
        head = nn.Linear(depth * height * width, classes, device="meta")
        return nn.Sequential(*layers, nn.Flatten(), head)


MODELS: dict[str, type[ModelSpec]] = {spec.name: spec for spec in (Logistic, MLP, CNN)}


def model_spec(model: ModelSpec | str) -> ModelSpec:
    """Return the specification that a name stands for, with its default widths.

    Raises
    ------
    InvalidInput
        If the name is unknown.
    """
    if isinstance(model, ModelSpec):
        return model
    if model not in MODELS:
        raise InvalidInput(f"model must be one of {', '.join(sorted(MODELS))}, got {model!r}")
    return MODELS[model]()


def parameter_shapes(module: nn.Module) -> dict[str, torch.Size]:
    """Return the shape of every parameter, in the order of the parameter vector."""
    return {name: parameter.shape for name, parameter in module.named_parameters()}


def dimension(module: nn.Module) -> int:
    """Return the length of the parameter vector."""
    return sum(shape.numel() for shape in parameter_shapes(module).values())


def initial_parameters(module: nn.Module, seed: int) -> Tensor:
    """Draw a parameter vector: uniform on +-1 / sqrt(fan in), the same rule for weights and biases.

    Parameters
    ----------
    module
        Skeleton from `ModelSpec.build`.
    seed
        Seed of a generator of its own; torch's global generator is not touched.
    """
    generator = torch.Generator().manual_seed(seed)
    vector = torch.empty(dimension(module))
    fan_in = 1
    for name, view in unflatten(module, vector).items():
        if name.endswith("weight"):
            fan_in = prod(view.shape[1:])
        bound = 1.0 / sqrt(fan_in)
        view.uniform_(-bound, bound, generator=generator)
    return vector


def unflatten(module: nn.Module, vector: Tensor) -> dict[str, Tensor]:
    """Return views of a parameter vector under the names of the parameters."""
    shapes = parameter_shapes(module)
    pieces = vector.split([shape.numel() for shape in shapes.values()])
    return {
        name: piece.view(shape) for (name, shape), piece in zip(shapes.items(), pieces, strict=True)
    }


def _refuse_widths(name: str, widths: tuple[int, ...]) -> None:
    if not widths or min(widths) < 1:
        raise InvalidInput(f"{name} must hold widths of at least 1, got {widths}")
