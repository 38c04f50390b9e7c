"""`python -m ttsr_tf.train` and `GAN.fit` make the same steps."""

import numpy as np
import pytest
import tensorflow as tf
from gans import mirrored
from small_trainings import config

import ttsr_tf
from ttsr_tf.data import batches, pairs
from ttsr_tf.training import run, train


@pytest.mark.parametrize("devices", [1, 2])
def test_twenty_steps_are_equal(one_convolution, tmp_path, devices):
    """On two devices the order of sums differs; Adam's epsilon is 1e-8, so that rounding of a
    gradient near zero may become a part of a step.
    """
    strategy = mirrored(2) if devices == 2 else tf.distribute.get_strategy()
    given = config(tmp_path, max_steps=20, pretrain_steps=4, validate_every=100)
    train(given, strategy=strategy)
    trained = ttsr_tf.load(tmp_path).model.get_weights()

    with strategy.scope():
        gan = run._gan(given)
    before = gan.generator.get_weights()
    loaded, _ = pairs.load(given.dataset, crop_size=given.crop_size, seed=given.seed)
    stream = batches.Stream(given.crop_size, given.batch_size, given.seed, given.critic_steps)
    gan.fit(batches.batches(loaded, stream), steps_per_epoch=10, epochs=2, verbose=0, shuffle=False)
    assert gan.steps_done == 20
    for start, a, b in zip(before, trained, gan.generator.get_weights(), strict=True):
        assert np.abs(a - start).max() > 1e-3  # of twenty steps of 1e-4 and more
        np.testing.assert_allclose(a, b, atol=0 if devices == 1 else 2e-5)
