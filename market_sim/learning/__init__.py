"""Federated learning on real data: data sets, partitions, models, rounds. Needs torch when used.

Names are imported on first use, so that listing the data sets does not load torch.
"""

from typing import TYPE_CHECKING

from market_sim.lazy import lazy_names

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
    from market_sim.learning.version_task import VersionTask

_HOME = {
    "datasets": ("Dataset", "TrainTest"),
    "metrics": ("Quality", "quality"),
    "models": ("CNN", "MLP", "Logistic", "ModelSpec", "model_spec"),
    "partitions": ("Partition", "dirichlet", "iid", "quantity_skew", "shards"),
    "sources": ("Description", "dataset_names", "describe", "fetch", "load_dataset", "verify"),
    "task": ("DeliveredGradient", "FederatedTask"),
    "version_task": ("VersionTask",),
}
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
    "VersionTask",
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

__getattr__, __dir__ = lazy_names(__name__, _HOME, __all__)
