"""Training as published, as a Keras model: `compile`, `fit`, `evaluate`, `save`."""

import keras

from ttsr_tf.errors import InputError
from ttsr_tf.training import fitted, rates, scores
from ttsr_tf.training.losses import LossWeights
from ttsr_tf.training.schedule import FULL, PHASES, Schedule
from ttsr_tf.training.steps import Steps

_NETWORKS = "generator", "critic", "features"


@keras.saving.register_keras_serializable("ttsr_tf")
class GAN(Steps):
    """A generator with its losses and its critic.

    `fit` goes through the schedule, under a MirroredStrategy too if this is made in its scope.
    `python -m ttsr_tf.train` runs the same steps, and adds a run's folder to go on from.

    Args:
        generator: a built network (see `ttsr_tf.models`).
        critic: a built `Critic`, or None to leave the adversarial loss out.
        features: what `weights.vgg19.features` gives, or None to leave the perceptual loss out.
        weights: `losses.LossWeights`; without a transferal weight that loss is left out.
        schedule: a `Schedule`.

    Attributes:
        ways: functions from a batch to outputs; the generator is updated once with each in a step.

    Batches: dicts as `data.batches` gives: the network's inputs, `hr`, and `epsilon`
    [B, critic_steps], which mixes pictures for the gradient penalty. Or pairs of such a dict
    without `hr`, and `hr`.

    Raises:
        InputError: a network that isn't built.
    """

    def compile(
        self,
        backbone_optimizer="adam",
        extractor_optimizer=None,
        critic_optimizer=None,
        *,
        pretrained_optimizer=None,
        metrics=None,
        run_eagerly=False,
        **others,
    ):
        """Sets the optimizers, and creates their variables.

        Args:
            backbone_optimizer: a Keras optimizer or its name, "adam" of `training.Adam`;
                `self.optimizer`, whose rate callbacks change. The others' rates follow it in ratio.
            extractor_optimizer: of the texture extractor; default: a like one with a tenth of the
                rate, as published.
            critic_optimizer, pretrained_optimizer: default: like the backbone's.
            metrics: list of metrics of `hr` and `sr` that `evaluate` reports beside reconstruction,
                PSNR and SSIM.
            run_eagerly: whether steps run without a graph.

        Raises:
            InputError: no optimizer, or one for two parts; another argument of Keras' `compile`.
        """
        fitted.refuse_other_arguments(others)
        with self.distribute_strategy.scope():
            self._set_optimizers(
                backbone_optimizer=backbone_optimizer,
                extractor_optimizer=extractor_optimizer,
                critic_optimizer=critic_optimizer,
                pretrained_optimizer=pretrained_optimizer,
            )
            super().compile(
                optimizer=self.backbone_optimizer,
                run_eagerly=run_eagerly,
                jit_compile=False,  # XLA takes minutes for this graph
            )
            self._means = {name: keras.metrics.Mean(name) for name in self.reported}
            self._added = scores.metrics(metrics)
            self._scores = scores.reported(self._added)
            self._evaluating = False

    def call(self, inputs):
        return self.generator(inputs)

    def fit(self, x=None, *args, steps_per_epoch=None, validation_data=None, **kwargs):
        """As Keras has it; `history` holds means over an epoch, 0 of what waits for its phase.

        Raises:
            InputError: data that never ends without a number of steps; averaged weights.
        """
        fitted.check_ends("x", x, steps_per_epoch=steps_per_epoch)
        validation_steps = kwargs.get("validation_steps")
        fitted.check_ends("validation_data", validation_data, validation_steps=validation_steps)
        if hasattr(self, "backbone_optimizer") and self.backbone_optimizer.use_ema:
            raise InputError(
                "`fit` can't keep averaged weights, which Keras would write into the wrong ones at "
                "its end: leave `use_ema` out, or run `python -m ttsr_tf.train` with "
                "--ema_momentum."
            )
        given = {"steps_per_epoch": steps_per_epoch, "validation_data": validation_data}
        return super().fit(x, *args, **given, **kwargs)

    def evaluate(self, *args, **kwargs):
        """As Keras has it: reconstruction loss, PSNR, SSIM, and the metrics of `compile`."""
        if args:
            fitted.check_ends("x", args[0], steps=kwargs.get("steps"))
        self._evaluating = True
        try:
            return super().evaluate(*args, **kwargs)
        finally:
            self._evaluating = False

    def make_train_function(self, force=False):
        """One function for each phase, chosen outside of the graphs: a strategy's replicas can't
        meet within a condition.
        """
        if self.train_function is not None and not force:
            return self.train_function
        functions = {}
        for phase in PHASES:
            super().make_train_function(force=True)
            functions[phase] = self.train_function

        def train(iterator):
            self._followers.follow()
            self._phase = self.schedule.phase(self.steps_done)  # when it is traced, train_step asks
            return functions[self._phase](iterator)

        self.train_function = train
        return train

    def train_step(self, data):
        """The step of the schedule's phase, for `fit`: a dict of means so far."""
        critic_steps = self.schedule.critic_steps if self.critic and self._phase == FULL else 0
        report = self.step_of(self._phase)(fitted.batch_of(data, critic_steps))
        for name, value in report.items():
            self._means[name].update_state(value)
        return {name: mean.result() for name, mean in self._means.items()}

    def test_step(self, data):
        """For `evaluate`: a dict of means so far."""
        batch = fitted.batch_of(data)
        hr, sr = batch["hr"], self.generator(batch, training=False)["sr"]
        for metric in self._scores.values():
            metric.update_state(hr, sr)
        return {name: metric.result() for name, metric in self._scores.items()}

    @property
    def metrics(self):
        """Those of what runs: of training, the means of what the steps report."""
        if not hasattr(self, "_means"):  # not compiled
            return []
        return list((self._scores if self._evaluating else self._means).values())

    def get_config(self):
        networks = {name: getattr(self, name) for name in _NETWORKS}
        return {
            "name": self.name,
            **{n: keras.saving.serialize_keras_object(x) for n, x in networks.items()},
            "weights": self.loss_weights._asdict(),
            "schedule": self.schedule._asdict(),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        for name in _NETWORKS:
            network = keras.saving.deserialize_keras_object(config[name], custom_objects)
            if network is not None and not network.built:
                network.build((None, None, None, 3))
            config[name] = network
        config["weights"] = LossWeights(**config["weights"])
        return cls(**{**config, "schedule": Schedule(**config["schedule"])})

    def get_compile_config(self):
        given = {name: getattr(self, name) for name in rates.NAMES}
        given |= {"metrics": self._added, "run_eagerly": self.run_eagerly}
        return keras.saving.serialize_keras_object(given)

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))

    def _set_optimizers(self, **given):
        used = {
            "extractor_optimizer": self.generator.texture_extractor.trainable_variables,
            "critic_optimizer": self.critic,
            "pretrained_optimizer": self.generator.pretrained,
        }
        optimizers = rates.optimizers(given, [name for name, use in used.items() if use])
        for name, optimizer in optimizers.items():
            setattr(self, name, optimizer)
        for optimizer, variables in (self._parts() | self._pretrained_part()).values():
            optimizer.build(variables)
        if self.critic:
            self.critic_optimizer.build(self.critic.trainable_variables)
        self._followers = rates.Followers(*optimizers.values())
