"""Weights on disk: safetensors, named arrays under a header that says whose they are.

Files for LiteRT are read too (see tflite.py), and old ones, Keras' HDF5 with a header in an
attribute (.weights.h5).
"""

import importlib.metadata
import json
from typing import NamedTuple

import numpy as np
import safetensors
import safetensors.numpy

from ttsr_tf import __version__
from ttsr_tf.errors import InputError
from ttsr_tf.files import written_aside
from ttsr_tf.models import MODELS
from ttsr_tf.weights import tflite

SUFFIX, OLD_SUFFIX = ".safetensors", ".weights.h5"
DTYPES = "float32", "float16"
_HEADER, _OLD_ATTRIBUTE = "ttsr-tf", "ttsr_tf"
# What TTSR had no argument for when it wrote older files.
_ALWAYS = {
    "residual": False,
    "alignment": False,
    "reference": True,
    "soft_attention": True,
    "cross_scale": True,
}


class Header(NamedTuple):
    """Whose weights a file holds.

    Attributes:
        model: its name in `ttsr_tf.models.MODELS`.
        config: dict of the class's arguments.
    """

    model: str
    config: dict


def check_name(name, path):
    """Raises InputError unless `path`, given as the argument `name`, ends in .safetensors."""
    if not path.endswith(SUFFIX):
        raise InputError(f"`{name}`={path} must end in {SUFFIX}.")


def write(path, header, arrays):
    """Writes a file by rename.

    Args:
        path: file name ending in .safetensors.
        header: a `Header`.
        arrays: dict from name to array.

    Raises:
        InputError: another ending, or the file can't be written; what was there stays.
    """
    check_name("path", path)
    versions = {name: importlib.metadata.version(name) for name in ("keras", "tensorflow")}
    about = {**header._asdict(), "versions": {"ttsr-tf": __version__, **versions}}
    # safetensors writes memory as it lies there, whatever an array's strides.
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    # One entry, since safetensors writes several in any order: equal weights are equal files.
    content = safetensors.numpy.save(arrays, {_HEADER: json.dumps(about)})
    with written_aside(path) as aside, open(aside, "wb") as file:
        file.write(content)


def read_header(path):
    """The `Header` of a file, without its arrays.

    Raises:
        InputError: it holds no weights of this package.
    """
    try:
        if path.endswith(OLD_SUFFIX):
            import h5py  # slow

            with h5py.File(path) as file:
                if _OLD_ATTRIBUTE not in file.attrs and len(file):
                    raise InputError(
                        f"{path} is what Keras' save_weights writes, without the network's sizes. "
                        "Make such a network, give it `load_weights`, and write a .safetensors "
                        "file with `ttsr_tf.weights.checkpoints.save`."
                    )
                return _header("ttsr", json.loads(file.attrs[_OLD_ATTRIBUTE])["config"])
        if path.endswith(tflite.SUFFIXES):
            about = tflite.read_about(path)
        else:
            with safetensors.safe_open(path, "np") as file:
                about = json.loads(file.metadata()[_HEADER])
        header = _header(about["model"], about["config"])
    except InputError:
        raise
    except (OSError, KeyError, ValueError, TypeError, AttributeError, safetensors.SafetensorError):
        raise InputError(
            f"{path} is not a checkpoint of ttsr-tf, or not a whole one. {_mend(path)}"
        ) from None
    if header.model not in MODELS:
        raise InputError(
            f"{path} holds weights of {header.model!r}, known are {', '.join(MODELS)}. Is it of a "
            "later release?"
        )
    return header


def _mend(path):
    if path.endswith(".keras"):
        return (
            "What Keras saved is read by `keras.saving.load_model`; "
            "`ttsr_tf.weights.checkpoints.save` writes its network as .safetensors."
        )
    return "A file of the authors' program (.pt) is converted with `python -m ttsr_tf.convert`."


def _header(model, parsed):
    """With the tuples that JSON made lists of, and what older files don't say."""
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in parsed.items()}
    return Header(model, {**_ALWAYS, **given} if model == "ttsr" else given)


def read(path):
    """The arrays of a file of this release that has a header: a dict by name."""
    if path.endswith(tflite.SUFFIXES):
        return tflite.arrays(path)
    with safetensors.safe_open(path, "np") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  no dict
