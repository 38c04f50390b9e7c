"""The optimizers of a `GAN`, and their learning rates, which stay in ratio."""

import keras

from ttsr_tf.errors import InputError
from ttsr_tf.training.distribution import number
from ttsr_tf.training.optimizers import Adam

# The arguments of `GAN.compile`, and what times the backbone's rate they have if they aren't given:
# a tenth for the texture extractor, as published.
NAMES = {
    "backbone_optimizer": 1.0,
    "extractor_optimizer": 0.1,
    "critic_optimizer": 1.0,
    "pretrained_optimizer": 1.0,
}


def optimizers(given, used):
    """Optimizers for what a user gave.

    Args:
        given: dict from each of `NAMES` to a Keras optimizer, its name, or None; "adam" is
            `optimizers.Adam`.
        used: those of the names but the first that need one.

    Returns:
        A dict from the names to optimizers: those that aren't given are like the backbone's, or
        None if they aren't used.

    Raises:
        InputError: no optimizer, the same one twice, or none of a part where the backbone's rate is
            a schedule.
    """
    found = {name: None if one is None else _got(name, one) for name, one in given.items()}
    backbone = found["backbone_optimizer"]
    if backbone is None:
        raise InputError('`backbone_optimizer` must be a Keras optimizer or a name such as "adam".')
    of = {}
    for name, one in found.items():
        if one is not None and id(one) in of:
            raise InputError(f"`{of[id(one)]}` and `{name}` are one object: each needs its own.")
        of[id(one)] = name
    missing = [name for name in used if found[name] is None]
    return found | {name: _like(backbone, name) for name in missing}


def _got(name, given):
    if given == "adam":
        return Adam()
    try:
        return keras.optimizers.get(given)
    except (ValueError, TypeError):
        raise InputError(
            f'`{name}` must be a Keras optimizer or a name such as "adam", got {given!r}.'
        ) from None


def _like(optimizer, name):
    config, factor = optimizer.get_config(), NAMES[name]
    if factor != 1 and is_scheduled(optimizer):
        raise InputError(
            f"`{name}` must be given: of the backbone's rate, which is a schedule, nothing makes "
            f"{factor} times as much."
        )
    if factor != 1:
        config["learning_rate"] *= factor
    return type(optimizer).from_config(config)


def is_scheduled(optimizer):
    """Whether its rate is a `LearningRateSchedule`, which nothing may set."""
    return isinstance(optimizer.get_config()["learning_rate"], dict)


class Followers:
    """Optimizers whose rates keep their ratio to another one's, such as callbacks change.

    Args:
        leader: a Keras optimizer.
        others: more of them, or None; those with schedules of their own are left alone.
    """

    def __init__(self, leader, *others):
        self._leader, self._rate = leader, number(leader.learning_rate)
        # A rate of 0, such as before a warm-up, has no ratio to others.
        leads = self._rate and not is_scheduled(leader)
        followers = [other for other in others if leads and other and not is_scheduled(other)]
        self._ratios = [(other, number(other.learning_rate) / self._rate) for other in followers]

    def follow(self):
        """Sets the others' rates if the leader's has changed."""
        if not self._ratios:
            return
        rate = number(self._leader.learning_rate)
        if rate != self._rate:
            for other, ratio in self._ratios:
                other.learning_rate = ratio * rate
        self._rate = rate
