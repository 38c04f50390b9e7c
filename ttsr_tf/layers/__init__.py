"""The parts of the texture transformer; none knows of model, training or data."""

import keras

from ttsr_tf.errors import InputError

if keras.backend.backend() != "tensorflow":
    raise InputError(
        f"ttsr-tf runs on TensorFlow, and Keras on {keras.backend.backend()} here. Unset "
        "KERAS_BACKEND, or set it to tensorflow, before Keras is imported."
    )

from ttsr_tf.layers.alignment import CHANNELS, SHIFTS, Alignment
from ttsr_tf.layers.convolution import Convolution, uniform
from ttsr_tf.layers.cross_scale import CrossScaleIntegration
from ttsr_tf.layers.fusion import SoftFusion
from ttsr_tf.layers.gram import gram_distance
from ttsr_tf.layers.relevance import Relevance
from ttsr_tf.layers.resampling import Downsample, SubPixelUpsample, Upsample, resize_up
from ttsr_tf.layers.residual import ResidualBlock, ResidualStack
from ttsr_tf.layers.shifted_transfer import ShiftedTransfer
from ttsr_tf.layers.transfer import Transfer
from ttsr_tf.layers.vgg19 import ACTIVATION_SCALE, OXFORD_MEAN, VGG19

__all__ = [
    "ACTIVATION_SCALE",
    "CHANNELS",
    "OXFORD_MEAN",
    "SHIFTS",
    "VGG19",
    "Alignment",
    "Convolution",
    "CrossScaleIntegration",
    "Downsample",
    "Relevance",
    "ResidualBlock",
    "ResidualStack",
    "ShiftedTransfer",
    "SoftFusion",
    "SubPixelUpsample",
    "Transfer",
    "Upsample",
    "gram_distance",
    "resize_up",
    "uniform",
]


def __dir__():
    return __all__  # the Tab key offers no modules, nor what they import
