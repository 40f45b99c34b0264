"""Parsers of published formats, on small files made here."""

import io
import json
import struct

import numpy as np
import pytest

from market_sim.errors import DataUnavailable
from market_sim.learning import images, preparing, readers

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 3, 32, 32), dtype=np.uint8)
LABELS = np.array([1, 0, 1, 1, 0, 0], dtype=np.uint8)


def idx(array):
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return head + array.tobytes()


def cifar_binary(pixels, labels):
    return np.concatenate([labels[:, None], pixels.reshape(len(labels), -1)], axis=1).tobytes()


def cifar_png(pixels):
    image = pytest.importorskip("PIL.Image", reason="Pillow reads CIFAR-10 from PNG")
    stream = io.BytesIO()
    rows = pixels.transpose(0, 2, 3, 1).reshape(len(pixels), 1024, 3)
    image.fromarray(np.ascontiguousarray(rows)).save(stream, "png")
    return stream.getvalue()


def test_idx():
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    assert np.array_equal(readers.parse_idx(idx(array)), array)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an IDX file"),
        (b"\x00\x00\x0d\x01", "not an IDX file"),
        (b"\x00\x00\x08\x03\x00", "ends inside its header"),
        (idx(LABELS)[:-1], r"promises \(6,\) entries and holds 5"),
    ],
)
def test_damaged_idx(content, message):
    with pytest.raises(DataUnavailable, match=message):
        readers.parse_idx(content)


def test_both_forms_of_cifar_give_the_same_images():
    pixels, labels = readers.parse_cifar_binary(cifar_binary(PIXELS, LABELS))
    assert np.array_equal(pixels, PIXELS)
    assert np.array_equal(labels, LABELS)
    assert np.array_equal(readers.parse_cifar_png(cifar_png(PIXELS)), PIXELS)
    assert np.array_equal(readers.parse_label_list(json.dumps(LABELS.tolist()).encode()), LABELS)


@pytest.mark.parametrize("content", [b"", b"\x00" * 3072])
def test_damaged_cifar(content):
    with pytest.raises(DataUnavailable, match="records of 3073 bytes"):
        readers.parse_cifar_binary(content)


def test_whole_cifar_from_both_layouts_and_its_subset():
    batch = cifar_binary(PIXELS, LABELS)
    contents = {file.path: batch for file in images.CIFAR10.layouts[0].files}
    picture, listed = cifar_png(PIXELS), json.dumps(LABELS.tolist() * 5).encode()
    for file in images.CIFAR10.layouts[1].files:
        contents[file.path] = picture if file.path.endswith("png") else listed
    contents["cifar10/test_lables.json"] = json.dumps(LABELS.tolist()).encode()
    binary, png = (
        layout.load(lambda file: contents[file.path], 0) for layout in images.CIFAR10.layouts
    )
    assert np.array_equal(binary.train.features, png.train.features)
    assert np.array_equal(binary.train.labels, png.train.labels)
    assert np.array_equal(binary.test.labels, LABELS)
    assert np.allclose(binary.test.features * 255, PIXELS, atol=1e-4)


def test_the_subset_rule_gives_the_published_subset():
    labels = np.array([2, 0, 0, 1, 2, 2, 0, 1, 1], dtype=np.uint8)
    assert preparing.first_of_each_class(labels, 2).tolist() == [0, 1, 2, 3, 4, 7]


def test_the_published_subset_keeps_the_first_of_each_class(shared_data):
    place = shared_data / "cifar10-small" / "cifar10_small.npz"
    if not place.is_file():
        pytest.skip("cifar10-small is not in the folder of real data")
    arrays = readers.parse_npz(place.read_bytes())
    assert np.all(np.diff(arrays["idx_train"]) > 0)
    assert np.array_equal(np.bincount(arrays["y_train"]), np.full(10, 300))
    assert np.array_equal(np.bincount(arrays["y_test"]), np.full(10, 100))


def test_bank():
    text = '"age";"job";"balance";"y"\n58;"clerk";-3;"no"\n30;"none";2.5;"yes"\n'
    table = readers.parse_bank(text.encode())
    assert table.numbers.tolist() == [[58.0, -3.0], [30.0, 2.5]]
    assert table.categories == (("clerk",), ("none",))
    assert table.labels == ("no", "yes")


def test_nsl_kdd():
    rows = [["1", "tcp", "http", "SF", *["0.5"] * 37, "normal", "20"]]
    rows.append(["2", "udp", "dns", "S0", *["1"] * 37, "neptune", "3"])
    table = readers.parse_nsl_kdd("\n".join(",".join(row) for row in rows).encode())
    assert table.numbers.shape == (2, 38)
    assert table.numbers[:, 0].tolist() == [1.0, 2.0]
    assert table.categories[1] == ("udp", "dns", "S0")
    assert table.labels == ("normal", "neptune")


def test_one_hot_columns_are_in_sorted_order():
    hot = preparing.one_hot((("b", "x"), ("a", "x"), ("c", "y")))
    assert hot.tolist() == [[0, 1, 0, 1, 0], [1, 0, 0, 1, 0], [0, 0, 1, 0, 1]]


def test_a_constant_column_becomes_zero():
    scaled = preparing.standardized(np.array([[1.0, 5.0], [3.0, 5.0], [9.0, 6.0]]), np.arange(2))
    assert scaled.tolist() == [[-1.0, 0.0], [1.0, 0.0], [7.0, 1.0]]


def test_the_split_is_stratified_seeded_and_complete():
    labels = np.repeat([0, 1], [90, 10])
    train, test = preparing.stratified_split(labels, 3)
    assert np.array_equal(np.sort(np.concatenate([train, test])), np.arange(100))
    assert np.bincount(labels[test]).tolist() == [18, 2]
    assert not np.array_equal(test, preparing.stratified_split(labels, 4)[1])
