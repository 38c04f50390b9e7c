"""Training as published: the generator, the critic and their schedule.

pretraining:  generator ← reconstruction
after it:     critic    ← hr, sr, gradient penalty      critic_steps times, on the same batch
              generator ← reconstruction, perceptual, transferal, adversarial
"""

import contextlib

import keras
import tensorflow as tf

from ttsr_tf.models import Network
from ttsr_tf.training import distribution, losses
from ttsr_tf.training.gradients import clipped, of_losses
from ttsr_tf.training.optimizers import LossScale
from ttsr_tf.training.schedule import PUBLISHED, Schedule

_OF_CRITIC = "critic", "gradient_penalty", "norm/critic"


class GAN(keras.Model):
    """A generator with its losses and its critic.

    Works with `fit` in one process. Under a strategy, run `pretrain_step` or `full_step` by
    `strategy.run` and add what the replicas return.

    Args:
        generator: a built network (see `ttsr_tf.models`).
        critic: a built `Critic`, or None to leave the adversarial loss out.
        features: what `weights.vgg19.features` gives, or None to leave the perceptual loss out.
        weights: `losses.LossWeights`; without a transferal weight that loss is left out.
        schedule: a `Schedule`.

    Batches: dicts as `data.batches` gives: the network's inputs, `hr`, and `epsilon`
    [B, critic_steps], which mixes pictures for the gradient penalty.
    """

    def __init__(
        self,
        generator: Network,
        critic: keras.Model | None = None,
        features: keras.layers.Layer | None = None,
        *,
        weights: losses.LossWeights = losses.PUBLISHED,
        schedule: Schedule = PUBLISHED,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.generator, self.critic, self.features = generator, critic, features
        self.loss_weights, self.schedule = weights, schedule
        self.loss_scale = LossScale() if generator.compute_dtype == "float16" else None
        self.built = True

    def compile(self, backbone_optimizer, extractor_optimizer, critic_optimizer=None):
        """Sets the optimizers, and creates their variables: call it in the strategy's scope."""
        super().compile(jit_compile=False)  # XLA takes minutes for this graph
        self.backbone_optimizer = backbone_optimizer
        self.extractor_optimizer = extractor_optimizer
        self.critic_optimizer = critic_optimizer
        for optimizer, variables in self._parts().values():
            optimizer.build(variables)
        if self.critic:
            critic_optimizer.build(self.critic.trainable_variables)

    def call(self, inputs):
        return self.generator(inputs)

    @contextlib.contextmanager
    def averaged(self):
        """The generator with its averaged weights, where the optimizers keep such (`use_ema`)."""
        if not self.backbone_optimizer.use_ema:
            yield
            return
        weights = self.generator.get_weights()
        for optimizer, variables in self._parts().values():
            optimizer.finalize_variable_values(variables)
        try:
            yield
        finally:
            self.generator.set_weights(weights)

    def train_step(self, batch):
        """One step of the schedule, for `fit`: a dict of losses; those that wait are 0."""
        waiting = {name: tf.constant(0.0) for name in self.reported}
        return tf.cond(
            self.backbone_optimizer.iterations < self.schedule.pretrain_steps,
            lambda: {**waiting, **self.pretrain_step(batch)},
            lambda: self.full_step(batch),
        )

    def pretrain_step(self, batch):
        """A step with the reconstruction loss; a dict of this replica's share of every number."""
        return self._train_generator(batch, ["reconstruction"])

    def full_step(self, batch):
        """A step with all losses; a dict of this replica's share of every number."""
        report = {}

        def critic_learns(sr):
            for i in range(self.schedule.critic_steps):
                report.update(self._train_critic(batch["hr"], sr, batch["epsilon"][:, i]))

        first = critic_learns if self.critic else None
        return self._train_generator(batch, self._used_losses(), first) | report

    @property
    def reported(self):
        """Names of the numbers that `full_step` returns."""
        norms = [f"norm/{part}" for part in self._parts()]
        return [*self._used_losses(), *norms, *(_OF_CRITIC if self.critic else [])]

    def _used_losses(self):
        """Names of the generator's losses."""
        wanted = {
            "reconstruction": True,
            "perceptual": self.features,
            "transferal": self.loss_weights.transferal,
            "adversarial": self.critic,
        }
        return [name for name, used in wanted.items() if used]

    def _value(self, name, hr, outputs):
        sr = outputs["sr"]
        if name == "reconstruction":
            return losses.reconstruction(hr, sr)
        if name == "perceptual":
            return losses.perceptual(self.features(hr)[0], self.features(sr)[0])
        if name == "adversarial":
            return losses.adversarial(self.critic(sr))
        weighed = self.loss_weights.weigh_by_confidence
        return self.generator.texture_loss(outputs, sr, weighed)

    def _train_generator(self, batch, names, critic_learns=None):
        scale = self.loss_scale.factor if self.loss_scale else 1.0

        def losses_of(hr, outputs):
            found = [self._value(name, hr, outputs) for name in names]
            weights = [getattr(self.loss_weights, name) * scale for name in names]
            return tf.add_n([w * loss for w, loss in zip(weights, found, strict=True)]), found

        gradients, found = of_losses(
            self.generator,
            batch,
            losses_of,
            num_losses=len(names),
            micro_batch_size=self.schedule.micro_batch_size,
            critic_learns=critic_learns,
        )
        gradients = distribution.averaged(gradients)
        if self.loss_scale:
            gradients = self.loss_scale.unscaled(gradients)
        gradients = clipped(gradients, self.schedule.global_clipnorm)
        found_for = dict(zip(map(id, self.generator.trainable_variables), gradients, strict=True))
        report = dict(zip(names, found, strict=True))
        for part, (optimizer, variables) in self._parts().items():
            of_part = [found_for[id(v)] for v in variables]
            distribution.apply(optimizer, of_part, variables)
            report[f"norm/{part}"] = tf.linalg.global_norm(of_part)
        return distribution.shares(report)

    def _train_critic(self, hr, sr, epsilon):
        sr = tf.stop_gradient(tf.cast(sr, tf.float32))
        variables = self.critic.trainable_variables
        with tf.GradientTape() as tape:
            found = {
                "critic": losses.critic(self.critic(hr), self.critic(sr)),
                "gradient_penalty": losses.gradient_penalty(self.critic, hr, sr, epsilon=epsilon),
            }
            loss = found["critic"] + losses.PENALTY_WEIGHT * found["gradient_penalty"]
        gradients = distribution.averaged(tape.gradient(loss, variables))
        gradients = clipped(gradients, self.schedule.global_clipnorm)
        distribution.apply(self.critic_optimizer, gradients, variables)
        return distribution.shares({**found, "norm/critic": tf.linalg.global_norm(gradients)})

    def _parts(self):
        """The generator's optimizers and what each trains: its backbone, and its texture extractor
        unless that is frozen.
        """
        extractor = self.generator.texture_extractor.trainable_variables
        taken = {id(v) for v in extractor}
        backbone = [v for v in self.generator.trainable_variables if id(v) not in taken]
        parts = {"backbone": (self.backbone_optimizer, backbone)}
        return parts | ({"extractor": (self.extractor_optimizer, extractor)} if extractor else {})
