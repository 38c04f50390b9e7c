"""The generator's losses: which of them are used, with which weights, on what."""

import tensorflow as tf

from ttsr_tf.training import losses

_EARLY = "reconstruction", "back_projection"


class Judges:
    """What judges a generator's outputs.

    Args:
        generator: a network (see `ttsr_tf.models`), for its texture loss.
        critic, features: as of `GAN`.
        weights: a `losses.LossWeights`.

    Attributes:
        all: names of the losses that are used.
        early: those of them that are before the critic learns.
    """

    def __init__(self, generator, critic, features, *, weights):
        self._generator, self._critic, self._features = generator, critic, features
        self._weights = weights
        used = {
            "reconstruction": True,
            "perceptual": features,
            "transferal": weights.transferal,
            "adversarial": critic,
            "back_projection": weights.back_projection,
        }
        self.all = [name for name, use in used.items() if use]
        self.early = [name for name in self.all if name in _EARLY]

    def losses_of(self, names, scale=1.0):
        """A function from a batch and outputs to the weighed sum of losses, times `scale`, and a
        list of them.
        """

        def judge(batch, outputs):
            found = [self._value(name, batch, outputs) for name in names]
            weights = [getattr(self._weights, name) * scale for name in names]
            return tf.add_n([w * loss for w, loss in zip(weights, found, strict=True)]), found

        return judge

    def _value(self, name, batch, outputs):
        hr, sr = batch["hr"], outputs["sr"]
        if name == "reconstruction":
            return losses.reconstruction(hr, sr)
        if name == "back_projection":
            return losses.back_projection(batch["lr"], sr)
        if name == "perceptual":
            return losses.perceptual(self._features(hr)[0], self._features(sr)[0])
        if name == "adversarial":
            return losses.adversarial(self._critic(sr))
        weighed = self._weights.weigh_by_confidence
        return self._generator.texture_loss(outputs, sr, weighed)
