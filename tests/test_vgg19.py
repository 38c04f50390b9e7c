import keras
import numpy as np
import pytest
import tensorflow as tf

from ttsr_tf import layers
from ttsr_tf.errors import InputError
from ttsr_tf.weights import vgg19


@pytest.fixture
def original(tmp_path):
    """A VGG19 of random weights and the file that Keras would ship it in."""
    network = keras.applications.VGG19(include_top=False, weights=None)
    rng = np.random.default_rng(2)
    for layer in network.layers:
        if "conv" in layer.name:
            kernel, bias = layer.get_weights()
            layer.set_weights([kernel, rng.standard_normal(bias.shape)])
    path = tmp_path / "vgg19.weights.h5"
    network.save_weights(path)
    return network, str(path)


def test_folding_keeps_every_activation(original, rng):
    network, path = original
    extractor = layers.VGG19(["relu3_1", "relu2_1", "relu1_1"])
    extractor.build((None, None, None, 3))
    vgg19.initialise(extractor, path)
    rgb = rng.uniform(0, 255, size=(1, 40, 48, 3))
    oxford = tf.constant(rgb[..., ::-1] - (103.939, 116.779, 123.68), tf.float32)
    features = [network.get_layer(f"block{i}_conv1").output for i in (3, 2, 1)]
    expected = keras.Model(network.input, features)(oxford)
    ours = extractor(tf.constant(rgb / 127.5 - 1, tf.float32))
    for folded, unfolded in zip(ours, expected, strict=True):
        assert np.abs(unfolded).max() > 1
        # The border differs, as far as 12 pixels in: zeros mean grey to one and black to the other.
        side = 12 * folded.shape[1] // 40
        inner = (slice(None), slice(side, -side), slice(side, -side))
        np.testing.assert_allclose(
            57.63 * np.array(folded)[inner], np.array(unfolded)[inner], rtol=1e-4, atol=1e-3
        )


def test_with_its_own_mean_every_activation_is_kept(original, rng):
    network, path = original
    extractor = layers.VGG19(["relu2_1"], mean=layers.OXFORD_MEAN)
    extractor.build((None, None, None, 3))
    vgg19.initialise(extractor, path)
    rgb = rng.uniform(0, 255, size=(1, 12, 20, 3))
    oxford = tf.constant(rgb[..., ::-1] - (103.939, 116.779, 123.68), tf.float32)
    cut = keras.Model(network.input, network.get_layer("block2_conv1").output)
    (ours,) = extractor(tf.constant(rgb / 127.5 - 1, tf.float32))
    np.testing.assert_allclose(57.63 * np.array(ours), cut(oxford), rtol=1e-4, atol=1e-3)


def test_transposed_kernels(rng):
    """As the kernels say, height and width of each exchanged."""
    plain, transposed = (layers.VGG19(["relu2_1", "relu1_1"], transposed=t) for t in (False, True))
    for layer in (plain, transposed):
        layer.build((None, None, None, 3))
    for a, b in zip(plain.convs, transposed.convs, strict=True):
        kernel, bias = a.get_weights()
        b.set_weights([kernel.swapaxes(0, 1), bias])
    x = tf.constant(rng.uniform(-1, 1, (2, 8, 14, 3)), tf.float32)
    for a, b in zip(plain(x), transposed(x), strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_scaled_maps_match_alike(original, rng):
    _, path = original
    picture = tf.constant(rng.uniform(-1, 1, (1, 24, 32, 3)), tf.float32)
    found = []
    for scale in (1.0, 0.1):
        extractor = layers.VGG19(["relu3_1", "relu2_1", "relu1_1"])
        extractor.build((None, None, None, 3))
        vgg19.initialise(extractor, path, scale)
        found.append(extractor(picture))
    for whole, scaled in zip(*found, strict=True):
        assert np.abs(whole).max() > 0.01
        np.testing.assert_allclose(scaled, 0.1 * np.array(whole), rtol=1e-4, atol=1e-6)


def test_random_is_a_choice_and_leaves_the_extractor():
    extractor = layers.VGG19(["relu2_1"])
    extractor.build((None, None, None, 3))
    before = extractor.get_weights()
    vgg19.initialise(extractor, "random")
    for a, b in zip(before, extractor.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_that_can_not_be_had(tmp_path):
    with pytest.raises(InputError, match=r"give imagenet .*, the path of .*, or random"):
        vgg19.folded(str(tmp_path / "none.h5"))
    text = tmp_path / "text.h5"
    text.write_text("hello")
    with pytest.raises(InputError, match=r"VGG19's weights can't be had from .*text\.h5"):
        vgg19.folded(str(text))


def test_no_network_says_what_to_do(monkeypatch):
    def offline(**_):
        raise OSError("URL fetch failure")

    monkeypatch.setattr(keras.applications, "VGG19", offline)
    with pytest.raises(InputError, match=r"'imagenet' \(URL fetch failure\). Give the path of"):
        vgg19.folded("imagenet")


def test_a_map_that_is_not_there():
    with pytest.raises(InputError, match=r"`cuts` must be names such as relu3_1, got \('relu1_3',"):
        layers.VGG19(["relu1_3"])
