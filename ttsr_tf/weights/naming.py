"""What --checkpoint means, and --vgg19_weights: names and paths to files."""

import os
import pathlib

from ttsr_tf.errors import InputError
from ttsr_tf.files import sha256
from ttsr_tf.weights import hub
from ttsr_tf.weights.files import OLD_SUFFIX, SUFFIX

DEFAULT = "ttsr-mini"
MEANING = "Weights: a file, a run's folder, hf://OWNER/NAME, ttsr-mini or ttsr-mini-gan."
IN_RUN_FOLDER, BEST_IN_RUN_FOLDER = f"model{SUFFIX}", f"best{SUFFIX}"
IMAGENET, RANDOM = "imagenet", "random"

_SHIPPED = pathlib.Path(__file__).parent / "shipped"
_SUMS = "SHA256SUMS"  # as sha256sum writes them


def names() -> list[str]:
    """The names of the weights that come along, for `ttsr_tf.load`; each has a card beside it,
    `ttsr_tf/weights/shipped/NAME.md`.
    """
    return sorted(_sums())


def path_of(checkpoint: str | os.PathLike) -> str:
    """The file that a checkpoint's name stands for.

    Args:
        checkpoint: one of `names()`; hf://OWNER/NAME, whose model.safetensors is fetched from
            Hugging Face and kept in its cache; or the path of a file of weights or a run's folder.
            A folder of your own that is called like one of `names()` is ./NAME.

    Raises:
        InputError: there is none; weights that came along are damaged or were replaced.
    """
    path = os.fspath(checkpoint)
    if path in names():
        return _shipped(path)
    if path.startswith(hub.PREFIX):
        return hub.fetch(path, IN_RUN_FOLDER)
    if os.path.isdir(path):
        new, old = (os.path.join(path, name) for name in (IN_RUN_FOLDER, f"model{OLD_SUFFIX}"))
        path = old if os.path.isfile(old) and not os.path.isfile(new) else new
    if not os.path.isfile(path):
        raise InputError(
            f"No checkpoint at {path}. Give a file, a run's folder, {hub.PREFIX}OWNER/NAME or one "
            f"of {', '.join(names())}."
        )
    return path


def for_others(checkpoint: str | os.PathLike) -> str:
    """What a checkpoint is called in processes with another working folder."""
    path = os.fspath(checkpoint)
    named = path in names() or path.startswith(hub.PREFIX)
    return path if named else os.path.abspath(path)


def check_vgg19(weights):
    """Raises InputError unless `vgg19_weights` are "imagenet", "random" or a file."""
    if weights not in (IMAGENET, RANDOM) and not os.path.isfile(weights):
        raise InputError(
            f"No VGG19 weights at {weights!r}: give imagenet (Keras fetches them), the path of "
            "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5, or random."
        )


def _sums():
    """Each name's file and its SHA-256."""
    lines = (_SHIPPED / _SUMS).read_text().splitlines()
    pairs = (line.split() for line in lines)
    return {file.partition(".")[0]: (_SHIPPED / file, digits) for digits, file in pairs}


def _shipped(name):
    path, expected = _sums()[name]
    if not path.is_file() or sha256(path) != expected:
        raise InputError(
            f"The weights {name} that came with ttsr-tf ({path}) are not those of this release: "
            "damaged, replaced or missing. Install ttsr-tf again."
        )
    return str(path)
