"""SRNTT's released weights: lists of arrays, in the order in which its program makes variables."""

import os

import numpy as np

from ttsr_tf.errors import InputError
from ttsr_tf.layers.vgg19 import ACTIVATION_SCALE
from ttsr_tf.models.srntt import SRNTT
from ttsr_tf.weights import array_lists, vgg19

CONTENT, TEXTURES, TEXTURES_INIT = "upscale.npz", "srntt.npz", "srntt_init.npz"
_EPSILON = 1e-5  # of its batch normalisation


def read(folder, init=False):
    """The arrays of the released files.

    Args:
        folder: with upscale.npz and srntt.npz, or srntt_init.npz.
        init: whether the latter is taken, trained with the reconstruction loss only.

    Returns:
        A dict from file name to a list of float32 arrays.

    Raises:
        InputError: a file that isn't there, or holds something else.
    """
    names = CONTENT, TEXTURES_INIT if init else TEXTURES
    return {name: array_lists.read(os.path.join(folder, name)) for name in names}


def to_model(arrays, vgg19_weights):
    """The network that they and VGG19 are.

    Args:
        arrays: as `read` gives them: the content extractor's, then the texture transfer's.
        vgg19_weights: "imagenet", or a path (see `weights.vgg19.initialise`).

    Returns:
        A built `SRNTT`, with VGG19's kernels transposed.

    Raises:
        InputError: naming what is missing, surplus, misshapen or not finite; VGG19 can't be had.
    """
    model = SRNTT(transposed_vgg19=True)
    model.build()
    for (name, given), convolutions in zip(arrays.items(), _convolutions(model), strict=True):
        left = _Arrays(name, given)
        for layer, normalised in convolutions:
            layer.set_weights(_folded(left, layer) if normalised else _plain(left, layer))
        left.end()
    for layer in model.join:  # it takes VGG19's own maps, here folded weights make them smaller
        kernel, bias = layer.get_weights()
        kernel[:, :, model.num_features :] *= ACTIVATION_SCALE
        layer.set_weights([kernel, bias])
    vgg19.initialise(model.texture_extractor, vgg19_weights)
    return model


def _convolutions(model):
    """Of either file: a list of (convolution, whether a normalisation follows)."""
    content = [
        (model.head, False),
        *_of_stack(model.content),
        *((layer.conv, False) for layer in model.enlarge_single),
        (model.tail_single, False),
    ]
    after = *(layer.conv for layer in model.enlarge), model.tail[0]
    textures = []
    for join, stack, last in zip(model.join, model.refine, after, strict=True):
        textures += [(join, False), *_of_stack(stack), (last, False)]
    return content, [*textures, (model.tail[1], False)]


def _of_stack(stack):
    convolutions = [conv for block in stack.blocks for conv in (block.conv1, block.conv2)]
    return [(conv, True) for conv in (*convolutions, stack.tail)]


def _plain(left, layer):
    """Kernel and bias."""
    return [left.take("a kernel", layer.kernel.shape), left.take("a bias", layer.bias.shape)]


def _folded(left, layer):
    """Kernel and bias that do what a convolution and its batch normalisation do."""
    kernel = left.take("a kernel", layer.kernel.shape)
    names = "beta", "gamma", "moving mean", "moving variance"
    beta, gamma, mean, variance = (left.take(name, layer.bias.shape) for name in names)
    factor = gamma / np.sqrt(variance + _EPSILON)
    return [kernel * factor, beta - mean * factor]


class _Arrays:
    """Those of a file that are left."""

    def __init__(self, name, arrays):
        self._name, self._arrays, self._next = name, arrays, 0

    def take(self, kind, shape):
        if self._next == len(self._arrays):
            raise InputError(f"{self._name} ends after {self._next} arrays. Is the file whole?")
        array = np.float64(self._arrays[self._next])
        number = f"array {self._next} of {self._name}"
        if array.shape != tuple(shape):
            raise InputError(
                f"{number} must be {kind} of shape {list(shape)}, got {list(array.shape)}. Is it a "
                "released file?"
            )
        if not np.isfinite(array).all() or (kind == "moving variance" and array.min() < 0):
            raise InputError(f"{number}, {kind}, holds numbers that can't be. Is the file whole?")
        self._next += 1
        return array

    def end(self):
        if surplus := len(self._arrays) - self._next:
            raise InputError(f"{self._name} has {surplus} arrays more than {self._next}.")
