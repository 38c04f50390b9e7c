"""What every network asks of its arguments and inputs, and how its outputs are called."""

import numbers

import keras
import tensorflow as tf

from ttsr_tf.errors import InputError
from ttsr_tf.models import TEXTURES

# Of any size, for `export`.
INPUT_SIGNATURE = {
    name: tf.TensorSpec([None, None, None, 3], tf.float32, name)
    for name in ("lr", "lr_up", "ref", "ref_down_up")
}


def checked_blocks(num_residual_blocks, num_features):
    """`num_residual_blocks` as a tuple; raises InputError unless a network can have these."""
    blocks = num_residual_blocks
    if (
        not isinstance(blocks, (list, tuple))
        or len(blocks) != 4
        or not all(isinstance(n, numbers.Integral) and n >= 0 for n in blocks)
    ):
        raise InputError(
            "`num_residual_blocks` must be four whole numbers from 0, such as (16, 16, 8, 4), got "
            f"{blocks!r}."
        )
    if not isinstance(num_features, numbers.Integral) or num_features < 2:
        raise InputError(f"`num_features` must be a whole number from 2, got {num_features!r}.")
    return tuple(blocks)


def check_built(name, network):
    """Raises InputError unless the argument of that name is a network that has its weights."""
    if not isinstance(network, keras.Model):
        raise InputError(
            f"`{name}` must be a network, a `keras.Model`, got {type(network).__name__}. "
            "`ttsr_tf.load(…)` has a trained one as its `model`."
        )
    if not network.built:
        raise InputError(
            f"`{name}` has no weights yet: call its `build()` for random ones, or use the `model` "
            "of `ttsr_tf.load(…)`, a trained one."
        )


def build_optimizer(model):
    """Creates a compiled model's optimizer variables, if its own are there.

    Left to `fit`, each is created in a conditional of the step's graph, which then is made a second
    time: the first step comes twice as late.
    """
    if model.built and model.optimizer is not None:
        with model.distribute_strategy.scope():
            model.optimizer.build(model.trainable_variables)


def check_sizes(inputs):
    """Raises InputError where a network's inputs aren't there, or no float pictures, or their
    sizes, as far as they are known, don't go together.

    Args:
        inputs: dict of float [B, H, W, 3], as `network_inputs` makes it.
    """
    if not isinstance(inputs, dict) or not set(INPUT_SIGNATURE) <= set(inputs):
        given = ", ".join(inputs) if isinstance(inputs, dict) else type(inputs).__name__
        raise InputError(
            f"`inputs` must be a dict of {', '.join(INPUT_SIGNATURE)}, got {given}: "
            "`ttsr_tf.network_inputs(lr, ref)` makes it of uint8 pictures."
        )
    for name in INPUT_SIGNATURE:
        kind, shape = inputs[name].dtype, inputs[name].shape
        if not kind.is_floating or shape.rank != 4 or shape[-1] not in (3, None):
            raise InputError(
                f"`{name}` must be float [B, H, W, 3], got {kind.name} {shape}: "
                "`ttsr_tf.network_inputs(lr, ref)` makes it of uint8 pictures."
            )
    lr, lr_up, ref, ref_down_up = (
        inputs[name].shape.as_list()[1:3] for name in ("lr", "lr_up", "ref", "ref_down_up")
    )
    if None not in lr + lr_up and lr_up != [4 * n for n in lr]:
        raise InputError(f"`lr_up` must be 4 times as large as `lr`, got {lr_up} beside {lr}.")
    if None not in ref + ref_down_up and ref != ref_down_up:
        raise InputError(f"`ref_down_up` must be as large as `ref`, got {ref_down_up}, {ref}.")
    if None not in ref and min(ref) < 4:
        raise InputError(f"`ref` must be at least 4×4 pixels, got {ref}.")


def outputs_of(sr, textures, **more):
    """What a call gives: `sr`, the textures by their names, and more, such as `index`."""
    return {"sr": sr, **more, **dict(zip(TEXTURES, textures, strict=True))}
