"""VGG19's weights, folded so that they fit this package's input normalisation."""

import keras
import numpy as np

from ttsr_tf.errors import InputError
from ttsr_tf.layers.vgg19 import ACTIVATION_SCALE, MEAN, OXFORD_MEAN, STD, VGG19
from ttsr_tf.weights.naming import RANDOM, check_vgg19


def features(weights):
    """What the perceptual loss compares: a frozen `layers.VGG19` up to relu5_1.

    Args:
        weights: "imagenet" or a path; see `folded`.
    """
    layer, arrays = VGG19(["relu5_1"], trainable=False), folded(weights)
    layer.build((None, None, None, 3))
    for conv in layer.convs:
        conv.set_weights(arrays[conv.name])
    return layer


def initialise(extractor, weights, scale=1.0):
    """Starts a texture extractor from VGG19.

    Args:
        extractor: a built `layers.VGG19`.
        weights: "imagenet" (Keras fetches them), the path of Keras'
            vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5, or "random" to leave the
            extractor as it is.
        scale: what every map is multiplied by.

    Raises:
        InputError: none of these, or the weights can't be had.
    """
    if weights == RANDOM:
        return
    arrays = folded(weights, extractor.mean)
    for conv in extractor.convs:
        kernel, bias = arrays[conv.name]
        first = conv.name == "conv1_1"  # the others get what is scaled already
        conv.set_weights([kernel * scale if first else kernel, bias * scale])


def folded(weights, mean=MEAN):
    """VGG19's convolutions for RGB input in [0, 1] with a mean subtracted and ImageNet's variance
    divided by.

    Every activation is 1/57.63 of the original's: ReLU and max pooling are homogeneous, so
    dividing the first kernel and all biases is enough. With another mean than Oxford's those near
    the picture's border differ a little.

    Args:
        weights: "imagenet" or a path.
        mean: of a `layers.VGG19`.

    Returns:
        A dict from "conv1_1" on to (kernel [3, 3, in, out], bias [out]).

    Raises:
        InputError: the weights can't be had.
    """
    layers = {}
    for name, (kernel, bias) in _oxford(weights).items():
        if name == "conv1_1":
            # Keras ships Oxford's weights: BGR, 0..255, their mean subtracted.
            difference = 255 * (np.array(mean) - OXFORD_MEAN)
            kernel = kernel[:, :, ::-1]  # BGR → RGB
            bias = bias + np.einsum("hwio,i->o", kernel, difference)
            kernel = kernel * (255 * np.array(STD)[:, None]) / ACTIVATION_SCALE
        layers[name] = np.float32(kernel), np.float32(bias / ACTIVATION_SCALE)
    return layers


def _oxford(weights):
    """VGG19's convolutions as Keras ships them: a dict from "conv1_1" on to (kernel, bias)."""
    check_vgg19(weights)
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
