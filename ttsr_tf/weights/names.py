"""What --checkpoint means, and --vgg19_weights: names and paths to files."""

import os

from ttsr_tf.errors import InputError
from ttsr_tf.weights.files import OLD_SUFFIX, SUFFIX

IN_RUN_FOLDER, BEST_IN_RUN_FOLDER = f"model{SUFFIX}", f"best{SUFFIX}"
IMAGENET, RANDOM = "imagenet", "random"


def path_of(checkpoint):
    """The file that a checkpoint's name stands for.

    Args:
        checkpoint: path of a file of weights, or of a run's folder.

    Returns:
        Its path; whether it is there is `files.read_header`'s to say.
    """
    path = os.fspath(checkpoint)
    if not os.path.isdir(path):
        return path
    new, old = (os.path.join(path, name) for name in (IN_RUN_FOLDER, f"model{OLD_SUFFIX}"))
    return old if os.path.isfile(old) and not os.path.isfile(new) else new


def check_vgg19(weights):
    """Raises InputError unless `vgg19_weights` are "imagenet", "random" or a file."""
    if weights not in (IMAGENET, RANDOM) and not os.path.isfile(weights):
        raise InputError(
            f"No VGG19 weights at {weights!r}: give imagenet (Keras fetches them), the path of "
            "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5, or random."
        )
