"""What one step changes, and what it doesn't; the same on two replicas as on one."""

import numpy as np
import pytest
import tensorflow as tf
from one_convolution import OneConvolution, OneConvolutionCritic

from ttsr_tf import TTSR, devices
from ttsr_tf.models.critic import Critic
from ttsr_tf.training.gan import GAN
from ttsr_tf.training.losses import PUBLISHED, LossWeights
from ttsr_tf.training.optimizers import Adam, LossScale
from ttsr_tf.training.schedule import Schedule
from ttsr_tf.weights.initial import initialise

RATES = {"backbone": 1e-3, "extractor": 1e-4, "critic": 1e-3}
ROUGH = 1e-5  # an epsilon; by 1e-8 the rounding of gradients near zero would become whole steps


@pytest.fixture
def batch(rng):
    sizes = {"lr": 8, "lr_up": 32, "ref": 32, "ref_down_up": 32, "hr": 32}
    made = {name: rng.uniform(-1, 1, (4, n, n, 3)) for name, n in sizes.items()}
    made["epsilon"] = rng.uniform(size=(4, 2))
    return {name: tf.constant(x, tf.float32) for name, x in made.items()}


def _gan(epsilon=1e-8, weights=PUBLISHED, dtype="float32", **schedule):
    """With the published networks, small."""
    return _compiled(TTSR((1, 1, 1, 1), 4, dtype=dtype), Critic(32), weights, schedule, epsilon)


def _small_gan(epsilon=1e-8, weights=PUBLISHED, **schedule):
    """With networks of one convolution, where they aren't the point."""
    return _compiled(OneConvolution(), OneConvolutionCritic(), weights, schedule, epsilon)


def _compiled(generator, critic, weights, schedule, epsilon):
    for seed, network in enumerate((generator, critic)):
        network.build()
        initialise(network, seed)
    gan = GAN(generator, critic, weights=weights, schedule=Schedule(**schedule))
    gan.compile(
        Adam(RATES["backbone"], epsilon=epsilon),
        Adam(RATES["extractor"], epsilon=epsilon),
        Adam(RATES["critic"], beta_1=0.0, beta_2=0.9, epsilon=epsilon),
    )
    return gan


def _changes(gan, step, batch):
    """The largest change of any weight, by part."""
    extractor = {id(v) for v in gan.generator.texture_extractor.variables}
    parts = {
        "backbone": [v for v in gan.generator.variables if id(v) not in extractor],
        "extractor": gan.generator.texture_extractor.variables,
        "critic": gan.critic.variables,
    }
    before = {name: [np.array(v) for v in variables] for name, variables in parts.items()}
    report = step(batch)
    return report, {
        name: max(np.abs(a - v).max() for a, v in zip(before[name], variables, strict=True))
        for name, variables in parts.items()
    }


def test_pretraining_leaves_the_critic_alone(batch):
    gan = _gan()
    report, changes = _changes(gan, gan.pretrain_step, batch)
    assert set(report) == {"reconstruction", "norm/backbone", "norm/extractor"}
    # Adam's first step is the rate, whatever the gradient.
    assert changes["backbone"] == pytest.approx(RATES["backbone"], rel=1e-3)
    assert changes["extractor"] == pytest.approx(RATES["extractor"], rel=1e-3)
    assert changes["critic"] == 0


def test_a_full_step_trains_the_critic_twice(batch):
    gan = _gan()
    report, changes = _changes(gan, gan.full_step, batch)
    assert set(report) == set(gan.reported)
    assert int(gan.critic_optimizer.iterations) == 2
    assert int(gan.backbone_optimizer.iterations) == 1
    assert changes["backbone"] == pytest.approx(RATES["backbone"], rel=1e-3)
    assert changes["extractor"] == pytest.approx(RATES["extractor"], rel=1e-3)
    # One rate, then at most sqrt((1 - 0.9²) / (1 - 0.9)) of them (β₁ = 0, β₂ = 0.9).
    assert RATES["critic"] < changes["critic"] <= 2.379 * RATES["critic"]


def test_the_generator_learns_from_the_critic_that_was_trained(batch):
    gan = _gan(weights=LossWeights(0, 0, 0, 1))
    sr = gan.generator(batch)["sr"]
    before = -gan.critic(sr).numpy().mean()
    report = gan.full_step(batch)
    after = -gan.critic(sr).numpy().mean()
    assert before != pytest.approx(after, rel=1e-4)
    assert float(report["adversarial"]) == pytest.approx(after, rel=1e-4)


