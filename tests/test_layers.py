"""The contract that every layer keeps."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from ttsr_tf import InputError, layers

B, H, W, C = 2, 6, 10, 8


def maps(*shapes):
    rng = np.random.default_rng(3)
    return [tf.constant(rng.standard_normal(shape), tf.float32) for shape in shapes]


def index(height, width, positions):
    return tf.constant(np.random.default_rng(4).integers(positions, size=(B, height, width)))


CASES = {
    "Alignment": ({}, lambda: [*maps((B, H, W, 48), (B, 5, 7, 48)), index(H, W, 5 * 7)]),
    "Convolution": (
        {"filters": 5, "strides": 2, "activation": "relu"},
        lambda: maps((B, H, W, C))[0],
    ),
    "CrossScaleIntegration": (
        {"filters": C, "num_scales": 3},
        lambda: maps(*[(B, s * H, s * W, C) for s in (1, 2, 4)]),
    ),
    "Downsample": ({"filters": 5, "factor": 4}, lambda: maps((B, 4 * H, 4 * W, C))[0]),
    "Relevance": (
        {"matching": "patches", "matching_memory_mb": 64, "padding": "valid"},
        lambda: maps((B, H, W, C), (B, 5, 7, C)),
    ),
    "ResidualBlock": ({"filters": C}, lambda: maps((B, H, W, C))[0]),
    "ResidualStack": ({"filters": C, "num_blocks": 2}, lambda: maps((B, H, W, C))[0]),
    "ShiftedTransfer": (
        {"scale": 2},
        lambda: [*maps((B, 8, 14, C)), index(H, W, 25 * 4 * 7)],
    ),
    "SoftFusion": ({"filters": C}, lambda: maps((B, H, W, C), (B, H, W, 5), (B, H, W, 1))),
    "SubPixelUpsample": ({"filters": 5}, lambda: maps((B, H, W, C))[0]),
    "Transfer": (
        {"scale": 2, "padding": "valid"},
        lambda: [*maps((B, 8, 14, C)), index(H, W, 4 * 7)],
    ),
    "Upsample": ({"filters": 5, "factor": 4}, lambda: maps((B, H, W, C))[0]),
    "VGG19": (
        {"cuts": ("relu3_2", "relu1_1", "relu2_1"), "mean": (0.1, 0.2, 0.3), "transposed": True},
        lambda: maps((B, 4 * H, 4 * W, 3))[0],
    ),
}


def shapes(structure):
    return tf.nest.map_structure(lambda x: tuple(x.shape), structure)


def test_no_layer_is_left_out():
    classes = {name for name in layers.__all__ if inspect.isclass(getattr(layers, name))}
    assert classes == set(CASES)


@pytest.fixture(params=CASES)
def case(request):
    arguments, inputs = CASES[request.param]
    return getattr(layers, request.param), arguments, inputs()


def test_config_round_trip(case):
    cls, arguments, inputs = case
    layer = cls(**arguments, name="mine")
    again = cls.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    for name, value in arguments.items():
        assert getattr(again, name) == value
    layer(inputs), again(inputs)
    again.set_weights(layer.get_weights())
    for a, b in zip(tf.nest.flatten(layer(inputs)), tf.nest.flatten(again(inputs)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_symbolic_shape_is_eager_shape(case):
    cls, arguments, inputs = case
    layer = cls(**arguments)
    eager = shapes(layer(inputs))
    assert layer.compute_output_shape(shapes(inputs)) == eager
    symbolic = tf.nest.map_structure(
        lambda x: keras.Input(x.shape[1:], x.shape[0], dtype=x.dtype.name), inputs
    )
    assert shapes(layer(symbolic)) == eager


def test_unknown_height_and_width_are_not_retraced(case):
    cls, arguments, inputs = case
    layer = cls(**arguments)
    layer(inputs)
    signature = tf.nest.map_structure(
        lambda x: tf.TensorSpec([x.shape[0], None, None, *x.shape[3:]], x.dtype), inputs
    )
    traced = tf.function(lambda x: layer(x)).get_concrete_function(signature)
    for a, b in zip(
        tf.nest.flatten(traced(*tf.nest.flatten(inputs))),
        tf.nest.flatten(layer(inputs)),
        strict=True,
    ):
        # Graph and eager kernels may add in another order.
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def test_a_missing_batch_dimension_is_told(case):
    """TensorFlow's kernels would end the process."""
    cls, arguments, inputs = case
    layer = cls(**arguments)
    layer(inputs)
    one = tf.nest.map_structure(lambda x: x[0], inputs)
    for used in (layer, cls(**arguments)):
        with pytest.raises(ValueError, match=r"ndim|takes \[B, H, W, C\]"):
            used(one)


