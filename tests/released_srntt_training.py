"""SRNTT's networks as its program trains them: with batch normalisation by the batch's statistics,
from lists of arrays in the order of its files. For the parity of losses; the package has no such.
"""

import numpy as np
import tensorflow as tf

BLOCKS = 16, 8, 4
EPSILON = 1e-5


class Variables:
    """The arrays that are trained, as variables, and those that are moved by the statistics."""

    def __init__(self, arrays, names):
        self._arrays, self._names, self._next = arrays, names, 0
        self._made = {}

    @property
    def trained(self):
        return [self._made[i] for i, name in enumerate(self._names) if "moving" not in name]

    def start(self):
        self._next = 0
        return self

    def take(self):
        place = self._next
        self._next += 1
        if place not in self._made:
            self._made[place] = tf.Variable(self._arrays[place], dtype=tf.float32)
        return self._made[place]


def convolved(left, x, *, strides=1, normalised=True):
    x = tf.nn.conv2d(x, left.take(), strides, "SAME")
    if not normalised:
        return x + left.take()
    beta, gamma, _, _ = (left.take() for _ in range(4))
    mean, variance = tf.nn.moments(x, list(range(x.shape.rank - 1)))
    return tf.nn.batch_normalization(x, mean, variance, beta, gamma, EPSILON)


def stack(left, x, blocks):
    for _ in range(blocks):
        x += convolved(left, tf.nn.relu(convolved(left, x)))
    return convolved(left, x)


def content_features(variables, lr):
    left = variables.start()
    x = tf.nn.relu(convolved(left, lr, normalised=False))
    return x + stack(left, x, 16)


def texture_transfer(variables, x, maps):
    """Swapped maps of VGG19's own size, from coarse to fine, to pictures."""
    left = variables.start()
    for swapped, blocks in zip(maps, BLOCKS, strict=True):
        joined = tf.nn.relu(convolved(left, tf.concat([x, swapped], -1), normalised=False))
        x += stack(left, joined, blocks)
        last = convolved(left, x, normalised=False)
        x = last if blocks == BLOCKS[-1] else tf.nn.relu(tf.nn.depth_to_space(last, 2))
    return tf.tanh(convolved(left, x, normalised=False))


def critic(variables, x):
    left = variables.start()
    for strides in 5 * (1, 2):
        x = tf.nn.leaky_relu(convolved(left, x, strides=strides), 0.2)
    x = tf.reshape(x, [x.shape[0], -1])
    x = tf.nn.leaky_relu(x @ left.take() + left.take(), 0.2)
    return x @ left.take() + left.take()


def critic_arrays(names, shapes):
    """The recipe of the facts, in float32."""
    made = []
    for i, (name, shape) in enumerate(zip(names, shapes, strict=True)):
        random = np.random.default_rng(3000 + i).standard_normal(shape)
        if "gamma" in name:
            random = 1 + 0.2 * random
        elif "beta" in name:
            random *= 0.1
        elif len(shape) == 1:
            random *= 0.05
        else:
            random *= np.sqrt(2 / np.prod(shape[:-1]))
        made.append(np.float32(random))
    return made
