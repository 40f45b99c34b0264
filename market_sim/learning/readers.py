"""Parsers: the bytes of a published file in, plain arrays out. They touch no disk."""

import csv
import io
import json
import struct
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from numpy.typing import NDArray

from market_sim.errors import DataUnavailable

Bytes = NDArray[np.uint8]
_CIFAR_RECORD = 1 + 3 * 32 * 32


@dataclass(frozen=True, eq=False)
class Table:
    """A table of numbers and categories with one label column.

    Attributes
    ----------
    numbers
        Numeric columns, shape `(rows, numeric)`.
    categories
        Text columns, one tuple of values a row.
    labels
        The label of each row as text.
    """

    numbers: Float[NDArray[np.float64], "rows numeric"]
    categories: tuple[tuple[str, ...], ...]
    labels: tuple[str, ...]


def parse_idx(content: bytes) -> Bytes:
    """Return the array of an IDX file of unsigned bytes (the format of MNIST).

    Raises
    ------
    DataUnavailable
        If the content is not an IDX file of unsigned bytes, or is cut short.

    Notes
    -----
    Layout: two zero bytes, type code 8, number of axes, then one big-endian 32-bit length an
    axis, then the bytes in row-major order.
    """
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise DataUnavailable("the file is not an IDX file of unsigned bytes: fetch it again")
    axes = content[3]
    first = 4 + 4 * axes
    if len(content) < first:
        raise DataUnavailable("the IDX file ends inside its header: fetch it again")
    shape = struct.unpack(f">{axes}I", content[4:first])
    values = np.frombuffer(content, dtype=np.uint8, offset=first)
    if values.size != int(np.prod(shape)):
        raise DataUnavailable(
            f"the IDX file promises {shape} entries and holds {values.size}: fetch it again"
        )
    return values.reshape(shape)


def parse_cifar_binary(content: bytes) -> tuple[UInt8[Bytes, "images 3 32 32"], Bytes]:
    """Return images and labels of a CIFAR-10 binary batch (label, then R, G and B planes).

    Raises
    ------
    DataUnavailable
        If the length is not a whole number of records.
    """
    if not content or len(content) % _CIFAR_RECORD:
        raise DataUnavailable(
            f"a CIFAR-10 batch holds records of {_CIFAR_RECORD} bytes, got {len(content)} bytes"
        )
    records = np.frombuffer(content, dtype=np.uint8).reshape(-1, _CIFAR_RECORD)
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0]


def parse_cifar_png(content: bytes) -> UInt8[Bytes, "images 3 32 32"]:
    """Return the images of a PNG that holds one image a row, 1,024 RGB pixels wide.

    Raises
    ------
    DataUnavailable
        If Pillow is not installed or the picture has another shape.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise DataUnavailable(
            "reading CIFAR-10 from PNG needs Pillow: install it, or use the binary archive"
        ) from error
    Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS or 0, 1 << 25)
    with Image.open(io.BytesIO(content)) as picture:
        pixels = np.asarray(picture)
    if pixels.ndim != 3 or pixels.shape[1:] != (1024, 3):
        raise DataUnavailable(f"a CIFAR-10 PNG is (images, 1024, 3), got {pixels.shape}")
    return pixels.reshape(-1, 32, 32, 3).transpose(0, 3, 1, 2)


def parse_label_list(content: bytes) -> Bytes:
    """Return the labels of a JSON list."""
    return np.array(json.loads(content), dtype=np.uint8).reshape(-1)


def parse_npz(content: bytes) -> dict[str, NDArray[np.generic]]:
    """Return the arrays of an npz file (pickled objects are refused)."""
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def parse_bank(content: bytes) -> Table:
    """Return a UCI Bank Marketing table: quoted columns are categories, the last is the label."""
    rows = csv.reader(io.StringIO(content.decode()), delimiter=";", quoting=csv.QUOTE_NONNUMERIC)
    next(rows)
    records = [tuple(row) for row in rows]
    text = [isinstance(value, str) for value in records[0][:-1]]
    return Table(
        numbers=np.array([[v for v, t in zip(r, text, strict=False) if not t] for r in records]),
        categories=tuple(
            tuple(str(v) for v, t in zip(r, text, strict=False) if t) for r in records
        ),
        labels=tuple(str(record[-1]) for record in records),
    )


def parse_nsl_kdd(content: bytes) -> Table:
    """Return an NSL-KDD table: 41 features, label, difficulty (left out: it is no feature).

    Columns 1 to 3 (protocol, service, flag) are categories.
    """
    records = [line.split(",") for line in content.decode().splitlines() if line]
    return Table(
        numbers=np.array([[row[0], *row[4:41]] for row in records], dtype=np.float64),
        categories=tuple((row[1], row[2], row[3]) for row in records),
        labels=tuple(row[41] for row in records),
    )