def test_losses_without_a_weight_are_left_out(batch):
    gan = GAN(_small_gan().generator, weights=LossWeights(transferal=0))
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
    free, clipped = _small_gan(), _small_gan(global_clipnorm=0.01)
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
    whole, parts = _small_gan(ROUGH), _small_gan(ROUGH, micro_batch_size=3)  # and then one
    reports = [
        {k: float(v) for k, v in tf.function(gan.full_step, autograph=False)(batch).items()}
        for gan in (whole, parts)
    ]
    assert reports[1] == pytest.approx(reports[0], rel=1e-4)
    for a, b in zip(whole.generator.get_weights(), parts.generator.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_the_graph_of_a_step_is_small(batch, monkeypatch):
    """What the first step waits for is in proportion to this."""
    monkeypatch.setattr(devices, "has_fast_convolution_gradient", lambda: True)
    gan = _gan()
    step = tf.function(gan.full_step, autograph=False)
    graph = step.get_concrete_function(batch).graph
    variables = len(gan.generator.variables) + len(gan.critic.variables)
    # 64 a variable; the optimizer's part was 40 more when it was written out.
    assert len(graph.get_operations()) < 70 * variables


def test_a_frozen_extractor_stays(batch):
    gan = _small_gan()
    gan.generator.texture_extractor.trainable = False
    gan.compile(Adam(RATES["backbone"]), None, Adam(RATES["critic"]))
    report, changes = _changes(gan, gan.full_step, batch)
    assert set(report) == set(gan.reported)
    assert "norm/extractor" not in report
    assert changes["backbone"] == pytest.approx(RATES["backbone"], rel=1e-3)
    assert changes["extractor"] == 0


def test_averaged_weights_are_lent(batch):
    gan = _small_gan()
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


def test_fit_follows_the_schedule(batch):
    gan = _small_gan(pretrain_steps=2)
    batches = tf.data.Dataset.from_tensors(batch).repeat(3)
    history = gan.fit(batches, steps_per_epoch=1, epochs=3, verbose=0, shuffle=False).history
    assert set(history) == set(gan.reported)
    assert history["critic"][:2] == [0, 0] != history["critic"][2]
    assert int(gan.critic_optimizer.iterations) == 2
    assert history["reconstruction"][2] < history["reconstruction"][0]


def test_two_replicas_are_as_one(batch):
    def trained(strategy):
        with strategy.scope():
            gan = _small_gan(ROUGH, global_clipnorm=0.05)
        batches = tf.data.Dataset.from_tensors(batch).unbatch().batch(4).repeat(2)
        step = tf.function(gan.full_step, autograph=False)
        for part in strategy.experimental_distribute_dataset(batches):
            shares = strategy.run(step, args=(part,))
        report = strategy.reduce("SUM", shares, axis=None)
        return {k: float(v) for k, v in report.items()}, gan

    one = trained(tf.distribute.get_strategy())
    two = trained(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))
    assert two[0] == pytest.approx(one[0], rel=1e-3)
    for part in ("generator", "critic"):
        a, b = (getattr(gan, part).get_weights() for _, gan in (one, two))
        difference = max(np.abs(x - y).max() for x, y in zip(a, b, strict=True))
        assert difference < 1e-5, part


def test_float16_matches_in_float32_and_trains(batch):
    gan = _gan(dtype="mixed_float16")
    outputs = gan.generator(batch)
    assert outputs["sr"].dtype == "float16"
    assert outputs["confidence"].dtype == "float32"
    losses = [float(gan.full_step(batch)["reconstruction"]) for _ in range(4)]
    assert losses[-1] < losses[0]


def test_the_loss_scale_follows_overflow():
    scale = LossScale(initial=8.0, patience=2)
    good, bad = [tf.constant([8.0, 16.0])], [tf.constant([1.0, np.inf])]
    np.testing.assert_array_equal(scale.unscaled(good)[0], [1, 2])
    np.testing.assert_array_equal(scale.unscaled(bad)[0], [0, 0])
    assert scale.factor == 4
    scale.unscaled(good)
    scale.unscaled(good)
    assert scale.factor == 8
