import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from ttsr_tf.training import losses


@pytest.fixture
def hr(rng):
    return rng.uniform(-1, 1, (2, 8, 12, 3)).astype(np.float32)


@pytest.fixture
def sr(rng):
    return rng.uniform(-1, 1, (2, 8, 12, 3)).astype(np.float32)


def test_reconstruction_is_the_mean_absolute_difference(hr, sr):
    np.testing.assert_allclose(losses.reconstruction(hr, sr), np.abs(hr - sr).mean(), rtol=1e-6)


def test_back_projection_makes_sr_small_as_pillow_does(rng):
    """Away from the border, where Pillow has fewer taps instead of mirrored pixels."""
    sr, lr = (rng.uniform(-1, 1, (32, 40)[:2]).astype(np.float32) for _ in range(2))
    small = np.array(PIL.Image.fromarray(sr).resize((10, 8), PIL.Image.Resampling.BICUBIC))
    wide = np.pad(sr, 8, "symmetric")
    bordered = PIL.Image.fromarray(wide).resize((14, 12), PIL.Image.Resampling.BICUBIC)
    mirrored = np.array(bordered)[2:-2, 2:-2]
    np.testing.assert_allclose(mirrored[2:-2, 2:-2], small[2:-2, 2:-2], atol=1e-6)
    assert np.abs(mirrored - small).max() > 0.01
    lr = lr[:8, :10]
    given = (tf.repeat(x[None, ..., None], 3, -1) for x in (lr, sr))
    np.testing.assert_allclose(
        losses.back_projection(*given), np.abs(lr - mirrored).mean(), rtol=1e-5
    )


def test_perceptual_is_the_mean_squared_difference(hr, sr):
    np.testing.assert_allclose(losses.perceptual(hr, sr), ((hr - sr) ** 2).mean(), rtol=1e-6)


def test_adversarial_losses_pull_apart():
    real, fake = tf.constant([[1.0], [3.0]]), tf.constant([[0.5], [-1.5]])
    assert losses.critic(real, fake) == -2.5
    assert losses.adversarial(fake) == 0.5


def test_the_penalty_of_a_linear_critic_is_known(hr, sr, rng):
    weights = rng.standard_normal(hr.shape[1:]).astype(np.float32)
    penalty = losses.gradient_penalty(lambda x: _scores(x * weights), hr, sr, epsilon=[0.2, 0.7])
    np.testing.assert_allclose(penalty, (np.linalg.norm(weights) - 1) ** 2, rtol=1e-5)


def test_the_penalty_is_taken_between_the_pictures(hr, sr):
    """The gradient of ½·x² is x itself."""
    epsilon = np.float32([0.25, 0.5])
    mix = [(1 - e) * b + e * a for a, b, e in zip(hr, sr, epsilon, strict=True)]
    expected = np.mean([(np.linalg.norm(x) - 1) ** 2 for x in mix])
    penalty = losses.gradient_penalty(lambda x: _scores(x * x / 2), hr, sr, epsilon=epsilon)
    np.testing.assert_allclose(penalty, expected, rtol=1e-5)


def test_a_critic_that_sees_nothing_has_a_finite_penalty(hr, sr):
    weight = tf.Variable(0.0)
    with tf.GradientTape() as tape:
        penalty = losses.gradient_penalty(lambda x: _scores(x * weight), hr, sr, epsilon=[0.2, 0.7])
    assert penalty == 1
    assert np.isfinite(tape.gradient(penalty, weight))


def _scores(x):
    return tf.reduce_sum(x, [1, 2, 3])[:, None]
