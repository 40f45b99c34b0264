"""Local descent of many models at once: their gradients, and SGD with a pull towards a target."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from market_sim.errors import InvalidInput
from market_sim.learning.models import dimension, parameter_shapes, unflatten
from market_sim.shapes import as_number

LARGEST_STRENGTH = 1e30
"""Rates and strengths beyond this do not fit into float32 arithmetic."""


@dataclass(frozen=True, eq=False)
class Samples:
    """One batch for each of some models.

    Attributes
    ----------
    features
        Shape `(models, batch, *sample_shape)`.
    labels
        Shape `(models, batch)`.
    weights
        What each sample counts in its model's loss, shape `(models, batch)`: they add up to 1.
    """

    features: Tensor
    labels: Tensor
    weights: Tensor


class ModelGradients(ABC):
    """Gradient of each model's own loss, models side by side.

    Parameters
    ----------
    module
        Skeleton of the model (`ModelSpec.build`).
    """

    at_once: int
    """Models that are computed together; fixed, so that no result depends on the threads."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.dimension = dimension(module)
        self._sizes = [shape.numel() for shape in parameter_shapes(module).values()]

    @abstractmethod
    def of(self, models: Tensor, samples: Samples) -> Tensor:
        """Return the gradients, shape `(models, dimension)`."""

    def logits(self, model: Tensor, features: Tensor) -> Tensor:
        """Return what one model says about samples, shape `(samples, classes)`."""
        logits: Tensor = functional_call(self.module, unflatten(self.module, model), (features,))
        return logits


class StackedLinear(ModelGradients):
    """Linear layers with ReLU between them: one batched product a layer for all models.

    With a_l the input of layer l and delta_l the gradient at its output, the gradient of model
    i's weight is sum_s delta_l(i, s) a_l(i, s)'.
    """

    at_once = 5

    def of(self, models: Tensor, samples: Samples) -> Tensor:
        """Return the gradients, shape `(models, dimension)`."""
        count, batch = samples.labels.shape
        shapes = parameter_shapes(self.module).values()
        pieces = [
            piece.view(count, *shape)
            for piece, shape in zip(models.split(self._sizes, dim=1), shapes, strict=True)
        ]
        weights, biases = pieces[0::2], pieces[1::2]
        inputs = [samples.features.reshape(count, batch, -1)]
        for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
            inputs.append(torch.baddbmm(bias[:, None], inputs[-1], weight.mT).relu_())
        logits = torch.baddbmm(biases[-1][:, None], inputs[-1], weights[-1].mT)
        # A softmax along an outer axis is vectorized over samples, which classes are too few for.
        delta = logits.mT.contiguous().softmax(dim=1).mT.contiguous()
        delta.scatter_add_(2, samples.labels[..., None], delta.new_tensor(-1.0).expand_as(delta))
        delta *= samples.weights[..., None]
        blocks: list[Tensor] = []
        for layer in reversed(range(len(weights))):
            blocks += [delta.sum(dim=1), torch.bmm(delta.mT, inputs[layer]).flatten(1)]
            if layer:
                # sign(relu(z)) is the derivative of relu, cheaper than a mask of booleans
                delta = torch.bmm(delta, weights[layer]).mul_(inputs[layer].sign())
        return torch.cat(blocks[::-1], dim=1)


