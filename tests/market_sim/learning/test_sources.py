"""Data sets by name: found, verified, fetched, or refused with a sentence that helps."""

import gzip
import hashlib
import io
import tarfile
import zipfile

import numpy as np
import pooch
import pytest

from market_sim.errors import ChecksumMismatch, DataUnavailable, InvalidInput
from market_sim.learning import sources
from market_sim.learning.datasets import Dataset, TrainTest
from market_sim.learning.downloads import GZIP, Download
from market_sim.learning.source import Layout, Source
from market_sim.learning.storage import DataFile

NAMES = (
    "bank",
    "bank-additional",
    "breast-cancer",
    "cifar10",
    "cifar10-small",
    "digits",
    "fashion-mnist",
    "mnist",
    "nsl-kdd",
)
CONTENT = b"2 features, 4 samples"


def sha256(content):
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """An empty cache, no data folder and no network."""

    def unreachable(url, *_args, **_options):
        raise OSError(f"no network in tests: {url}")

    monkeypatch.delenv("MARKET_SIM_DATA", raising=False)
    monkeypatch.setenv("MARKET_SIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(pooch, "retrieve", unreachable)


@pytest.fixture
def toy(monkeypatch):
    """A data set of one file, known to the catalogue as 'toy'."""
    file = DataFile("toy/data.txt", sha256(CONTENT))

    def load(read, _seed):
        assert read(file) == CONTENT
        part = Dataset(np.eye(2), [0, 1], 2)
        return TrainTest("toy", part, part)

    source = Source(
        "toy", "Toy", "free", "nobody", "none", (Layout((file,), load),),
        (Download("https://toy.invalid/data.txt", ((file, ()),)),),
    )  # fmt: skip
    monkeypatch.setitem(sources.SOURCES, "toy", source)
    return file


def serve(monkeypatch, tmp_path, content):
    """Let every download return these bytes."""

    def retrieve(_url, _hash=None, **_options):
        place = tmp_path / "served"
        place.write_bytes(content)
        return str(place)

    monkeypatch.setattr(pooch, "retrieve", retrieve)


def put(folder, path, content):
    place = folder / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)


