"""Photographs wherever they lie in folders: found once each, by their bytes, and read."""

import csv
import io
import os
import re
from typing import NamedTuple

from ttsr_tf.errors import InputError, first_of
from ttsr_tf.files import sha256
from ttsr_tf.images import files

_BACKGROUND = ".edj"  # Enlightenment's: a picture as JPEGs of several sizes in one file


class Photograph(NamedTuple):
    """A file: its path, the same from the folder that was given, its SHA-256."""

    path: str
    source: str
    sha256: str


def found(roots, listed=None):
    """The photographs in folders, each once, in an order that their bytes alone decide.

    Args:
        roots: paths of folders.
        listed: path of a CSV with columns package, file and sha256: no others are taken, and those
            that aren't there are printed.

    Returns:
        A list of `Photograph`.

    Raises:
        InputError: a folder or the list is missing, or no photograph is there.
    """
    photographs = {}
    for root in roots:
        if not os.path.isdir(root):
            raise InputError(f"`photographs` {root} is not a folder. Give that of the pictures.")
        for folder, _, names in os.walk(root):
            for path in (os.path.join(folder, name) for name in sorted(names)):
                known = files.is_picture(path) or path.endswith(_BACKGROUND)
                if known and not os.path.islink(path):
                    one = Photograph(path, os.path.relpath(path, root), sha256(path))
                    photographs.setdefault(one.sha256, one)
    if listed:
        wanted = _listed(listed)
        if missing := [name for digest, name in wanted.items() if digest not in photographs]:
            print(f"Missing: {len(missing)} of {len(wanted)} photographs: {first_of(missing)}.")
        photographs = {digest: photographs[digest] for digest in wanted.keys() & photographs.keys()}
    if not photographs:
        raise InputError(f"No photographs to use are in {', '.join(roots)}. Check the folders.")
    return [photographs[digest] for digest in sorted(photographs)]


def _listed(path):
    """A dict from SHA-256 to "package: file"."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            return {row["sha256"]: f"{row['package']}: {row['file']}" for row in rows}
    except (OSError, KeyError, UnicodeDecodeError) as error:
        why = (
            f"has no column {error}" if isinstance(error, KeyError) else f"can't be read ({error})"
        )
        raise InputError(
            f"`list` {path} {why}. A CSV with package, file, sha256 is needed."
        ) from None


def read(path):
    """A photograph, upright: uint8 [H, W, 3]; of one of Enlightenment's backgrounds the largest.

    Raises:
        InputError: it can't be read.
    """
    if not path.endswith(_BACKGROUND):
        return files.read(path).rgb
    with open(path, "rb") as file:
        data = file.read()
    starts = [match.start() for match in re.finditer(b"\xff\xd8\xff", data)]
    sizes = {}
    for start in starts:
        try:
            header = files.header(io.BytesIO(data[start:]), path)
        except InputError:
            continue  # bytes that only look like a JPEG's
        sizes[start] = header.height * header.width
    if not sizes:
        raise InputError(f"{path} holds no JPEG. Leave it out.")
    return files.read(io.BytesIO(data[max(sizes, key=sizes.get) :]), path).rgb
