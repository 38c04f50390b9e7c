"""Weights on disk: one HDF5 file that also holds the network's sizes."""

import hashlib
import json
import os
import pathlib

import h5py

from ttsr_tf import __version__
from ttsr_tf.errors import InputError
from ttsr_tf.images import written_aside
from ttsr_tf.model import TTSR

SUFFIX = ".weights.h5"
IN_RUN_FOLDER = f"model{SUFFIX}"
_ATTRIBUTE = "ttsr_tf"


def save(model, path):
    """Writes weights and sizes by rename, in the format of `model.save_weights`.

    Args:
        model: a built `TTSR`.
        path: file name ending in .weights.h5.

    Raises:
        InputError: another ending, or the file can't be written.
    """
    if not path.endswith(SUFFIX):
        raise InputError(f"{path} must end in {SUFFIX}.")
    about = {"model": "TTSR", "config": model.get_config(), "version": __version__}
    size = 2**20 + 4 * model.count_params()
    with written_aside(path) as aside:
        with open(aside, "wb") as file:  # a full disk crashes HDF5: find out before it starts
            file.write(bytes(size))
        model.save_weights(aside)
        with h5py.File(aside, "a") as file:
            file.attrs[_ATTRIBUTE] = json.dumps(about)


def load(path):
    """The model with the weights of a file, or of a run folder.

    Args:
        path: a file written by `ttsr_tf.convert` or `save`, or the `--run_dir` of a training.

    Returns:
        A built `TTSR` of the sizes that were saved.

    Raises:
        InputError: nothing there, not such a file, or a damaged one.
    """
    file = weights_file(path)
    model = TTSR(**_read_config(file))
    model.build()
    try:
        model.load_weights(file)
    except (ValueError, KeyError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{file} is damaged: {reason}. Convert or train it again.") from None
    return model


def load_same_size(path, num_residual_blocks, num_features):
    """As `load`, but raises InputError unless the network has these sizes."""
    model = load(path)
    wanted = TTSR(num_residual_blocks, num_features).get_config()
    if model.get_config() != wanted:
        raise InputError(f"{path} holds {model.get_config()}, not {wanted}. Give the same sizes.")
    return model


def weights_file(path):
    """The file that `load` reads: `path` itself, or the one in a run folder."""
    path = os.fspath(path)
    return os.path.join(path, IN_RUN_FOLDER) if os.path.isdir(path) else path


def sha256(path):
    """Of the file that `load` reads, as hexadecimal digits: which weights a result is of."""
    return hashlib.sha256(pathlib.Path(weights_file(path)).read_bytes()).hexdigest()


def _read_config(file):
    if not os.path.isfile(file):
        raise InputError(f"No checkpoint at {file}. Train one, or convert the authors' file.")
    try:
        with h5py.File(file) as content:
            return json.loads(content.attrs[_ATTRIBUTE])["config"]
    except (OSError, KeyError):
        raise InputError(
            f"{file} is not a checkpoint of ttsr-tf, or not a whole one. A file of the authors' "
            "program (.pt) is converted with `python -m ttsr_tf.convert`."
        ) from None
