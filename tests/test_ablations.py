"""TTSR with parts left out, as in the paper's ablations."""

import numpy as np
import pytest
import tensorflow as tf

from ttsr_tf import TTSR, configuration, layers
from ttsr_tf.errors import InputError
from ttsr_tf.images.inputs import network_inputs
from ttsr_tf.models import TEXTURES, model_class
from ttsr_tf.training.config import TrainingConfig, check
from ttsr_tf.weights import checkpoints, files
from ttsr_tf.weights.initial import initialise

WITHOUT = {
    "cross_scale": {"cross_scale": False},
    "soft_attention": {"soft_attention": False, "cross_scale": False},
    "reference": {"reference": False, "cross_scale": False},
}


def built(num_residual_blocks=(1, 2, 1, 1), num_features=4, **options):
    model = TTSR(num_residual_blocks, num_features, **options)
    model.build()
    initialise(model, 3)
    return model


def with_weights_of(model, **options):
    """The variant with the same weights, as far as it has them."""
    variant = built(**options)
    weights = checkpoints.named_variables(model)
    for name, variable in checkpoints.named_variables(variant).items():
        if variable.shape == weights[name].shape:
            variable.assign(weights[name])
    return variant


@pytest.fixture
def inputs(rng):
    lr, ref = (rng.integers(256, size=(2, *size, 3), dtype=np.uint8) for size in ((5, 7), (24, 16)))
    return network_inputs(lr, ref)


@pytest.mark.parametrize(
    ("options", "backbone"),
    [
        ({}, 6_174_275),
        ({"cross_scale": False}, 4_118_915),
        ({"cross_scale": False, "soft_attention": False}, 4_118_915),
        # Less the three fusions, of 64 channels and the textures' each.
        (
            {"cross_scale": False, "reference": False},
            4_118_915 - sum(9 * (64 + c) * 64 + 64 for c in (256, 128, 64)),
        ),
    ],
)
def test_parameters_beside_the_papers(options, backbone):
    """It has 4.42 M without CSFI and 6.42 M with; here the texture extractor counts 555,328."""
    model = TTSR(**options)
    model.build()
    assert model.count_params() - 555_328 == backbone


def test_without_a_reference_nothing_of_it_is_used(inputs):
    model = built(reference=False)
    other = {**inputs, "ref": inputs["ref"][:, ::-1], "ref_down_up": inputs["ref_down_up"][:, ::-1]}
    found, again = model(inputs), model(other)
    np.testing.assert_array_equal(found["sr"], again["sr"])
    assert not np.array_equal(found["index"], again["index"])
    # As the whole network where what is fused adds nothing.
    known, whole = checkpoints.named_variables(model), built()
    for name, variable in checkpoints.named_variables(whole).items():
        variable.assign(known[name] if name in known else tf.zeros(variable.shape))
    np.testing.assert_allclose(whole(inputs)["sr"], found["sr"], atol=1e-6)
    assert np.abs(found["sr"]).max() < 1  # not clipped


def test_without_soft_attention_all_textures_count_alike(inputs):
    whole = built()
    hard = with_weights_of(whole, soft_attention=False)
    outputs = whole(inputs)
    textures = [outputs[name] for name in TEXTURES]
    confidence = outputs["confidence"]
    expected = whole.synthesise(inputs, textures, tf.ones_like(confidence))
    np.testing.assert_allclose(hard(inputs)["sr"], expected, atol=1e-6)
    assert np.abs(outputs["sr"] - expected).max() > 1e-3
    for name in ("confidence", "index"):
        np.testing.assert_array_equal(hard(inputs)[name], outputs[name])


def test_without_csfi_one_scale_follows_the_other(inputs):
    model = built(cross_scale=False)
    outputs = model(inputs)
    confidence, scales = (
        outputs["confidence"],
        (model.refine_1, *model.refine_12, *model.refine_124),
    )
    x = model.head(inputs["lr"])
    x = x + model.shallow(x)
    for k, (fuse, refine) in enumerate(zip(model._fusions, scales, strict=True)):
        if k:
            x = (model.enlarge_x2, model.enlarge_x4)[k - 1](x)
            confidence = layers.resize_up(outputs["confidence"], 2**k)
        x = x + fuse.conv([x, outputs[TEXTURES[k]]]) * confidence
        x = x + refine(x)
    for layer in model.tail:
        x = layer(x)
    np.testing.assert_allclose(outputs["sr"], np.clip(x, -1, 1), atol=1e-6)


@pytest.mark.parametrize("options", WITHOUT.values(), ids=WITHOUT)
def test_variants_learn_and_are_kept(options, inputs, tmp_path):
    model = built(**options)
    model.texture_extractor.trainable = model.reference
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.abs(model(inputs)["sr"] - 0.5))
    variables = model.trainable_variables
    for variable, found in zip(variables, tape.gradient(loss, variables), strict=True):
        assert found is not None and np.abs(found).max() > 0, variable.path
    path = str(tmp_path / "model.safetensors")
    checkpoints.save(model, path)
    again = checkpoints.load(path)
    assert checkpoints.arguments(again) == checkpoints.arguments(model)
    np.testing.assert_array_equal(again(inputs)["sr"], model(inputs)["sr"])
    with pytest.raises(InputError, match=r"holds TTSR with .*'cross_scale': False"):
        checkpoints.load_into(built(), path)


def test_files_of_before_are_the_published_network(tmp_path):
    model = built()
    path = str(tmp_path / "model.safetensors")
    arrays = {name: np.asarray(v) for name, v in checkpoints.named_variables(model).items()}
    sizes = {"num_residual_blocks": (1, 2, 1, 1), "num_features": 4, "residual": False}
    files.write(path, files.Header("ttsr", sizes), arrays)
    assert checkpoints.arguments(checkpoints.load(path)) == checkpoints.arguments(model)
    checkpoints.load_into(built(), path)


def test_an_extractor_that_nothing_reaches_is_told(tmp_path):
    given = {"run_dir": str(tmp_path / "run"), "dataset": "sample", "max_steps": 9}
    more = {"vgg19_weights": "random", "pretrain_steps": 9, "reference": False}
    with pytest.raises(InputError, match="`train_extractor` has nothing to learn"):
        check(TrainingConfig(**given, **more))
    check(TrainingConfig(**given, **more, train_extractor=False))


def test_every_flagfile_adds_one_part():
    names = "base", "hard_attention", "soft_attention", "extractor", "csfi", "transferal"
    whole = {"residual", "reference", "soft_attention", "cross_scale", "train_extractor"}
    parts = [
        set(),
        {"reference"},
        {"soft_attention"},
        {"train_extractor"},
        {"cross_scale"},
        {"transferal_weight"},
    ]
    there = {"residual"}
    for name, added in zip(names, parts, strict=True):
        there |= added
        given = [f"--flagfile=configs/ablation/{name}.flags", "--run_dir=x"]
        config = configuration.parse(TrainingConfig, given)
        assert {part for part in whole | parts[-1] if getattr(config, part)} == there, name
        assert not config.adversarial_weight and not config.perceptual_weight


def test_small_networks_are_about_as_large():
    sizes = []
    for name in ("ttsr", "srntt"):
        given = [f"--flagfile=configs/small/{name}.flags", "--run_dir=x"]
        config = configuration.parse(TrainingConfig, given)
        model = model_class(config.model)(**config.model_config)
        model.build()
        assert not config.train_extractor
        sizes.append(model.count_params() - 555_328)
    assert sizes == [778_723, 819_606]
