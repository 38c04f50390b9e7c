"""The training loop."""

import keras
import numpy as np
import tensorflow as tf

from ttsr_tf import degrade, images, losses, metrics
from ttsr_tf.data import example
from ttsr_tf.progress import Progress

SHOW_EVERY = 10  # steps
CONSTANT, COSINE = "none", "cosine"


def fit(model, batches, steps, learning_rate, decay):
    """Trains with the reconstruction loss; the texture extractor learns at a tenth of the rate.

    Args:
        model: a built `TTSR`.
        batches: a dataset of dicts, as `data.batches` gives.
        steps: number of steps.
        learning_rate: of the backbone.
        decay: "none" (the paper), or "cosine": to zero at the last step.
    """
    extractor = model.texture_extractor.trainable_variables
    of_extractor = {id(v) for v in extractor}
    backbone = [v for v in model.trainable_variables if id(v) not in of_extractor]
    optimizers = [
        (keras.optimizers.Adam(_schedule(rate, steps, decay), epsilon=1e-8), variables)
        for rate, variables in ((learning_rate, backbone), (learning_rate / 10, extractor))
    ]
    for optimizer, variables in optimizers:
        optimizer.build(variables)

    @tf.function
    def train_step(batch):
        with tf.GradientTape() as tape:
            loss = losses.reconstruction(batch["hr"], model(batch, training=True)["sr"])
        gradients = tape.gradient(loss, [variables for _, variables in optimizers])
        for (optimizer, variables), grads in zip(optimizers, gradients, strict=True):
            optimizer.apply_gradients(zip(grads, variables, strict=True))
        return loss

    progress, recent = Progress(steps, "step"), []
    for batch in batches.take(steps):
        recent = [*recent[1 - SHOW_EVERY :], train_step(batch)]
        progress.advance(loss=f"{np.mean(recent):.4f}")
    progress.close()


def _schedule(rate, steps, decay):
    return keras.optimizers.schedules.CosineDecay(rate, steps) if decay == COSINE else rate


def score(model, hr, ref):
    """Mean PSNR on Y, dB, of the model's pictures and of plain bicubic.

    Args:
        model: a built `TTSR`.
        hr, ref: uint8 [N, H, W, 3].

    Returns:
        Two floats: the model's, bicubic's.
    """
    pictures = tf.concat(
        [images.to_uint8(model(example(*pair))["sr"]) for pair in _single(hr, ref)], 0
    )
    bicubic = degrade.enlarge(degrade.shrink(hr))
    return tuple(float(tf.reduce_mean(metrics.psnr(hr, x))) for x in (pictures, bicubic))


def _single(hr, ref):
    return ((hr[i : i + 1], ref[i : i + 1]) for i in range(len(hr)))
