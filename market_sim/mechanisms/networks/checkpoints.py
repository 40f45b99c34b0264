"""Trained networks on disk: tensors and plain JSON in one safetensors file, no code in it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from market_sim.errors import InvalidInput

FORMAT = 1
SHIPPED = Path(__file__).parent / "shipped"
_KEY = "market_sim"
_SUFFIX = ".safetensors"


@dataclass(frozen=True, eq=False)
class StoredNetwork:
    """What a network file holds.

    Attributes
    ----------
    name
        Name of the file without its ending.
    kind
        What was trained, such as "regret-net"; who loads it says what she expects.
    metadata
        Plain values: settings, the law of the population, recipe, figures of the training.
    tensors
        Parameters by name.
    """

    name: str
    kind: str
    metadata: Mapping[str, Any]
    tensors: Mapping[str, Tensor] = field(repr=False)


def shipped_networks() -> list[str]:
    """Return the names of the networks that come with the package."""
    return sorted(path.name.removesuffix(_SUFFIX) for path in SHIPPED.glob(f"*{_SUFFIX}"))


def save_network(
    path: Path | str, kind: str, metadata: Mapping[str, Any], tensors: Mapping[str, Tensor]
) -> Path:
    """Write a network file, whole or not at all; the same content gives the same bytes.

    Raises
    ------
    InvalidInput
        If the metadata are not plain values or a tensor has an entry that is not finite.
    """
    arrays = {name: tensors[name].detach().cpu().contiguous() for name in sorted(tensors)}
    for name, array in arrays.items():
        if array.is_floating_point() and not torch.isfinite(array).all():
            raise InvalidInput(f"the tensor {name!r} of a {kind} is not finite: nothing was saved")
    try:
        plain = json.loads(json.dumps(dict(metadata), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"the metadata of a network must be plain values: {error}") from error
    content = {"format": FORMAT, "kind": kind, "metadata": plain}
    content["sha256"] = _digest(content, arrays)
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    partial.write_bytes(to_bytes(arrays, {_KEY: json.dumps(content, sort_keys=True)}))
    partial.replace(target)
    return target


def load_network(name_or_path: Path | str, kind: str | None = None) -> StoredNetwork:
    """Return a stored network: a shipped name such as "murba-low-10", or the path of a file.

    Parameters
    ----------
    name_or_path
        A name without ending and separators is looked up among the shipped networks.
    kind
        What the network must be; anything if omitted.

    Raises
    ------
    InvalidInput
        If there is no such network, or the file is truncated, of another version, of another kind
        or was changed after it was saved.
    """
    path = _locate(name_or_path)
    content, tensors = _read(path)
    if content.get("format") != FORMAT:
        raise InvalidInput(
            f"the network {path.name} has format version {content.get('format')} but this release "
            f"reads {FORMAT}: train it again or use the release that wrote it"
        )
    if content.pop("sha256", None) != _digest(content, tensors):
        raise InvalidInput(
            f"the network {path.name} was changed after it was saved (its SHA-256 differs): "
            "train it again or fetch it again"
        )
    if kind is not None and content["kind"] != kind:
        raise InvalidInput(f"the network {path.name} is a {content['kind']} but a {kind} is needed")
    return StoredNetwork(
        path.name.removesuffix(_SUFFIX), content["kind"], content["metadata"], tensors
    )


def _locate(name_or_path: Path | str) -> Path:
    text = str(name_or_path)
    given = Path(text)
    if not text.endswith(_SUFFIX) and given.name == text:
        shipped = SHIPPED / f"{text}{_SUFFIX}"
        if shipped.is_file():
            return shipped
        known = ", ".join(shipped_networks())
        raise InvalidInput(
            f"there is no shipped network {text!r}: name one of {known}, or the path of a file"
        )
    if not given.is_file():
        raise InvalidInput(f"there is no network file {text!r}: give a shipped name or a path")
    return given


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            header = (file.metadata() or {}).get(_KEY)
            tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}
        content = json.loads(header) if header else None
    except (SafetensorError, OSError, ValueError) as error:
        raise InvalidInput(
            f"the network file {path.name} is truncated or no network file ({error}): "
            "train it again or fetch it again"
        ) from error
    if not isinstance(content, dict) or not {"kind", "metadata"} <= content.keys():
        raise InvalidInput(
            f"the file {path.name} was not written by market_sim: give a network trained with it"
        )
    return content, tensors


def _digest(content: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of the metadata and of every tensor with its name, type and shape."""
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
    for name in sorted(tensors):
        array = tensors[name].numpy()
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
