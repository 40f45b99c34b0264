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
    from market_sim.learning.personal import PersonalTask
    from market_sim.learning.personal_attacks import (
        Attack,
        ConstantParameters,
        GaussianParameters,
        LabelShuffle,
        SignFlip,
    )
    from market_sim.learning.personal_distance import (
        cosine_distances,
        proximal_targets,
        sharing_gradient,
        usable,
    )
    from market_sim.learning.personal_quality import PersonalQuality
    from market_sim.learning.sharing_methods import (
        LocalPlan,
        SharingMethod,
        SharingRound,
        Trained,
    )
    from market_sim.learning.sharing_methods_baselines import Ditto, FedAvg, FedProx, Local
    from market_sim.learning.sharing_methods_graph import (
        IPFL,
        Offers,
        PFedGraph,
        sharing_residual,
        simplex_projection,
    )
    from market_sim.learning.skewed_partitions import class_skew, cluster, cluster_of
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
    "personal": ("PersonalTask",),
    "personal_attacks": (
        "Attack",
        "ConstantParameters",
        "GaussianParameters",
        "LabelShuffle",
        "SignFlip",
    ),
    "personal_distance": ("cosine_distances", "proximal_targets", "sharing_gradient", "usable"),
    "personal_quality": ("PersonalQuality",),
    "sharing_methods": ("LocalPlan", "SharingMethod", "SharingRound", "Trained"),
    "sharing_methods_baselines": ("Ditto", "FedAvg", "FedProx", "Local"),
    "sharing_methods_graph": (
        "IPFL",
        "Offers",
        "PFedGraph",
        "sharing_residual",
        "simplex_projection",
    ),
    "skewed_partitions": ("class_skew", "cluster", "cluster_of"),
    "sources": ("Description", "dataset_names", "describe", "fetch", "load_dataset", "verify"),
    "task": ("DeliveredGradient", "FederatedTask"),
    "version_task": ("VersionTask",),
}
__all__ = [
    "CNN",
    "IPFL",
    "MLP",
    "Attack",
    "ConstantParameters",
    "Dataset",
    "DeliveredGradient",
    "Description",
    "Ditto",
    "FedAvg",
    "FedProx",
    "FederatedTask",
    "GaussianParameters",
    "LabelShuffle",
    "Local",
    "LocalPlan",
    "Logistic",
    "ModelSpec",
    "Offers",
    "PFedGraph",
    "Partition",
    "PersonalQuality",
    "PersonalTask",
    "Quality",
    "SharingMethod",
    "SharingRound",
    "SignFlip",
    "TrainTest",
    "Trained",
    "VersionTask",
    "class_skew",
    "cluster",
    "cluster_of",
    "cosine_distances",
    "dataset_names",
    "describe",
    "dirichlet",
    "fetch",
    "iid",
    "load_dataset",
    "model_spec",
    "proximal_targets",
    "quality",
    "quantity_skew",
    "shards",
    "sharing_gradient",
    "sharing_residual",
    "simplex_projection",
    "usable",
    "verify",
]

__getattr__, __dir__ = lazy_names(__name__, _HOME, __all__)
