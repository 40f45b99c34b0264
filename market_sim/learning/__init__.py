"""Federated learning on real data: data sets, partitions, models, rounds. Needs torch when used.

Names are imported on first use, so that listing the data sets does not load torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from market_sim.learning.datasets import Dataset, TrainTest
    from market_sim.learning.metrics import Quality, quality
    from market_sim.learning.models import CNN, MLP, Logistic, ModelSpec, model_spec
    from market_sim.learning.partitions import (
        Partition,
        dirichlet,
        iid,
        quantity_skew,
        shards,
    )
    from market_sim.learning.sources import (
        Description,
        dataset_names,
        describe,
        fetch,
        load_dataset,
        verify,
    )
    from market_sim.learning.task import DeliveredGradient, FederatedTask

_HOME = {
    "datasets": ("Dataset", "TrainTest"),
    "metrics": ("Quality", "quality"),
    "models": ("CNN", "MLP", "Logistic", "ModelSpec", "model_spec"),
    "partitions": ("Partition", "dirichlet", "iid", "quantity_skew", "shards"),
    "sources": ("Description", "dataset_names", "describe", "fetch", "load_dataset", "verify"),
    "task": ("DeliveredGradient", "FederatedTask"),
}
_LAZY = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "CNN",
    "MLP",
    "Dataset",
    "DeliveredGradient",
    "Description",
    "FederatedTask",
    "Logistic",
    "ModelSpec",
    "Partition",
    "Quality",
    "TrainTest",
    "dataset_names",
    "describe",
    "dirichlet",
    "fetch",
    "iid",
    "load_dataset",
    "model_spec",
    "quality",
    "quantity_skew",
    "shards",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Import what is listed in `_LAZY` on first use."""
    if name not in _LAZY:
        raise AttributeError(f"module 'market_sim.learning' has no attribute {name!r}")
    return getattr(import_module(f"market_sim.learning.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    """List the public names, lazy ones included."""
    return sorted(__all__)
