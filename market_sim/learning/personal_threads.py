"""Blocks of participants over torch's threads, each on one thread."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray

from market_sim.shapes import Array


def in_blocks(
    participants: NDArray[np.int64],
    at_once: int,
    compute: Callable[[NDArray[np.int64]], Array],
    into: Array,
) -> None:
    """Write what is computed of some participants into their rows of `into`.

    Parameters
    ----------
    participants
        Who is computed; nobody else's row is touched.
    at_once
        Participants in a block.
    compute
        Gives the rows of a block. It must not share anything that calls change.
    into
        Shape `(all participants, ...)`.
    """
    blocks = [
        participants[first : first + at_once] for first in range(0, participants.size, at_once)
    ]
    threads = torch.get_num_threads()
    if threads == 1:
        for block in blocks:
            into[block] = compute(block)
        return
    # One thread a block: what a reduction adds up first must not depend on the threads.
    with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for block, result in zip(blocks, pool.map(compute, blocks), strict=True):
            into[block] = result
    torch.set_num_threads(threads)  # the workers' number is also what new threads start with
