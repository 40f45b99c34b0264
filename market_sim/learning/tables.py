"""The data sets that are tables: digits and breast cancer (embedded), Bank Marketing, NSL-KDD."""

from collections.abc import Callable

import numpy as np

from market_sim.learning import preparing, readers
from market_sim.learning.datasets import TrainTest
from market_sim.learning.downloads import Download
from market_sim.learning.source import Layout, Read, Source, direct
from market_sim.learning.storage import DataFile

_UCI_BANK = "https://archive.ics.uci.edu/static/public/222/bank+marketing.zip"
_NSL_KDD = "https://raw.githubusercontent.com/defcom17/NSL_KDD/master/"


def _digits(seed: int) -> TrainTest:
    from sklearn.datasets import load_digits

    features, labels = load_digits(return_X_y=True)
    images = features.reshape(-1, 1, 8, 8) / 16.0
    parts = preparing.stratified_split(labels, seed)
    return preparing.from_split("digits", images, labels.astype(np.int64), parts)


def _breast_cancer(seed: int) -> TrainTest:
    from sklearn.datasets import load_breast_cancer

    features, labels = load_breast_cancer(return_X_y=True)
    parts = preparing.stratified_split(labels, seed)
    scaled = preparing.standardized(features, parts[0])
    return preparing.from_split("breast-cancer", scaled, labels.astype(np.int64), parts)


_BANK = DataFile(
    "bank/bank-full.csv", "sha256:d1513ec63b385506f7cfce9f2c5caa9fe99e7ba4e8c3fa264b3aaf0f849ed32d"
)
_BANK_ADDITIONAL = DataFile(
    "bank/bank-additional-full.csv",
    "sha256:74adfc578bf77a7ff4bb1ba4a9f8709d9e3c6907342959c2c8416847e0afb4d8",
)


def _bank(name: str, file: DataFile) -> Callable[[Read, int], TrainTest]:
    def load(read: Read, seed: int) -> TrainTest:
        table = readers.parse_bank(read(file))
        yes = np.array(table.labels) == "yes"
        parts = preparing.stratified_split(yes.astype(np.int64), seed)
        return preparing.from_table(name, table, yes, parts)

    return load


def _bank_source(name: str, file: DataFile, title: str, inside: tuple[str, ...]) -> Source:
    return Source(
        name,
        title,
        "CC BY 4.0",
        "Moro, Cortez and Rita 2014, Decision Support Systems 62:22-31; doi 10.24432/C5K306",
        "All columns and rows; class 1 is 'yes' (12 % or less: look at balanced accuracy). Numbers "
        "standardized on the training rows, categories one-hot; pdays keeps its code for 'never', "
        "duration is only known after the call; seeded stratified 80/20 split.",
        (Layout((file,), _bank(name, file)),),
        (Download(_UCI_BANK, ((file, inside),)),),
    )


_KDD_FILES = (
    DataFile(
        "nsl-kdd/KDDTrain+.txt",
        "sha256:1b86d2f957b33082081bba410fe129b475efebcc13c9014c3f447c8271aadf95",
    ),
    DataFile(
        "nsl-kdd/KDDTest+.txt",
        "sha256:fa46b0935342616aa83b7c2578db355b6a7aaabbc492248172c7a1e8b7ab8f84",
    ),
)


def _nsl_kdd(read: Read, _seed: int) -> TrainTest:
    table, parts = preparing.stacked(*(readers.parse_nsl_kdd(read(file)) for file in _KDD_FILES))
    return preparing.from_table("nsl-kdd", table, np.array(table.labels) != "normal", parts)


DIGITS = Source(
    "digits",
    "Optical recognition of handwritten digits, 1,797 images 8 x 8",
    "CC BY 4.0",
    "Alpaydin and Kaynak 1998, UCI Machine Learning Repository; doi 10.24432/C50P49",
    "Images (1, 8, 8) with values in [0, 1]; seeded stratified 80/20 split.",
    embedded=_digits,
)
BREAST_CANCER = Source(
    "breast-cancer",
    "Breast Cancer Wisconsin (Diagnostic), 569 rows, 30 features",
    "CC BY 4.0",
    "Wolberg, Mangasarian, Street and Street 1993, UCI; doi 10.24432/C5DW2B",
    "Class 1 is benign; standardized on the training rows; seeded stratified 80/20 split.",
    embedded=_breast_cancer,
)
BANK = _bank_source(
    "bank",
    _BANK,
    "Bank Marketing, bank-full: 45,211 rows, 16 features",
    ("bank.zip", "bank-full.csv"),
)
BANK_ADDITIONAL = _bank_source(
    "bank-additional",
    _BANK_ADDITIONAL,
    "Bank Marketing with economic context: 41,188 rows, 20 features",
    ("bank-additional.zip", "bank-additional/bank-additional-full.csv"),
)
NSL_KDD = Source(
    "nsl-kdd",
    "NSL-KDD network intrusions: 125,973 + 22,544 connections, 41 features",
    "free use and redistribution with citation (University of New Brunswick, CIC)",
    "Tavallaee, Bagheri, Lu and Ghorbani 2009, A Detailed Analysis of the KDD CUP 99 Data Set, "
    "IEEE CISDA",
    "Class 1 is any attack; KDDTest+ is the test set; numbers standardized on KDDTrain+, protocol, "
    "service and flag one-hot; the difficulty column is no feature and left out.",
    (Layout(_KDD_FILES, _nsl_kdd),),
    direct(_NSL_KDD, _KDD_FILES),
)
