"""Files for LiteRT (.tflite): what is in them, as a checkpoint and for who runs them.

The end of such a file is a zip archive, where LiteRT has what belongs to a model. Its entry
ttsr-tf.json has the network and its arguments, plain numbers, and where in the file each weight
lies, so that the same file is a checkpoint too. `unzip -p model.tflite ttsr-tf.json` shows it.

A patch (.tflite.patch) is the archive alone, with the difference to a .tflite beside it, its base:
of networks that share weights, the second one is stored small.
"""

import hashlib
import json
import math
import os
import zipfile
import zlib

import numpy as np

from ttsr_tf.errors import InputError

SUFFIX, PATCH_SUFFIX = ".tflite", ".tflite.patch"
SUFFIXES = SUFFIX, PATCH_SUFFIX
FORMAT = 1
_ENTRY, _DIFFERENCE = "ttsr-tf.json", "difference"


def write(path, about, content):
    """Writes a file.

    Args:
        path: file name.
        about: a dict as JSON takes it; see `read_about`.
        content: bytes that LiteRT's converter wrote.
    """
    with open(path, "wb") as file:
        file.write(content)
    _append(path, {_ENTRY: _json(about, content)})


def write_patch(path, about, arrays, *, base):
    """Writes a patch.

    Args:
        path: file name.
        about: as of `write`, of the network whose weights are `arrays`.
        arrays: the weights, a dict of arrays by name.
        base: the path of a .tflite in the same folder, of a network with weights of the same
            names and shapes.

    Raises:
        InputError: `base` can't be read.
    """
    of_base, content = read(base)
    patched = bytearray(content)
    for name, parts in of_base["weights"].items():
        _put(patched, parts, arrays[name])
    about = {**about, "weights": of_base["weights"], "base": os.path.basename(base)}
    _append(path, {_DIFFERENCE: _xor(content, patched), _ENTRY: _json(about, patched)})


def read_about(path):
    """What a file says of itself.

    Returns:
        A dict: `model` and `config`, as of `weights.files.Header`; `numbers`, of the network;
        `weights`, dict from name to a list of parts, each (offset, shape, dtype); `size` and
        `sha256` of what comes before; of a patch, the name of its `base`; and what is for people.

    Raises:
        InputError: it isn't such a file, not a whole one, or of a later release.
    """
    try:
        about = json.loads(_entry(path, _ENTRY))
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
        InputError: as of `read_about`; or the file is damaged, or its base is another.
    """
    about = read_about(path)
    if "base" in about:
        content = _patched(path, about["base"])
    else:
        with open(path, "rb") as file:
            content = file.read(about["size"])
    if hashlib.sha256(content).hexdigest() != about["sha256"]:
        or_base = f", or {about['base']} is not what it was made from" if "base" in about else ""
        raise InputError(
            f"{path} is damaged{or_base}: its SHA-256 is another. Copy or write it again."
        )
    return about, content


def arrays(path):
    """A file's weights: a dict of arrays by name, kernels as [h, w, in, out].

    Raises:
        InputError: as of `read`.
    """
    about, content = read(path)
    return {name: _joined(content, parts) for name, parts in about["weights"].items()}


def _patched(path, base):
    """The content that a patch stands for, or b"" if it can't be told."""
    beside = os.path.join(os.path.dirname(path), base)
    if not os.path.isfile(beside):
        raise InputError(f"{path} is a patch of {base}, which must lie beside it.")
    _, content = read(beside)
    try:
        return _xor(content, _entry(path, _DIFFERENCE))
    except (KeyError, ValueError, zlib.error, zipfile.BadZipFile):
        return b""


def _json(about, content):
    signed = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return json.dumps({"format": FORMAT, **about, **signed}, ensure_ascii=False)


def _append(path, entries):
    with zipfile.ZipFile(path, "a") as archive:
        for name, data in entries.items():
            entry = zipfile.ZipInfo(name)  # of 1980: equal weights are equal files
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED, compresslevel=9)


def _entry(path, name):
    with zipfile.ZipFile(path) as archive:
        return archive.read(name)


def _xor(a, b):
    return np.bitwise_xor(*(np.frombuffer(x, np.uint8) for x in (a, b))).tobytes()


def _put(content, parts, array):
    """Writes a weight where `_joined` finds it."""
    if array.ndim == 4:
        array = array.transpose(3, 0, 1, 2)
    start = 0
    for offset, shape, dtype in parts:
        part = array[..., start : start + shape[-1]].astype(dtype).tobytes()
        content[offset : offset + len(part)] = part
        start += shape[-1]


def _joined(content, parts):
    """A weight of parts; of kernels' parts, that lie there as [out, h, w, in]."""
    found = [
        np.frombuffer(content, dtype, math.prod(shape), offset).reshape(shape)
        for offset, shape, dtype in parts
    ]
    if found[0].ndim == 4:
        return np.concatenate(found, -1).transpose(1, 2, 3, 0)
    return found[0]