def zipped(**members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.part", content)
    return stream.getvalue()


def tarred(name, content):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def test_names():
    assert sources.dataset_names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_descriptions_are_complete(name):
    described = sources.describe(name)
    assert all([described.title, described.licence, described.citation, described.notes])
    embedded = name in ("digits", "breast-cancer")
    assert described.where == ("embedded in scikit-learn" if embedded else "absent")
    statuses = {status for _, status in sources.verify(name)}
    assert statuses == ({"ok"} if embedded else {"absent"})


@pytest.mark.parametrize("name", ["digits", "breast-cancer"])
def test_embedded_data_sets(name):
    data = sources.load_dataset(name)
    again, other = sources.load_dataset(name), sources.load_dataset(name, seed=1)
    assert np.array_equal(data.test.features, again.test.features)
    assert not np.array_equal(data.test.labels, other.test.labels)
    total = len(data.train) + len(data.test)
    assert len(data.test) == pytest.approx(0.2 * total, abs=data.classes)
    for label in range(data.classes):
        shares = [np.mean(part.labels == label) for part in (data.train, data.test)]
        assert shares[0] == pytest.approx(shares[1], abs=0.01)
    assert sources.fetch(name) is None


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_in_the_data_folder_is_used(toy, tmp_path, monkeypatch, packed):
    content = gzip.compress(CONTENT) if packed else CONTENT
    put(tmp_path, f"{toy.path}.gz" if packed else toy.path, content)
    monkeypatch.setenv("MARKET_SIM_DATA", str(tmp_path))
    assert sources.load_dataset("toy").name == "toy"
    assert sources.verify("toy") == [(toy.path, "ok")]
    assert sources.describe("toy").where == str(tmp_path / "toy")
    assert sources.fetch("toy") == tmp_path / "toy"


@pytest.mark.parametrize("content", [b"altered", gzip.compress(CONTENT)[:-9]])
def test_a_wrong_file_is_refused(toy, tmp_path, monkeypatch, content):
    put(tmp_path, toy.path, content)
    monkeypatch.setenv("MARKET_SIM_DATA", str(tmp_path))
    assert sources.verify("toy") == [(toy.path, "checksum mismatch")]
    for call in (sources.load_dataset, sources.fetch):
        with pytest.raises(ChecksumMismatch, match="remove it and fetch"):
            call("toy")


@pytest.mark.usefixtures("toy")
def test_absent_data_says_what_to_do():
    with pytest.raises(DataUnavailable) as caught:
        sources.load_dataset("toy")
    message = str(caught.value)
    assert "set MARKET_SIM_DATA to a folder that holds toy/data.txt" in message
    assert "`market-sim data fetch toy`" in message
    assert "https://toy.invalid/data.txt could not be fetched" in message


@pytest.mark.usefixtures("toy")
def test_without_download_the_network_is_not_asked():
    with pytest.raises(DataUnavailable) as caught:
        sources.load_dataset("toy", download=False)
    assert "toy.invalid" not in str(caught.value)


def test_a_download_is_kept_for_the_next_time(toy, tmp_path, monkeypatch):
    serve(monkeypatch, tmp_path, CONTENT)
    assert sources.load_dataset("toy").name == "toy"
    assert (tmp_path / "cache" / toy.path).read_bytes() == CONTENT
    serve(monkeypatch, tmp_path, b"not asked any more")
    assert sources.load_dataset("toy").name == "toy"


def test_a_wrong_download_is_not_kept(toy, tmp_path, monkeypatch):
    serve(monkeypatch, tmp_path, b"a page that says: not found")
    with pytest.raises(ChecksumMismatch, match="is not the published toy"):
        sources.load_dataset("toy")
    assert not (tmp_path / "cache" / toy.path).exists()


def test_a_hash_that_the_downloader_refuses(toy, monkeypatch):
    def retrieve(*_args, **_options):
        raise ValueError("MD5 hash of downloaded file does not match")

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    with pytest.raises(ChecksumMismatch, match="is not what was published there"):
        Download("https://toy.invalid", ((toy, ()),), "md5:0").into_cache()


@pytest.mark.parametrize(
    ("served", "inside"),
    [
        (gzip.compress(CONTENT), (GZIP,)),
        (zipped(outer=zipped(inner=CONTENT)), ("outer.part", "inner.part")),
        (tarred("folder/inner", CONTENT), ("folder/inner",)),
    ],
)
def test_members_of_archives(toy, tmp_path, monkeypatch, served, inside):
    serve(monkeypatch, tmp_path, served)
    Download("https://toy.invalid/a", ((toy, inside),)).into_cache()
    assert (tmp_path / "cache" / toy.path).read_bytes() == CONTENT


@pytest.mark.parametrize("served", [zipped(a=b""), tarred("a", b""), b"no archive"])
def test_an_archive_without_the_member(toy, tmp_path, monkeypatch, served):
    serve(monkeypatch, tmp_path, served)
    with pytest.raises(DataUnavailable, match="holds no readable folder/inner"):
        Download("https://toy.invalid/a", ((toy, ("folder/inner",)),)).into_cache()


def test_a_disk_that_refuses(toy, tmp_path, monkeypatch):
    serve(monkeypatch, tmp_path, CONTENT)
    put(tmp_path, "cache/toy", b"a file where a folder should be")
    with pytest.raises(DataUnavailable, match="cannot be written"):
        sources.fetch("toy")


def test_an_unknown_name_gets_the_nearest_one():
    with pytest.raises(InvalidInput, match="no data set 'bnak': did you mean 'bank'"):
        sources.load_dataset("bnak")
    with pytest.raises(InvalidInput, match="known are bank, "):
        sources.describe("zzz")


REAL = [
    ("bank", (36_169, 51), 9_042, 5_289),
    ("bank-additional", (32_950, 63), 8_238, 4_640),
    ("nsl-kdd", (125_973, 122), 22_544, 58_630 + 12_833),
    ("mnist", (60_000, 1, 28, 28), 10_000, 6_742 + 1_135),
    ("cifar10-small", (3_000, 3, 32, 32), 1_000, 400),
]


@pytest.mark.parametrize(("name", "shape", "test", "of_class_one"), REAL)
def test_real_data(shared_data, monkeypatch, name, shape, test, of_class_one):
    monkeypatch.setenv("MARKET_SIM_DATA", str(shared_data))
    if sources.describe(name).where == "absent":
        pytest.skip(f"{name} is not in the folder of real data")
    assert {status for _, status in sources.verify(name)} == {"ok"}
    data = sources.load_dataset(name, download=False)
    assert data.train.features.shape == shape
    assert len(data.test) == test
    assert (data.train.labels == 1).sum() + (data.test.labels == 1).sum() == of_class_one


def test_tables_are_standardized_on_the_training_rows(shared_data, monkeypatch):
    monkeypatch.setenv("MARKET_SIM_DATA", str(shared_data))
    train = sources.load_dataset("bank", download=False).train.features
    numbers, categories = train[:, :7], train[:, 7:]
    assert np.allclose(numbers.mean(axis=0, dtype=np.float64), 0.0, atol=1e-5)
    assert np.allclose(numbers.std(axis=0, dtype=np.float64), 1.0, atol=1e-4)
    assert set(np.unique(categories)) == {0.0, 1.0}
    assert np.array_equal(categories.sum(axis=1), np.full(len(train), 9.0))
