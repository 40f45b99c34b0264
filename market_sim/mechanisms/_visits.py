"""Owners are visited one after the other; what an owner says cannot change her place."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from market_sim.reports import Reports
from market_sim.shapes import Array
from market_sim.streams import Streams
from market_sim.valuation import Valuations

Order = Literal["random", "given", "size"]


def visits(order: Order, seed: int, reports: Reports) -> NDArray[np.intp]:
    """Return who is visited when, shape `(rows, owners)` or `(1, owners)` where all rows agree.

    "random" is one permutation from the seed, the same for every profile; "given" is the order of
    the owners; "size" starts with the largest data size (which is public), equal ones as given.
    """
    if order == "random":
        places = Streams(seed).generator("visiting order").permutation(reports.owners)
        return places[None]
    if order == "given" or reports.data_size is None:
        return np.arange(reports.owners)[None]
    sizes = reports.data_size.reshape(-1, reports.owners)
    return np.argsort(-sizes, axis=1, kind="stable")


def by_visit(places: NDArray[np.intp], array: Array) -> Array:
    """Return an array of shape `(rows, owners)` with owners in the order of their visits."""
    if len(places) == 1:  # one order for all rows: a plain gather is several times faster
        return np.asarray(np.take(array, places[0], axis=1))
    return np.asarray(np.take_along_axis(array, places, axis=1))


def by_owner(places: NDArray[np.intp], array: Array) -> Array:
    """Return an array that is in the order of visits in the order of the owners."""
    result = np.empty_like(array)
    if len(places) == 1:
        result[:, places[0]] = array
    else:
        np.put_along_axis(result, places, array, axis=1)
    return result


def visited_valuations(places: NDArray[np.intp], reports: Reports) -> Valuations:
    """Return the reported valuations in the order of visits, shape `(rows, owners)`."""
    told, shape = reports.valuations, (-1, reports.owners)
    rate = by_visit(places, told.rate.reshape(shape))
    kind = by_visit(places, told.kind.reshape(shape).astype(np.float64))
    return Valuations(kind.astype(np.int8), rate)
