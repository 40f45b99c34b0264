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
    return np.take_along_axis(array, np.broadcast_to(places, array.shape), axis=1)


def by_owner(places: NDArray[np.intp], array: Array) -> Array:
    """Return an array that is in the order of visits in the order of the owners."""
    result = np.empty_like(array)
    np.put_along_axis(result, np.broadcast_to(places, array.shape), array, axis=1)
    return result


def visited_valuations(places: NDArray[np.intp], reports: Reports) -> Valuations:
    """Return the reported valuations in the order of visits, shape `(rows, owners)`."""
    told, shape = reports.valuations, (-1, reports.owners)
    index = np.broadcast_to(places, (told.rate.size // reports.owners, reports.owners))
    kind, rate = (
        np.take_along_axis(column.reshape(shape), index, axis=1)
        for column in (told.kind, told.rate)
    )
    return Valuations(kind, rate)