class OneByOne(ModelGradients):
    """Any module, by automatic differentiation, one model after the other.

    A convolution has work enough for itself: neither grouped convolutions nor vmap are as fast.
    """

    at_once = 1

    def __init__(self, module: nn.Module) -> None:
        super().__init__(pooled_first(module))

    def of(self, models: Tensor, samples: Samples) -> Tensor:
        """Return the gradients, shape `(models, dimension)`."""
        rows = zip(models, samples.features, samples.labels, samples.weights, strict=True)
        return torch.stack([self._one(*row) for row in rows])

    def _one(self, model: Tensor, features: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
        leaf = model.detach().requires_grad_()
        with torch.enable_grad():
            losses = cross_entropy(self.logits(leaf, features), labels, reduction="none")
            (gradient,) = torch.autograd.grad((losses * weights).sum(), leaf)
        return gradient

    def logits(self, model: Tensor, features: Tensor) -> Tensor:
        """Return what one model says about samples, shape `(samples, classes)`."""
        values = unflatten(self.module, model)
        if features.ndim == 4:
            # Channels last: convolution and pooling are vectorized over channels.
            features = features.contiguous(memory_format=torch.channels_last)
            values = {
                name: value.contiguous(memory_format=torch.channels_last)
                if value.ndim == 4
                else value
                for name, value in values.items()
            }
        logits: Tensor = functional_call(self.module, values, (features,))
        return logits


def pooled_first(module: nn.Module) -> nn.Module:
    """Return the module with every (ReLU, max pooling) as (max pooling, ReLU).

    The two are equal, max(relu(x)) = relu(max(x)), and ReLU then has a quarter of the work.
    """
    if not isinstance(module, nn.Sequential):
        return module
    layers = list(module)
    for place, (first, second) in enumerate(pairwise(layers)):
        if isinstance(first, nn.ReLU) and isinstance(second, nn.MaxPool2d):
            layers[place : place + 2] = [second, first]
    return nn.Sequential(*layers)


def model_gradients(module: nn.Module) -> ModelGradients:
    """Return the fastest rule that is exact for the module."""
    kinds = [type(layer) for layer in module] if isinstance(module, nn.Sequential) else []
    linear = (len(kinds) - 2) // 2
    if kinds == [nn.Flatten, *[nn.Linear, nn.ReLU] * linear, nn.Linear]:
        return StackedLinear(module)
    return OneByOne(module)


@dataclass(frozen=True)
class Descent:
    """Stochastic gradient descent with momentum: v <- momentum v + g, theta <- theta - rate v.

    g is the gradient of the batch's loss plus weight_decay theta plus the pull towards a target.

    Attributes
    ----------
    learning_rate, momentum, weight_decay
        As above; the velocity v starts at zero every time.
    steps
        Number of steps.
    """

    learning_rate: float
    momentum: float
    weight_decay: float
    steps: int

    def run(
        self,
        gradients: ModelGradients,
        start: Tensor,
        samples: Callable[[int], Samples],
        target: Tensor | None,
        strength: float,
    ) -> Tensor:
        """Return the models after all steps, shape `(models, dimension)`.

        Parameters
        ----------
        gradients
            How gradients are computed.
        start
            Where the models start, shape `(models, dimension)`.
        samples
            The batches of a step, by its number.
        target
            What the models are pulled towards, shape `(models, dimension)`; None for no pull.
        strength
            The loss has strength / 2 ||theta - target||^2 in addition.
        """
        models, velocity = start.clone(), torch.zeros_like(start)
        shrink = self.weight_decay + (strength if target is not None else 0.0)
        pull = None if target is None else strength * target
        for step in range(self.steps):
            velocity.mul_(self.momentum).add_(gradients.of(models, samples(step)))
            velocity.add_(models, alpha=shrink)
            if pull is not None:
                velocity.sub_(pull)
            models.sub_(velocity, alpha=self.learning_rate)
        return models


def as_strength(name: str, value: ArrayLike, *, positive: bool = False) -> float:
    """Return one number that scales a step or a pull, from 0 to 1e30.

    Parameters
    ----------
    name
        What it is called in the error message.
    value
        The number.
    positive
        Refuse zero.

    Raises
    ------
    InvalidInput
        If it is several numbers or out of range.
    """
    number = as_number(name, value, positive=positive, minimum=0.0)
    if number > LARGEST_STRENGTH:
        raise InvalidInput(f"{name} must be at most {LARGEST_STRENGTH:g}, got {number:g}")
    return number
