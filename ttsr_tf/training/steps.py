"""What a step of the published training does to the networks.

pretraining:     generator ← reconstruction (of SRNTT its single-image path, which then is frozen)
reconstruction:  generator ← reconstruction
after it:        critic    ← hr, sr, gradient penalty      critic_steps times, on the same batch
                 generator ← reconstruction, perceptual, transferal, adversarial
"""

import contextlib

import keras
import tensorflow as tf

from ttsr_tf.models import Network
from ttsr_tf.models.sizes import check_built
from ttsr_tf.training import critic_step, distribution, losses, passes
from ttsr_tf.training.gradients import clipped, of_losses
from ttsr_tf.training.judges import Judges
from ttsr_tf.training.optimizers import LossScale
from ttsr_tf.training.schedule import FULL, PRETRAIN, PUBLISHED, RECONSTRUCTION, Schedule


class Steps(keras.Model):
    """The networks and their losses; `GAN` adds the optimizers and what Keras asks for.

    Each step takes a batch and returns a dict of this replica's numbers, float32.
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
        for name, network in (("generator", generator), ("critic", critic)):
            if name == "generator" or network is not None:
                check_built(name, network)
        super().__init__(**{**kwargs, "dtype": "float32"})  # each network has its own precision
        self.generator, self.critic, self.features = generator, critic, features
        self.loss_weights, self.schedule = weights, schedule
        self.loss_scale = LossScale() if generator.compute_dtype == "float16" else None
        self._judges = Judges(generator, critic, features, weights=weights)
        self.ways = passes.with_textures(generator)
        self.built = True

    def step_of(self, phase):
        """The step of one of `schedule.PHASES`, a function of a batch."""
        return {
            PRETRAIN: self.pretrain_step,
            RECONSTRUCTION: self.reconstruction_step,
            FULL: self.full_step,
        }[phase]

    @property
    def steps_done(self):
        """How many steps the optimizers have made, an int."""
        done = distribution.number(self.backbone_optimizer.iterations) // len(self.ways)
        if self._pretrained_part():
            done += distribution.number(self.pretrained_optimizer.iterations)
        return done

    def pretrain_step(self, batch):
        """With the reconstruction loss, of what the network pretrains, otherwise of all of it."""
        if not self._pretrained_part():
            return self.reconstruction_step(batch)
        way = passes.single_image(self.generator)
        return self._train_generator(batch, ["reconstruction"], (way, self._pretrained_part()))

    def reconstruction_step(self, batch):
        """With the reconstruction loss, and that of back-projection if it is used."""
        names = self._judges.early
        return self._each_way(lambda way: self._train_generator(batch, names, way))

    def full_step(self, batch):
        """With all losses."""

        def train(way):
            report = {}

            def critic_learns(sr):
                for i in range(self.schedule.critic_steps):
                    report.update(
                        critic_step.train_critic(
                            self.critic,
                            self.critic_optimizer,
                            hr=batch["hr"],
                            sr=sr,
                            epsilon=batch["epsilon"][:, i],
                            global_clipnorm=self.schedule.global_clipnorm,
                        )
                    )

            first = critic_learns if self.critic else None
            return self._train_generator(batch, self._judges.all, way, critic_learns=first) | report

        return self._each_way(train)

    @property
    def reported(self):
        """Names of all numbers that the steps return."""
        norms = [f"norm/{part}" for part in self._parts() | self._pretrained_part()]
        return [*self._judges.all, *norms, *(critic_step.REPORTED if self.critic else [])]

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

    def _each_way(self, train):
        """The mean of what `train` reports of every use of a batch."""
        reports = [train((way, self._parts())) for way in self.ways]
        return {name: tf.add_n([r[name] for r in reports]) / len(reports) for name in reports[0]}

    def _train_generator(self, batch, names, way, *, critic_learns=None):
        scale = self.loss_scale.factor if self.loss_scale else 1.0
        outputs, parts = way
        learning = {id(v) for _, of_part in parts.values() for v in of_part}
        variables = [v for v in self.generator.trainable_variables if id(v) in learning]
        gradients, found = of_losses(
            passes.Pass(outputs, variables),
            batch,
            self._judges.losses_of(names, scale),
            num_losses=len(names),
            micro_batch_size=self.schedule.micro_batch_size,
            critic_learns=critic_learns,
        )
        gradients = distribution.averaged(gradients)
        if self.loss_scale:
            gradients = self.loss_scale.unscaled(gradients)
        gradients = clipped(gradients, self.schedule.global_clipnorm)
        found_for = dict(zip(map(id, variables), gradients, strict=True))
        report = dict(zip(names, found, strict=True))
        for part, (optimizer, of_part) in parts.items():
            slopes = [found_for[id(v)] for v in of_part]
            distribution.apply(optimizer, slopes, of_part)
            report[f"norm/{part}"] = tf.linalg.global_norm(slopes)
        return {name: tf.cast(value, tf.float32) for name, value in report.items()}

    def _parts(self):
        """The generator's optimizers and what each trains: its backbone, and its texture extractor
        unless that is frozen.
        """
        extractor = self.generator.texture_extractor.trainable_variables
        _, pretrained = self._pretrained_part().get("pretrained", (None, []))
        taken = {id(v) for v in (*extractor, *pretrained)}
        backbone = [v for v in self.generator.trainable_variables if id(v) not in taken]
        parts = {"backbone": (self.backbone_optimizer, backbone)}
        return parts | ({"extractor": (self.extractor_optimizer, extractor)} if extractor else {})

    def _pretrained_part(self):
        """What the network pretrains, likewise."""
        learns = [v for layer in self.generator.pretrained for v in layer.trainable_variables]
        return {"pretrained": (self.pretrained_optimizer, learns)} if learns else {}
