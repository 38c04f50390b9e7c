"""What `compile` and `fit` may be given: batches, and data that ends or a number of steps."""

import keras
import tensorflow as tf

from ttsr_tf.errors import InputError

_ELSEWHERE = {
    "optimizer": "Give `backbone_optimizer`; the others' rates follow it.",
    "loss": "`GAN` has the losses of the paper: give it `weights`, `features` and a `critic`.",
}


def refuse_other_arguments(given):
    """Raises InputError for what Keras' `compile` takes and that of `GAN` doesn't, a dict."""
    for name in given:
        mend = _ELSEWHERE.get(name, "Leave it out.")
        raise InputError(f"`{name}` is no argument of this `compile`. {mend}")


def batch_of(data, epsilons=0):
    """A batch as the steps take it.

    Args:
        data: a dict of the network's inputs, `hr` and `epsilon`; or a pair of the inputs and `hr`.
        epsilons: how many numbers of `epsilon` a step needs for each picture.

    Raises:
        InputError: something is missing.
    """
    inputs, hr, _ = keras.utils.unpack_x_y_sample_weight(data)
    if not isinstance(inputs, dict):
        raise InputError(
            "A batch must be a dict of the network's inputs and `hr`, got "
            f"{type(inputs).__name__}: `ttsr_tf.network_inputs(lr, ref)` makes the inputs."
        )
    batch = inputs if hr is None else {**inputs, "hr": hr}
    missing = [name for name in ("lr", "lr_up", "ref", "ref_down_up", "hr") if name not in batch]
    if missing:
        raise InputError(
            f"A batch has no {', '.join(f'`{name}`' for name in missing)}, only "
            f"{', '.join(batch)}: give what `ttsr_tf.network_inputs(lr, ref)` makes, and `hr`."
        )
    if epsilons and "epsilon" not in batch:
        raise InputError(
            "A batch has no `epsilon`, which mixes pictures for the critic's gradient penalty: add "
            f"random numbers in [0, 1), float32 [B, {epsilons}]."
        )
    return batch


def check_ends(name, data, **steps):
    """Raises InputError if data, an argument of that name, never ends and no number of steps, an
    argument by its name, is given; as far as that can be known.
    """
    ((steps_name, count),) = steps.items()
    if count is not None or not isinstance(data, tf.data.Dataset):
        return
    if data.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise InputError(f"`{name}` never ends: give `{steps_name}`, a number.")