def test_a_functional_model_is_saved_and_loaded(case, tmp_path):
    """Without `custom_objects`, with sizes that are free."""
    cls, arguments, inputs = case
    symbolic = tf.nest.map_structure(
        lambda x: keras.Input([None, None, *x.shape[3:]], dtype=x.dtype.name), inputs
    )
    model = keras.Model(symbolic, cls(**arguments)(symbolic))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    for a, b in zip(tf.nest.flatten(model(inputs)), tf.nest.flatten(again(inputs)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_xla_can_not_do_is_declared():
    """So that Keras' `jit_compile="auto"` leaves it alone on GPUs."""
    assert not layers.Transfer(2).supports_jit and not layers.Relevance().supports_jit
    assert getattr(layers.ResidualBlock(4), "supports_jit", True)  # Keras 2 has it nowhere


def test_float16_policy(case):
    cls, arguments, inputs = case
    layer = cls(**arguments, dtype="mixed_float16")
    outputs = tf.nest.flatten(layer(inputs))
    exact = cls(**arguments)
    exact(inputs), exact.set_weights(layer.get_weights())
    exact = tf.nest.flatten(exact(inputs))
    matching = cls is layers.Relevance  # float32 whatever the policy
    for a, b in zip(outputs, exact, strict=True):
        if b.dtype.is_floating:
            assert a.dtype == (tf.float32 if matching else tf.float16)
            # Eleven bits of mantissa, through at most four layers.
            np.testing.assert_allclose(np.float32(a), b, rtol=0.02, atol=0.02)
    for variable in layer.trainable_variables:
        assert variable.dtype == "float32"


def test_gradient_reaches_every_variable_and_input(case):
    cls, arguments, inputs = case
    layer = cls(**arguments)
    layer(inputs)
    floats = [x for x in tf.nest.flatten(inputs) if x.dtype.is_floating]
    with tf.GradientTape() as tape:
        tape.watch(floats)
        outputs = [y for y in tf.nest.flatten(layer(inputs)) if y.dtype.is_floating]
        if not outputs:
            pytest.skip("gives whole numbers only, which no gradient passes")
        loss = tf.add_n([tf.reduce_sum(y * tf.cast(y, y.dtype)) for y in outputs])
    for gradient in tape.gradient(loss, [*layer.trainable_variables, *floats]):
        assert gradient is not None
        assert np.abs(gradient).max() > 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Convolution(4, kernel_size=2), "`kernel_size` must be odd, got 2"),
        (lambda: layers.Convolution(4, strides=3), "`strides` must be 1 or 2, got 3"),
        (lambda: layers.Downsample(4, 3), "`factor` must be 2 or 4, got 3"),
    ],
)
def test_what_a_layer_can_not_be(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_convolution_takes_a_list_as_concatenated(rng):
    parts = [tf.constant(rng.standard_normal((2, 5, 7, n)), tf.float32) for n in (3, 1, 4)]
    convolution = layers.Convolution(6, strides=2, activation="relu")
    given = convolution(parts)
    np.testing.assert_allclose(given, convolution(tf.concat(parts, -1)), atol=1e-6)
    assert convolution.compute_output_shape([x.shape for x in parts]) == given.shape
