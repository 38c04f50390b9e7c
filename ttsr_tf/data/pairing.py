"""The one rule of partners: pictures whose names are the same but for their ending."""

import collections
import os

from ttsr_tf.errors import InputError, first_of
from ttsr_tf.images import files


def stem(name):
    """A name without its ending."""
    return os.path.splitext(name)[0]


def pictures(folder):
    """The pictures of a folder: a dict from the name without its ending to the name, in order.

    Raises:
        InputError: names that differ only in their ending.
    """
    names = sorted(filter(files.is_picture, os.listdir(folder)))
    counts = collections.Counter(map(stem, names))
    if twice := [one for one, count in counts.items() if count > 1]:
        raise InputError(f"{folder}: differing only in their ending: {first_of(twice)}. Rename.")
    return dict(sorted((stem(name), name) for name in names))


def partners(folder, kinds=("input", "ref")):
    """The pictures of two folders that belong together.

    Args:
        folder: holds both.
        kinds: their names.

    Returns:
        A list of (name without ending, path in the first, path in the second), by name.

    Raises:
        InputError: a folder is missing; names without a partner, or that differ only in ending.
    """
    paths = [os.path.join(folder, kind) for kind in kinds]
    for path in paths:
        if not os.path.isdir(path):
            raise InputError(f"{path} is missing: pairs are {'/NAME and '.join(kinds)}/NAME.")
    first, second = map(pictures, paths)
    if unpaired := sorted(first.keys() ^ second.keys()):
        where = [
            f"{kinds[0]}/{first[one]}" if one in first else f"{kinds[1]}/{second[one]}"
            for one in unpaired
        ]
        raise InputError(
            f"{folder}: {len(where)} pictures without a partner of the same name, "
            f"{first_of(where)}. Add or remove them."
        )
    return [
        (one, os.path.join(paths[0], name), os.path.join(paths[1], second[one]))
        for one, name in first.items()
    ]
