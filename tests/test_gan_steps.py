"""How a step is made, with networks of one convolution: weights, parts, replicas, averages."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from gans import RATES, batch, changes, compiled, mirrored  # noqa: F401
from one_convolution import OneConvolution, OneConvolutionCritic

from ttsr_tf import layers
from ttsr_tf.training.gan import GAN
from ttsr_tf.training.losses import PUBLISHED, LossWeights
from ttsr_tf.training.optimizers import Adam
from ttsr_tf.training.schedule import Schedule
from ttsr_tf.weights.initial import initialise

ROUGH = 1e-5  # an epsilon; by 1e-8 the rounding of gradients near zero would become whole steps


def _gan(epsilon=1e-8, weights=PUBLISHED, **schedule):
    return compiled(OneConvolution(), OneConvolutionCritic(), weights, schedule, epsilon)


class Recorder(keras.optimizers.SGD):
    """Applies nothing."""

    def __init__(self):
        super().__init__()
        self.gradients = []

    def apply_gradients(self, pairs):
        self.gradients += [gradient for gradient, _ in pairs]


def test_every_loss_has_its_weight(batch):
    """What is applied is the weighed sum of what is applied for each loss alone."""

    def applied(*weights):
        generator, critic = OneConvolution(), OneConvolutionCritic()
        for seed, network in enumerate((generator, critic)):
            network.build()
            initialise(network, seed)
        features = layers.VGG19(["relu1_1"], trainable=False)
        features.build((None, None, None, 3))
        initialise(features, 2)
        schedule = Schedule(critic_steps=0)  # the critic stays the same
        gan = GAN(generator, critic, features, weights=LossWeights(*weights), schedule=schedule)
        recorders = Recorder(), Recorder()
        gan.compile(*recorders, Adam())
        gan.full_step(batch)
        return [g.numpy() for recorder in recorders for g in recorder.gradients]

    weights = 0.5, 0.03, 2.0, 0.2
    # Without a weight the transferal loss is left out, which is another path of the code.
    alone = [applied(*row) for row in np.where(np.eye(4, dtype=bool), 1.0, 0.0)]
    for of_all, *parts in zip(applied(*weights), *alone, strict=True):
        assert all(np.abs(part).max() > 0 for part in parts)
        expected = sum(w * part for w, part in zip(weights, parts, strict=True))
        np.testing.assert_allclose(of_all, expected, atol=1e-5 * np.abs(expected).max())


def test_losses_without_a_weight_are_left_out(batch):
    gan = GAN(_gan().generator, weights=LossWeights(transferal=0))
    gan.compile(Adam(), Adam())
    report = gan.full_step(batch)
    assert (
        set(report)
        == set(gan.reported)
        == {
            "reconstruction",
            "norm/backbone",
            "norm/extractor",
        }
    )


def test_gradients_are_clipped_together(batch):
    free, clipped = _gan(), _gan(global_clipnorm=0.01)
    free, clipped = (
        {name: float(value) for name, value in gan.full_step(batch).items()}
        for gan in (free, clipped)
    )
    norm, of_clipped = (
        np.hypot(report["norm/backbone"], report["norm/extractor"]) for report in (free, clipped)
    )
    assert norm > 0.02
    assert of_clipped == pytest.approx(0.01, rel=1e-4)
    ratio = clipped["norm/extractor"] / clipped["norm/backbone"]
    # The second critic step of the two differs, so the gradients do, a little.
    assert ratio == pytest.approx(free["norm/extractor"] / free["norm/backbone"], rel=0.01)
    assert clipped["norm/critic"] <= 0.01 * 1.0001


def test_parts_of_a_batch_make_the_same_step(batch):
    whole, parts = _gan(ROUGH), _gan(ROUGH, micro_batch_size=3)  # and then one
    reports = [
        {k: float(v) for k, v in tf.function(gan.full_step, autograph=False)(batch).items()}
        for gan in (whole, parts)
    ]
    assert reports[1] == pytest.approx(reports[0], rel=1e-4)
    for a, b in zip(whole.generator.get_weights(), parts.generator.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_frozen_extractor_stays(batch):
    gan = _gan()
    gan.generator.texture_extractor.trainable = False
    gan.compile(Adam(RATES["backbone"]), None, Adam(RATES["critic"]))
    report, changed = changes(gan, gan.full_step, batch)
    assert set(report) == set(gan.reported)
    assert "norm/extractor" not in report
    assert changed["backbone"] == pytest.approx(RATES["backbone"], rel=1e-3)
    assert changed["extractor"] == 0


def test_averaged_weights_are_lent(batch):
    gan = _gan()
    gan.compile(Adam(1e-3, use_ema=True, ema_momentum=0.75), Adam(1e-3, use_ema=True), Adam())
    steps = []
    for _ in range(2):
        gan.pretrain_step(batch)
        steps.append(gan.generator.convolution.get_weights()[0])
    with gan.averaged():
        averaged = gan.generator.convolution.get_weights()[0]
    # The first step's weights start the average.
    np.testing.assert_allclose(averaged, 0.75 * steps[0] + 0.25 * steps[1], atol=1e-7)
    np.testing.assert_array_equal(gan.generator.convolution.get_weights()[0], steps[1])
    with pytest.raises(KeyboardInterrupt), gan.averaged():
        raise KeyboardInterrupt
    np.testing.assert_array_equal(gan.generator.convolution.get_weights()[0], steps[1])


def test_fit_follows_the_schedule(batch):
    gan = _gan(pretrain_steps=2)
    batches = tf.data.Dataset.from_tensors(batch).repeat(3)
    history = gan.fit(batches, steps_per_epoch=1, epochs=3, verbose=0, shuffle=False).history
    assert set(history) == set(gan.reported)
    assert history["critic"][:2] == [0, 0] != history["critic"][2]
    assert int(gan.critic_optimizer.iterations) == 2
    assert history["reconstruction"][2] < history["reconstruction"][0]


def test_two_replicas_are_as_one(batch):
    def trained(strategy):
        with strategy.scope():
            gan = _gan(ROUGH, global_clipnorm=0.05)
        batches = tf.data.Dataset.from_tensors(batch).unbatch().batch(4).repeat(2)
        step = tf.function(gan.full_step, autograph=False)
        for part in strategy.experimental_distribute_dataset(batches):
            reports = strategy.run(step, args=(part,))
        report = strategy.reduce("MEAN", reports, axis=None)
        return {k: float(v) for k, v in report.items()}, gan

    one = trained(tf.distribute.get_strategy())
    two = trained(mirrored(2))
    assert two[0] == pytest.approx(one[0], rel=1e-3)
    for part in ("generator", "critic"):
        a, b = (getattr(gan, part).get_weights() for _, gan in (one, two))
        difference = max(np.abs(x - y).max() for x, y in zip(a, b, strict=True))
        assert difference < 1e-5, part
