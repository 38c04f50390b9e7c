"""The numbers of the search that compares a patch with likely ones only, and what it costs.

Patches are described by their principal components, and the key's are put into clusters; a patch of
the query is compared with those in the clusters nearest to it, and exactly with the best of these.
`ttsr_tf.layers` and `ttsr_tf.inference` have it in TensorFlow and in NumPy.
"""

import math
from typing import NamedTuple

CHANNELS = 48  # that are left of the maps
COMPONENTS = 128  # of a patch of them
SAMPLE = 2048  # of the key's vectors and patches, for the components
PER_ROOT = 1.5  # clusters, for each of the root of the number of patches
SEARCHED = 0.75  # of these, for each of the root of their number
LARGEST = 4  # times the mean, of a cluster; else all patches of a plain area would be in one
CANDIDATES = 2  # which are compared exactly
BLOCK = 2**18  # comparisons of a patch with a cluster at once, whose scores stay in the cache
LEAST_PAIRS = 10**8  # of fewer, comparing all is as fast


class Clusters(NamedTuple):
    """The key's patches.

    Attributes:
        vectors: their components, float32 [n, COMPONENTS] of unit length, cluster after cluster.
        centres: float32 [clusters, COMPONENTS], of unit length.
        ends: int [clusters], where each one's vectors end.
    """

    vectors: object
    centres: object
    ends: object


def number(keys):
    """How many clusters `keys` patches are put into, before large ones are cut."""
    return math.ceil(PER_ROOT * math.sqrt(keys)) + 1


def searched(number):
    """How many of so many clusters a patch is compared with."""
    return math.ceil(SEARCHED * math.sqrt(number))


def largest(keys, number):
    """How many of `keys` patches, of so many clusters, one may hold; numbers or tensors."""
    return LARGEST * keys // number + 1


def rows(number):
    """How many patches to compare at once, so that memory is bounded."""
    return max(BLOCK // searched(number), 1)


def used(queries, keys):
    """Whether a fast search of so many patches is one of likely ones only."""
    return queries * keys >= LEAST_PAIRS


def flops(queries, keys, channels):
    """About the floating point operations of a search."""
    of_all = number(keys)
    pairs = queries * keys * searched(of_all) // of_all
    of_clusters = of_all * (queries + 2 * keys) + pairs
    of_components = (channels + 9 * COMPONENTS) * CHANNELS * (queries + keys)
    return 2 * (COMPONENTS * of_clusters + of_components)


def memory(queries, keys):
    """About the bytes that it takes: components, those of the key twice; and a block's comparisons
    with the clusters and with all of the largest one.
    """
    of_all = number(keys)
    of_block = (of_all + largest(keys, of_all)) * rows(of_all)
    return 4 * (COMPONENTS * (queries + 2 * keys) + of_block)
