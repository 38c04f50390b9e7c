"""The critic with spectral normalization: its kernels, when they are divided, what it costs."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from gans import batch, mirrored  # noqa: F401
from one_convolution import OneConvolution, OneConvolutionCritic
from small_trainings import StopAfter, assert_same, config

from ttsr_tf import GAN, InputError, compat
from ttsr_tf.models.critic import Critic
from ttsr_tf.training import train
from ttsr_tf.training.critic_step import train_critic
from ttsr_tf.training.optimizers import Adam
from ttsr_tf.weights.checkpoints import named_variables
from ttsr_tf.weights.initial import initialise


def _built(critic, seed=3):
    critic.build()
    initialise(critic, seed)
    return critic


def _values(critic):
    """Lists of kernels and vectors, in the order of the layers."""
    values = {name: np.float64(v) for name, v in named_variables(critic).items()}
    kernels = [x for name, x in values.items() if name.endswith("kernel")]
    return kernels, [x for name, x in values.items() if not name.endswith(("kernel", "bias"))]


def _normalized(kernel, u, updates):
    """By Miyato et al. 2018, algorithm 1, each step of which divides the kernel itself."""
    for _ in range(updates):
        matrix = kernel.reshape(-1, kernel.shape[-1])
        v = u @ matrix.T
        v /= np.linalg.norm(v)
        u = v @ matrix
        u /= np.linalg.norm(u)
        kernel = kernel / (v @ matrix @ u.T)
    return kernel, u


def _assert_normalized(critic, before, updates):
    pairs = zip(zip(*before, strict=True), zip(*_values(critic), strict=True), strict=True)
    for (kernel, u), found in pairs:
        for x, expected in zip(found, _normalized(kernel, u, updates), strict=True):
            # float32's sums of up to 4608 products
            np.testing.assert_allclose(x, expected, atol=2e-5 * np.abs(expected).max())


@pytest.mark.parametrize("updates", [1, 5])
def test_kernels_are_those_of_the_power_iteration(rng, updates):
    critic, pictures = _built(Critic(32, "spectral")), rng.uniform(-1, 1, (2, 32, 32, 3))
    pictures, before = pictures.astype(np.float32), _values(critic)
    assert [len(values) for values in before] == [12, 12]
    critic(pictures)
    _assert_normalized(critic, before, 0)
    for _ in range(updates):
        scores = critic(pictures, training=True)
    _assert_normalized(critic, before, updates)
    # The kernels that were divided are those that were used.
    np.testing.assert_allclose(critic(pictures), scores, rtol=1e-4)


def test_it_starts_as_the_critic_without_it():
    one, other = (_built(Critic(32, kind)) for kind in ("none", "spectral"))
    assert other.count_params() - one.count_params() == 2 * (32 + 64 + 128 + 256 + 512) + 1024 + 1
    assert len(other.trainable_variables) == len(one.trainable_variables)
    for a, b in zip(_values(one)[0], _values(other)[0], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("graph", [False, True])
def test_a_step_of_the_critic_updates_once(batch, rng, graph):
    critic, optimizer = _built(OneConvolutionCritic(32, "spectral")), keras.optimizers.SGD(0.0)
    optimizer.build(critic.trainable_variables)
    before = _values(critic)

    def step():
        return train_critic(
            critic, optimizer, hr=batch["hr"], sr=-batch["hr"], epsilon=batch["epsilon"][:, 0]
        )

    step = tf.function(step, autograph=False) if graph else step
    for updates in (1, 2, 3):
        assert float(step()["gradient_penalty"]) > 0
        _assert_normalized(critic, before, updates)


def _gan():
    gan = GAN(_built(OneConvolution(), 1), _built(OneConvolutionCritic(32, "spectral"), 2))
    rates = 1e-3, 1e-4, 1e-3
    gan.compile(*(Adam(rate, epsilon=1e-5) for rate in rates))
    return gan


def test_two_replicas_are_as_one(batch):
    values = []
    for strategy in (tf.distribute.get_strategy(), mirrored(2)):
        with strategy.scope():
            gan = _gan()
        batches = tf.data.Dataset.from_tensors(batch).unbatch().batch(4).repeat(3)
        step = tf.function(gan.full_step, autograph=False)
        for part in strategy.experimental_distribute_dataset(batches):
            strategy.run(step, args=(part,))
        values.append([x for kind in _values(gan.critic) for x in kind])
    assert np.linalg.norm(values[0][0].reshape(-1, 8), 2) == pytest.approx(1, abs=0.1)
    for a, b in zip(*values, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_file_holds_the_vectors(batch, tmp_path):
    gan = _gan()
    gan.full_step(batch)
    gan.save(tmp_path / "gan.keras")
    objects = {"OneConvolutionCritic": OneConvolutionCritic}
    again = keras.saving.load_model(tmp_path / "gan.keras", custom_objects=objects)
    assert again.critic.normalization == "spectral"
    for kinds in zip(_values(gan.critic), _values(again.critic), strict=True):
        for a, b in zip(*kinds, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_training_goes_on_with_them(one_convolution, tmp_path):
    given = {"critic_normalization": "spectral", "pretrain_steps": 1, "max_steps": 5}
    train(config(tmp_path / "whole", **given))
    assert not train(config(tmp_path / "parts", **given), stop=StopAfter(3)).done
    assert train(config(tmp_path / "parts", **given)).done
    assert_same(tmp_path / "whole", tmp_path / "parts")


def test_where_there_is_none(monkeypatch, tmp_path):
    monkeypatch.setattr(compat, "_KERAS_2", True)
    monkeypatch.setattr(compat.importlib.util, "find_spec", lambda name: None)
    message = (
        r"Spectral normalization .* needs TensorFlow Addons: pip install 'ttsr-tf\[addons\]'\."
    )
    with pytest.raises(InputError, match=message):
        Critic(32, "spectral")
    with pytest.raises(InputError, match=message):
        train(config(tmp_path, critic_normalization="spectral"))


def test_other_normalizations_are_refused():
    with pytest.raises(
        InputError, match="`normalization` must be one of none, spectral, got batch"
    ):
        Critic(32, "batch")
