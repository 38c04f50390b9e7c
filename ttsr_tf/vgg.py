"""VGG19's weights, folded so that they fit this package's input normalisation."""

import os

import keras
import numpy as np
import tensorflow as tf

from ttsr_tf import layers
from ttsr_tf.errors import InputError
from ttsr_tf.layers.texture_extractor import MEAN, STD, normalise

IMAGENET, RANDOM = "imagenet", "random"

# Keras ships Oxford's weights: BGR, 0..255, this mean (in RGB order here) subtracted.
_OXFORD_MEAN = (123.68, 116.779, 103.939)
# Dividing every layer's output by this brings the activations near 1, as torchvision's are.
_SCALE = 57.63


# Convolutions and their widths at each of five scales, up to conv5_1.
_WIDTHS = (64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,)


class Features(keras.layers.Layer):
    """VGG19's relu5_1, frozen: what the perceptual loss compares.

    New weights are random; see `features`.

    Input: RGB in [-1, 1], [B, H, W, 3]. Output: [B, H // 16, W // 16, 512].
    """

    def __init__(self, **kwargs):
        super().__init__(**{**kwargs, "trainable": False})
        self.convs = [
            layers.Convolution(width, relu=True, name=f"conv{i}_{j}")
            for i, widths in enumerate(_WIDTHS, 1)
            for j, width in enumerate(widths, 1)
        ]

    def build(self, input_shape):
        for conv in self.convs:
            conv.build(input_shape)
            input_shape = (*input_shape[:-1], conv.filters)
        self.built = True

    def call(self, x):
        x = normalise(x)
        for conv in self.convs:
            if conv.name.endswith("_1") and conv is not self.convs[0]:
                x = tf.nn.max_pool2d(x, 2, 2, "VALID")
            x = conv(x)
        return x

    def compute_output_shape(self, input_shape):
        batch, *size, _ = input_shape
        return (batch, *(n if n is None else n // 16 for n in size), _WIDTHS[-1][0])


def features(weights):
    """`Features` with VGG19's weights: "imagenet" or a path; see `folded`."""
    layer, arrays = Features(), folded(weights)
    layer.build((None, None, None, 3))
    for conv in layer.convs:
        conv.set_weights(arrays[conv.name])
    return layer


def initialise(model, weights):
    """Starts the model's texture extractor from VGG19.

    Args:
        model: a built `TTSR`.
        weights: "imagenet" (Keras fetches them), the path of Keras'
            vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5, or "random" to leave the
            extractor as it is.

    Raises:
        InputError: none of these, or the weights can't be had.
    """
    if weights == RANDOM:
        return
    for name, arrays in folded(weights, last="conv3_1").items():
        getattr(model.texture_extractor, name).set_weights(arrays)


def folded(weights, last="conv5_1"):
    """VGG19's convolutions for RGB input normalised to zero mean and unit variance.

    Every activation is 1/57.63 of the original's: ReLU and max pooling are homogeneous, so
    dividing the first kernel and all biases is enough.

    Args:
        weights: "imagenet" or a path.
        last: the last convolution to return.

    Returns:
        A dict from "conv1_1" on to (kernel [3, 3, in, out], bias [out]).

    Raises:
        InputError: the weights can't be had.
    """
    layers = {}
    for name, (kernel, bias) in _oxford(weights).items():
        if name == "conv1_1":
            difference = 255 * np.array(MEAN) - _OXFORD_MEAN
            kernel = kernel[:, :, ::-1]  # BGR → RGB
            bias = bias + np.einsum("hwio,i->o", kernel, difference)
            kernel = kernel * (255 * np.array(STD)[:, None]) / _SCALE
        layers[name] = np.float32(kernel), np.float32(bias / _SCALE)
        if name == last:
            break
    return layers


def _oxford(weights):
    """VGG19's convolutions as Keras ships them: a dict from "conv1_1" on to (kernel, bias)."""
    if weights != IMAGENET and not os.path.isfile(weights):
        raise InputError(
            f"No VGG19 weights at {weights!r}: give imagenet (Keras fetches them), the path of "
            "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5, or random."
        )
    try:
        model = keras.applications.VGG19(include_top=False, weights=weights)
    except Exception as error:  # Keras raises whatever its transport or HDF5 meets
        reason = str(error).splitlines()[0]
        raise InputError(
            f"VGG19's weights can't be had from {weights!r} ({reason}). Give the path of "
            "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5, or random."
        ) from None
    convs = (layer for layer in model.layers if "conv" in layer.name)
    return {
        layer.name.replace("block", "conv").replace("_conv", "_"): layer.get_weights()
        for layer in convs
    }
