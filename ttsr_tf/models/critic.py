"""The critic: how real a picture looks, for the adversarial loss."""

import numbers

import keras
import tensorflow as tf

from ttsr_tf import compat, layers
from ttsr_tf.errors import InputError
from ttsr_tf.models import NONE, NORMALIZATIONS, SPECTRAL

_HIDDEN = 1024
_WIDTHS = 32, 64, 128, 256, 512
_SHRINKS = 2 ** len(_WIDTHS)


@keras.saving.register_keras_serializable("ttsr_tf")
class Critic(keras.Model):
    """Scores pictures of one size; always float32, which the gradient penalty needs.

    Ten 3×3 convolutions with LeakyReLU 0.2, every second one with stride 2; dense 1024, LeakyReLU
    0.2; dense 1 (paper, section 3.4; the released program's sizes).

    Args:
        crop_size: side of the pictures, a multiple of 32.
        normalization: "none", as published, or "spectral": every kernel, as a matrix of which each
            column makes one output, is divided by its largest singular value (Miyato et al. 2018,
            algorithm 1). A call with `training=True` does one step of the power iteration that
            estimates that value, and the division, in the kernel itself; other calls take the
            kernels as they are.

    Input: float [B, crop_size, crop_size, 3] in [-1, 1]. Output: scores, float32 [B, 1].

    Raises:
        InputError: another `crop_size` or `normalization`, or spectral where it can't be had.
    """

    def __init__(self, crop_size: int = 160, normalization: str = NONE, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        if not isinstance(crop_size, numbers.Integral) or crop_size < 1 or crop_size % _SHRINKS:
            raise InputError(f"`crop_size` must be a multiple of {_SHRINKS}, got {crop_size!r}.")
        if normalization not in NORMALIZATIONS:
            raise InputError(
                f"`normalization` must be one of {', '.join(NORMALIZATIONS)}, got {normalization}."
            )
        self.crop_size, self.normalization = crop_size, normalization
        # Pictures of other sizes would be cut to pieces, each a picture of the batch.
        self.input_spec = keras.layers.InputSpec(shape=(None, crop_size, crop_size, 3))
        normalized = compat.spectral_normalization if normalization == SPECTRAL else lambda x: x
        self.convs = [
            normalized(layers.Convolution(width, strides=strides, dtype="float32"))
            for width in _WIDTHS
            for strides in (1, 2)
        ]
        self._num_features = _WIDTHS[-1] * (crop_size // _SHRINKS) ** 2
        self.dense1 = normalized(_dense(_HIDDEN, self._num_features))
        self.dense2 = normalized(_dense(1, _HIDDEN))

    def build(self, input_shape=None):
        """Creates every variable."""
        del input_shape
        channels = 3, *(width for width in _WIDTHS for _ in range(2))
        for conv, given in zip(self.convs, channels[:-1], strict=True):
            conv.build((None, None, None, given))
        self.dense1.build((None, self._num_features))
        self.dense2.build((None, _HIDDEN))
        compat.set_built(self)

    def call(self, x, training=False):
        # What is wrapped takes `training` from here, as Keras hands it on.
        for conv in self.convs:
            x = _leaky(conv(x))
        x = tf.reshape(x, [-1, self._num_features])
        return self.dense2(_leaky(self.dense1(x)))

    def get_config(self):
        return {
            **compat.config_of(self),
            "crop_size": self.crop_size,
            "normalization": self.normalization,
        }


def _dense(units, fan_in):
    return keras.layers.Dense(
        units,
        kernel_initializer=layers.uniform(fan_in),
        bias_initializer=layers.uniform(fan_in),
        dtype="float32",
    )


def _leaky(x):
    # At 0 the slope is the first one's, as PyTorch's. `tf.nn.leaky_relu` makes the pass that fuses
    # convolutions fail on the graph of a step, which it says on stderr.
    return tf.maximum(0.2 * x, x)
