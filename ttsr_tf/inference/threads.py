"""NumPy on several processors: its functions compute with one, but let others run meanwhile."""

import concurrent.futures
import itertools

import numpy as np


def spread(function, size, threads):
    """Calls `function` with slices that make up range(size), each in a thread of its own.

    Args:
        function: takes a slice; writes its results where no other call does.
        size: int.
        threads: int, how many slices there are.
    """
    ends = np.linspace(0, size, threads + 1).astype(int)
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        list(pool.map(function, itertools.starmap(slice, itertools.pairwise(ends))))
