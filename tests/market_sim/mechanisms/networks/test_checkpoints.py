"""Network files: what was saved comes back, and anything else is refused in one sentence."""

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import market_sim as ms
from market_sim.mechanisms.networks.checkpoints import (
    SHIPPED,
    load_network,
    save_network,
    shipped_networks,
)

METADATA = {"settings": {"owners": 3, "rate": 0.1}, "note": "a test"}


@pytest.fixture
def file(tmp_path):
    tensors = {"b": torch.arange(6.0).reshape(2, 3).T, "a": torch.tensor([1], dtype=torch.int64)}
    return save_network(tmp_path / "one.safetensors", "regret-net", METADATA, tensors)


def rewritten(file, change=lambda _: None, tensors=lambda _: None):
    """Write the file again with its header or tensors changed, as somebody else would."""
    with safe_open(file, framework="pt") as stored:
        content = json.loads(stored.metadata()["market_sim"])
        found = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    change(content)
    tensors(found)
    save_file(found, file, {"market_sim": json.dumps(content)})
    return file


def test_what_was_saved_comes_back(file):
    stored = load_network(file, "regret-net")
    assert (stored.name, stored.kind, stored.metadata) == ("one", "regret-net", METADATA)
    assert (stored.tensors["b"] == torch.arange(6.0).reshape(2, 3).T).all()
    assert stored.tensors["a"].dtype == torch.int64


def test_same_content_same_bytes_and_no_rubbish(file):
    stored = load_network(file)
    again = file.with_name("two.safetensors")
    backwards = dict(sorted(stored.tensors.items(), reverse=True))
    save_network(again, stored.kind, stored.metadata, backwards)
    assert again.read_bytes() == file.read_bytes()
    assert sorted(path.name for path in file.parent.iterdir()) == [file.name, again.name]


def refused(file, text):
    with pytest.raises(ms.InvalidInput, match=text) as caught:
        load_network(file, "regret-net")
    message = str(caught.value)
    assert "\n" not in message
    assert file.name in message


@pytest.mark.parametrize("length", [0, 4, 60, -1])
def test_truncated(file, length):
    file.write_bytes(file.read_bytes()[:length])
    refused(file, "truncated or no network file")


def test_tampered_tensors_and_metadata(file):
    rewritten(file, tensors=lambda found: found["b"].mul_(1.001))
    refused(file, "changed after it was saved")


def test_tampered_metadata(file):
    rewritten(file, lambda content: content["metadata"].update(note="better"))
    refused(file, "changed after it was saved")


def test_a_missing_digest_is_no_way_around(file):
    rewritten(file, lambda content: content.pop("sha256"))
    refused(file, "changed after it was saved")


def test_another_version(file):
    rewritten(file, lambda content: content.update(format=99))
    refused(file, "format version 99 but this release reads 1")


def test_another_kind(file, tmp_path):
    save_network(tmp_path / "menu.safetensors", "menu", {}, {"x": torch.ones(1)})
    refused(tmp_path / "menu.safetensors", "is a menu but a regret-net is needed")


def test_a_file_of_somebody_else(tmp_path):
    save_file({"x": torch.ones(1)}, tmp_path / "other.safetensors")
    refused(tmp_path / "other.safetensors", "was not written by market_sim")


@pytest.mark.parametrize("name", ["nobody", "nowhere/net.safetensors", "net.safetensors"])
def test_no_such_network(name):
    with pytest.raises(ms.InvalidInput, match="there is no"):
        load_network(name)


def test_what_cannot_be_saved(tmp_path):
    with pytest.raises(ms.InvalidInput, match="'w' of a net is not finite"):
        save_network(tmp_path / "x", "net", {}, {"w": torch.tensor([np.nan])})
    with pytest.raises(ms.InvalidInput, match="plain values"):
        save_network(tmp_path / "x", "net", {"a": object()}, {})
    with pytest.raises(ms.InvalidInput, match="plain values"):
        save_network(tmp_path / "x", "net", {"a": np.inf}, {})
    assert not list(tmp_path.iterdir())


def test_shipped_networks_are_small_whole_and_explained():
    names = shipped_networks()
    assert len(names) >= 8
    explained = (SHIPPED / "README.md").read_text()
    for name in names:
        stored = load_network(name)
        assert stored.name == name
        assert (SHIPPED / f"{name}.safetensors").stat().st_size < 200_000
        assert name in explained
