"""The ways through a generator that training goes, each from a batch to outputs."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from ttsr_tf.models.sizes import outputs_of


class Pass(NamedTuple):
    """A way, and what learns on it.

    Attributes:
        outputs: function from a batch to a dict: `sr`, and as a call of the generator has them
            `index`, `confidence` and `textures`, as far as the way goes by them.
        variables: list.
    """

    outputs: Callable
    variables: list


def single_image(generator):
    """Without any reference: what a network with such a path learns first."""
    return lambda batch: {"sr": generator.single_image(batch)}


def with_textures(generator):
    """A list: with what is found in the reference; then, if the network wants each batch twice,
    with what the truth has itself.
    """

    def found(batch):
        return generator(batch, training=True)

    def ideal(batch):
        textures = generator.ideal_textures(batch["hr"])
        confidence = tf.ones([*tf.unstack(tf.shape(textures[0]))[:3], 1])
        sr = generator.synthesise(batch, textures, confidence)
        return outputs_of(sr, textures, confidence=confidence)

    return [found, ideal] if generator.ideal_textures else [found]
