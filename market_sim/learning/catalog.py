"""The catalogue: every data set by name."""

from market_sim.learning import images, tables
from market_sim.learning.source import Source

SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        tables.DIGITS,
        tables.BREAST_CANCER,
        tables.BANK,
        tables.BANK_ADDITIONAL,
        tables.NSL_KDD,
        images.MNIST,
        images.FASHION_MNIST,
        images.CIFAR10,
        images.CIFAR10_SMALL,
    )
}
