"""How SRNTT trains: its single-image path first and alone, then with two kinds of maps."""

import numpy as np
import pytest
import tensorflow as tf
from gans import RATES, batch, changes, compiled  # noqa: F401

from ttsr_tf.models import TEXTURES
from ttsr_tf.models.critic import Critic
from ttsr_tf.models.srntt import SRNTT
from ttsr_tf.training import losses
from ttsr_tf.training.losses import LossWeights

WEIGHTS = LossWeights(1.0, 0.0, 1e-4, 1e-3, back_projection=0.5)


@pytest.fixture
def gan():
    def made(weights=WEIGHTS, epsilon=1e-8, **schedule):
        gan = compiled(SRNTT((1, 1, 1, 1), 4), Critic(32), weights, schedule, epsilon)
        gan.generator.texture_extractor.trainable = False
        return gan

    return made


def ideal(model, batch):
    """What is made with the truth's own maps."""
    maps = model.texture_extractor(batch["hr"])
    return maps, model.synthesise(batch, maps, None)


def test_first_the_single_image_path_learns_alone(gan, batch):
    gan = gan()
    expected = np.abs(gan.generator.single_image(batch) - batch["hr"]).mean()
    report, changed = changes(gan, gan.pretrain_step, batch)
    assert set(report) == {"reconstruction", "norm/pretrained"}
    np.testing.assert_allclose(report["reconstruction"], expected, rtol=1e-5)
    assert changed["pretrained"] == pytest.approx(RATES["pretrained"], rel=1e-3)
    assert changed["backbone"] == changed["extractor"] == changed["critic"] == 0


def test_then_it_stays_and_the_rest_learns_from_each_batch_twice(gan, batch):
    gan = gan(epsilon=1e3)  # so large that weights hardly move between the two uses
    model = gan.generator
    pictures = [model(batch)["sr"], ideal(model, batch)[1]]
    report, changed = changes(gan, gan.reconstruction_step, batch)
    expected = np.mean([np.abs(sr - batch["hr"]).mean() for sr in pictures])
    np.testing.assert_allclose(report["reconstruction"], expected, rtol=1e-5)
    made_small = [losses.back_projection(batch["lr"], sr) for sr in pictures]
    np.testing.assert_allclose(report["back_projection"], np.mean(made_small), rtol=1e-5)
    assert set(report) == {"reconstruction", "back_projection", "norm/backbone"}
    assert int(gan.backbone_optimizer.iterations) == 2
    assert changed["backbone"] > 0
    assert changed["pretrained"] == changed["extractor"] == changed["critic"] == 0


def test_textures_are_those_of_the_maps_that_were_used(gan, batch):
    gan = gan(epsilon=1e3)
    model = gan.generator
    found = model(batch)
    maps, sr = ideal(model, batch)
    expected = [
        float(model.texture_loss(found, found["sr"])),
        float(model.texture_loss(dict(zip(TEXTURES, maps, strict=True)), sr)),
    ]
    assert expected[0] != pytest.approx(expected[1], rel=1e-2)
    report = gan.full_step(batch)
    np.testing.assert_allclose(report["transferal"], np.mean(expected), rtol=1e-4)
    assert set(report) == set(gan.reported) - {"norm/pretrained"}
    assert int(gan.critic_optimizer.iterations) == 4


def test_fit_goes_through_all_phases(gan, batch):
    gan = gan(pretrain_steps=1, reconstruction_steps=1)
    batches = tf.data.Dataset.from_tensors(batch).repeat(3)
    history = gan.fit(batches, steps_per_epoch=1, epochs=3, verbose=0, shuffle=False).history
    for name, learns in (
        ("norm/pretrained", [True, False, False]),
        ("norm/backbone", [False, True, True]),
        ("norm/critic", [False, False, True]),
    ):
        assert [value > 0 for value in history[name]] == learns, name


def test_parts_of_a_batch_make_the_same_steps(gan, batch):
    whole, parts = gan(epsilon=1e-5), gan(epsilon=1e-5, micro_batch_size=3)
    for step in "pretrain_step", "full_step":
        reports = [
            {
                k: float(v)
                for k, v in tf.function(getattr(one, step), autograph=False)(batch).items()
            }
            for one in (whole, parts)
        ]
        assert reports[1] == pytest.approx(reports[0], rel=1e-3)
    for a, b in zip(whole.generator.get_weights(), parts.generator.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
