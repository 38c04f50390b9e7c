"""Files for LiteRT (.tflite): what is in them, as a checkpoint and for who runs them.

The end of such a file is a zip archive, where LiteRT has what belongs to a model. Its one entry,
JSON, has the network and its arguments, plain numbers, and where in the file each weight lies, so
that the same file is a checkpoint too. `unzip -p model.tflite ttsr-tf.json` shows it.
"""

import hashlib
import json
import math
import zipfile

import numpy as np

from ttsr_tf.errors import InputError

SUFFIX = ".tflite"
FORMAT = 1
_ENTRY = "ttsr-tf.json"


def append(path, about):
    """Adds the entry to a file that LiteRT's converter wrote.

    Args:
        path: file name.
        about: a dict as JSON takes it; see `read_about`.
    """
    with open(path, "rb") as file:
        content = file.read()
    about = {
        "format": FORMAT,
        **about,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    entry = zipfile.ZipInfo(_ENTRY)  # of 1980: equal weights are equal files
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(entry, json.dumps(about, ensure_ascii=False), zipfile.ZIP_DEFLATED)


def read_about(path):
    """What a file says of itself.

    Returns:
        A dict: `model` and `config`, as of `weights.files.Header`; `numbers`, of the network;
        `weights`, dict from name to a list of parts, each (offset, shape, dtype); `size` and
        `sha256` of what comes before; and what is for people.

    Raises:
        InputError: it isn't such a file, not a whole one, or of a later release.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            about = json.loads(archive.read(_ENTRY))
        version = about["format"]
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile):
        raise InputError(
            f"{path} is not a file that `python -m export.litert` wrote, or not a whole one."
        ) from None
    if version != FORMAT:
        raise InputError(
            f"{path} is of format {version}, and this release reads {FORMAT}. Install a later "
            "release of ttsr-tf, or write the file again with `python -m export.litert`."
        )
    return about


def read(path):
    """What is in a file.

    Returns:
        about: as of `read_about`.
        content: bytes, as LiteRT takes them.

    Raises:
        InputError: as of `read_about`; or the file is damaged.
    """
    about = read_about(path)
    with open(path, "rb") as file:
        content = file.read(about["size"])
    if hashlib.sha256(content).hexdigest() != about["sha256"]:
        raise InputError(f"{path} is damaged: its SHA-256 is another. Copy or write it again.")
    return about, content


def arrays(path):
    """A file's weights: a dict of arrays by name, kernels as [h, w, in, out].

    Raises:
        InputError: as of `read`.
    """
    about, content = read(path)
    return {name: _joined(content, parts) for name, parts in about["weights"].items()}


def _joined(content, parts):
    """A weight of parts; of kernels' parts, that lie there as [out, h, w, in]."""
    found = [
        np.frombuffer(content, dtype, math.prod(shape), offset).reshape(shape)
        for offset, shape, dtype in parts
    ]
    if found[0].ndim == 4:
        return np.concatenate(found, -1).transpose(1, 2, 3, 0)
    return found[0]
