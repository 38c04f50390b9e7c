"""What one step of the published networks changes, and what it doesn't."""

import numpy as np
import pytest
import tensorflow as tf
from gans import RATES, batch, changes, compiled  # noqa: F401
from kernels import kernels  # noqa: F401

from ttsr_tf import TTSR
from ttsr_tf.models.critic import Critic
from ttsr_tf.training.losses import PUBLISHED, LossWeights
from ttsr_tf.training.optimizers import LossScale


def _gan(epsilon=1e-8, weights=PUBLISHED, dtype="float32", **schedule):
    """With the published networks, small."""
    return compiled(TTSR((1, 1, 1, 1), 4, dtype=dtype), Critic(32), weights, schedule, epsilon)


def test_pretraining_leaves_the_critic_alone(batch):
    gan = _gan()
    report, changed = changes(gan, gan.pretrain_step, batch)
    assert set(report) == {"reconstruction", "norm/backbone", "norm/extractor"}
    # Adam's first step is the rate, whatever the gradient.
    assert changed["backbone"] == pytest.approx(RATES["backbone"], rel=1e-3)
    assert changed["extractor"] == pytest.approx(RATES["extractor"], rel=1e-3)
    assert changed["critic"] == 0


def test_a_full_step_trains_the_critic_twice(batch):
    gan = _gan()
    report, changed = changes(gan, gan.full_step, batch)
    assert set(report) == set(gan.reported)
    assert int(gan.critic_optimizer.iterations) == 2
    assert int(gan.backbone_optimizer.iterations) == 1
    assert changed["backbone"] == pytest.approx(RATES["backbone"], rel=1e-3)
    assert changed["extractor"] == pytest.approx(RATES["extractor"], rel=1e-3)
    # One rate, then at most sqrt((1 - 0.9²) / (1 - 0.9)) of them (β₁ = 0, β₂ = 0.9).
    assert RATES["critic"] < changed["critic"] <= 2.379 * RATES["critic"]


def test_the_generator_learns_from_the_critic_that_was_trained(batch):
    gan = _gan(weights=LossWeights(0, 0, 0, 1))
    sr = gan.generator(batch)["sr"]
    before = -gan.critic(sr).numpy().mean()
    report = gan.full_step(batch)
    after = -gan.critic(sr).numpy().mean()
    assert before != pytest.approx(after, rel=1e-4)
    assert float(report["adversarial"]) == pytest.approx(after, rel=1e-4)


@pytest.mark.parametrize(("name", "most"), [("onednn_avx512", 70), ("eigen", 85), ("onednn", 100)])
def test_the_graph_of_a_step_is_small(batch, kernels, name, most):
    """What the first step waits for is in proportion to this."""
    kernels(name)
    gan = _gan()
    step = tf.function(gan.full_step, autograph=False)
    graph = step.get_concrete_function(batch).graph
    variables = len(gan.generator.variables) + len(gan.critic.variables)
    # The optimizer's part was 40 more when it was written out, and the gradients by hand 106.
    assert len(graph.get_operations()) < most * variables


def test_float16_matches_in_float32_and_trains(batch):
    gan = _gan(dtype="mixed_float16")
    outputs = gan.generator(batch)
    assert outputs["sr"].dtype == "float32"
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
