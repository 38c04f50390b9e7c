"""What training minimises. Every mean is over all elements, in float32."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

__all__ = [
    "PENALTY_WEIGHT",
    "PUBLISHED",
    "LossWeights",
    "adversarial",
    "back_projection",
    "critic",
    "gradient_penalty",
    "perceptual",
    "reconstruction",
]

PENALTY_WEIGHT = 10  # of the gradient penalty in the critic's loss


class LossWeights(NamedTuple):
    """What each of the generator's losses counts for (the released program's values)."""

    reconstruction: float = 1.0
    perceptual: float = 1e-2
    transferal: float = 1e-2
    adversarial: float = 1e-3
    weigh_by_confidence: bool = False  # the transferal loss
    back_projection: float = 0.0


PUBLISHED = LossWeights()


def reconstruction(hr, sr):
    """Mean absolute difference of two float tensors [B, H, W, 3] (paper, equation 7)."""
    return tf.reduce_mean(tf.abs(tf.cast(hr, tf.float32) - tf.cast(sr, tf.float32)))


def back_projection(lr, sr):
    """Mean absolute difference of `lr` and of `sr` made four times smaller, bicubically with the
    picture mirrored at its border (SRNTT's program, where it is an option).

    Args:
        lr: float [B, H, W, 3].
        sr: float [B, 4·H, 4·W, 3].
    """
    # The cubic a = -0.5, four times as wide: its sixteen taps lie 1/8, 3/8 … from the centre.
    distance = abs(np.arange(16) - 7.5) / 4
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    taps = np.where(distance < 1, near, far) / 4
    kernel = tf.constant(np.einsum("i,j,ab->ijab", taps, taps, np.eye(3)), tf.float32)
    mirrored = tf.pad(tf.cast(sr, tf.float32), [[0, 0], [6, 6], [6, 6], [0, 0]], "SYMMETRIC")
    return reconstruction(lr, tf.nn.conv2d(mirrored, kernel, 4, "VALID"))


def perceptual(hr_features, sr_features):
    """Mean squared difference of VGG19's relu5_1, [B, h, w, 512] (paper, equation 9, first term).

    Args:
        hr_features, sr_features: as `weights.vgg19.features` gives them.
    """
    return tf.reduce_mean(
        tf.math.squared_difference(
            tf.cast(hr_features, tf.float32), tf.cast(sr_features, tf.float32)
        )
    )


def adversarial(sr_scores):
    """The generator's: minus the mean of the critic's scores [B, 1] of `sr` (equation 8)."""
    return -tf.reduce_mean(sr_scores)


def critic(hr_scores, sr_scores):
    """Wasserstein: what the critic lowers by telling `hr` from `sr`, without the penalty.

    Args:
        hr_scores, sr_scores: float [B, 1].
    """
    return tf.reduce_mean(sr_scores) - tf.reduce_mean(hr_scores)


def gradient_penalty(critic, hr, sr, *, epsilon):
    """Mean of (‖∇critic(mix)‖₂ - 1)², without its weight (WGAN-GP, Gulrajani et al. 2017, eq. 3).

    Args:
        critic: a function from pictures to scores [B, 1].
        hr, sr: float32 [B, H, W, 3].
        epsilon: float32 [B] in [0, 1]: mix = sr·(1 - epsilon) + hr·epsilon.
    """
    epsilon = tf.reshape(epsilon, [-1, 1, 1, 1])
    mix = sr * (1 - epsilon) + hr * epsilon
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(mix)
        scores = critic(mix)
    gradient = tape.gradient(scores, mix)
    # The root has no slope at 0: there, as PyTorch does, none is taken.
    squares = tf.reduce_sum(gradient**2, [1, 2, 3])
    norms = tf.sqrt(tf.where(squares > 0, squares, 1)) * tf.cast(squares > 0, tf.float32)
    return tf.reduce_mean((norms - 1) ** 2)


def __dir__():
    return __all__  # the Tab key offers nothing that is imported here
