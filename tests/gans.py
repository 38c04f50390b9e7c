"""A compiled `GAN`, a batch for it, and what a step changes."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from ttsr_tf.training.gan import GAN
from ttsr_tf.training.optimizers import Adam
from ttsr_tf.training.schedule import Schedule
from ttsr_tf.weights.initial import initialise

RATES = {"backbone": 1e-3, "extractor": 1e-4, "critic": 1e-3, "pretrained": 2e-3}


@pytest.fixture
def batch(rng):
    sizes = {"lr": 8, "lr_up": 32, "ref": 32, "ref_down_up": 32, "hr": 32}
    made = {name: rng.uniform(-1, 1, (4, n, n, 3)) for name, n in sizes.items()}
    made["epsilon"] = rng.uniform(size=(4, 2))
    return {name: tf.constant(x, tf.float32) for name, x in made.items()}


@functools.cache
def mirrored(devices):
    """A strategy on some of the CPU's two devices; one for all tests, since TensorFlow takes the
    collectives of several on the same devices for each other's.
    """
    return tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(devices)])


def compiled(generator, critic, weights, schedule, epsilon):
    for seed, network in enumerate((generator, critic)):
        network.build()
        initialise(network, seed)
    gan = GAN(generator, critic, weights=weights, schedule=Schedule(**schedule))
    gan.compile(
        Adam(RATES["backbone"], epsilon=epsilon),
        Adam(RATES["extractor"], epsilon=epsilon),
        Adam(RATES["critic"], beta_1=0.0, beta_2=0.9, epsilon=epsilon),
        pretrained_optimizer=Adam(RATES["pretrained"], epsilon=epsilon),
    )
    return gan


def changes(gan, step, batch):
    """The largest change of any weight, by part."""
    parts = {
        "extractor": gan.generator.texture_extractor.variables,
        "pretrained": [v for layer in gan.generator.pretrained for v in layer.variables],
        "critic": gan.critic.variables,
    }
    taken = {id(v) for variables in parts.values() for v in variables}
    parts["backbone"] = [v for v in gan.generator.variables if id(v) not in taken]
    before = {name: [np.array(v) for v in variables] for name, variables in parts.items()}
    report = step(batch)
    return report, {
        name: max(np.abs(a - v).max() for a, v in zip(before[name], variables, strict=True))
        if variables
        else 0
        for name, variables in parts.items()
    }
