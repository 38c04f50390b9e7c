"""`GAN` as a Keras model: `compile`, `fit` on one device and two, callbacks, `evaluate`, files."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from gans import batch, mirrored  # noqa: F401
from one_convolution import OneConvolution, OneConvolutionCritic

from ttsr_tf import GAN, InputError, Upscaler
from ttsr_tf.images import metrics
from ttsr_tf.training.optimizers import Adam
from ttsr_tf.training.schedule import Schedule
from ttsr_tf.weights.initial import initialise


def _gan(critic=True, **schedule):
    networks = [OneConvolution(), *([OneConvolutionCritic()] if critic else [])]
    for seed, network in enumerate(networks):
        network.build()
        initialise(network, seed)
    return GAN(*networks, schedule=Schedule(**schedule))


def _repeated(batch, times):
    return tf.data.Dataset.from_tensors(batch).repeat(times)


def _rates(gan):
    optimizers = gan.optimizer, gan.extractor_optimizer, gan.critic_optimizer
    return [float(tf.convert_to_tensor(one.learning_rate)) for one in optimizers]


@pytest.mark.parametrize("devices", [1, 2])
def test_fit_goes_through_the_phases(batch, devices):
    with mirrored(devices).scope():
        gan = _gan(pretrain_steps=1, reconstruction_steps=2)
        gan.compile("sgd")
    pairs = tf.data.Dataset.from_tensors(batch).unbatch().batch(4).repeat(5)
    history = gan.fit(pairs, steps_per_epoch=1, epochs=5, verbose=0, shuffle=False).history
    assert set(history) == set(gan.reported)
    assert [value != 0 for value in history["critic"]] == [False] * 3 + [True] * 2
    assert gan.steps_done == 5


def test_sizes_that_were_not_there_are_traced_once_more(batch, monkeypatch):
    gan, traces = _gan(pretrain_steps=0), []
    gan.compile()
    full_step = gan.full_step
    monkeypatch.setattr(gan, "full_step", lambda given: traces.append(1) or full_step(given))
    for count, expected in ((4, 1), (4, 1), (2, 2), (3, 2), (1, 2)):
        part = {name: x[:count] for name, x in batch.items()}
        gan.fit(_repeated(part, 1), verbose=0, shuffle=False)
        assert len(traces) == expected


def test_adam_by_name_is_the_released_programs(batch):
    gan = _gan()
    gan.compile("adam")
    optimizers = gan.optimizer, gan.extractor_optimizer, gan.critic_optimizer
    assert [type(one) for one in optimizers] == [Adam] * 3
    assert _rates(gan) == pytest.approx([1e-3, 1e-4, 1e-3])


def test_history_holds_means(batch):
    gan, alone = (_gan(critic=False) for _ in range(2))
    gan.compile("sgd")
    alone.compile("sgd")
    history = gan.fit(_repeated(batch, 3), verbose=0, shuffle=False).history
    expected = np.mean([alone.pretrain_step(batch)["reconstruction"] for _ in range(3)])
    np.testing.assert_allclose(history["reconstruction"], [expected], rtol=1e-6)


def test_evaluate_reports_what_the_pictures_are(batch):
    gan = _gan()
    gan.compile(metrics=["mse", metrics.PSNR(test_y_channel=False, name="psnr_rgb")])
    sr, hr = gan.generator(batch)["sr"].numpy(), batch["hr"].numpy()
    other = tf.data.Dataset.from_tensors({**batch, "hr": -batch["hr"]})
    gan.evaluate(other, verbose=0)  # what must not linger
    as_pair = {name: x for name, x in batch.items() if name != "hr"}, batch["hr"]
    for data in batch, as_pair:
        found = gan.evaluate(tf.data.Dataset.from_tensors(data), verbose=0, return_dict=True)
        expected = {
            "reconstruction": np.abs(hr - sr).mean(),
            "psnr": metrics.psnr(hr, sr, value_range=(-1, 1)).numpy().mean(),
            "ssim": metrics.ssim(hr, sr, value_range=(-1, 1)).numpy().mean(),
            "psnr_rgb": (10 * np.log10(4 / ((hr - sr) ** 2).mean((1, 2, 3)))).mean(),
            "mean_squared_error": ((hr - sr) ** 2).mean(),
        }
        assert found == pytest.approx(expected, rel=1e-5)


def test_rates_follow_the_backbones_where_callbacks_change_it(batch):
    gan = _gan()
    gan.compile(Adam(1e-3), critic_optimizer=Adam(4e-3))
    assert _rates(gan) == pytest.approx([1e-3, 1e-4, 4e-3])
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    gan.fit(_repeated(batch, 1), epochs=2, verbose=0, shuffle=False, callbacks=[schedule])
    assert _rates(gan) == pytest.approx([0.25e-3, 0.25e-4, 1e-3])


def test_a_plateau_lowers_the_rate_and_psnr_stops(batch):
    gan = _gan()
    gan.compile(keras.optimizers.SGD(1e-12))  # nothing gets better
    data = _repeated(batch, 1)
    plateau = keras.callbacks.ReduceLROnPlateau("val_psnr", 0.1, 1, mode="max", min_delta=0.1)
    early = keras.callbacks.EarlyStopping("val_psnr", 0.1, 2, mode="max")
    history = gan.fit(
        data, epochs=9, validation_data=data, verbose=0, shuffle=False, callbacks=[plateau, early]
    ).history
    assert len(history["val_psnr"]) == 3
    rates = history.get("learning_rate", history.get("lr"))  # as Keras 2 calls it
    assert rates == pytest.approx([1e-12, 1e-12, 1e-13])
    assert _rates(gan)[0] == pytest.approx(1e-14)


def test_a_frozen_extractor_fits(batch):
    gan = _gan()
    gan.generator.texture_extractor.trainable = False
    gan.compile()
    before = gan.generator.texture_extractor.get_weights()
    gan.fit(_repeated(batch, 1), verbose=0, shuffle=False)
    for a, b in zip(before, gan.generator.texture_extractor.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_eager_steps_are_the_graphs(batch):
    histories = []
    for run_eagerly in (False, True):
        gan = _gan()
        gan.compile("sgd", run_eagerly=run_eagerly)
        histories.append(gan.fit(_repeated(batch, 2), verbose=0, shuffle=False).history)
    for name, values in histories[0].items():
        np.testing.assert_allclose(values, histories[1][name], rtol=1e-3, err_msg=name)


def test_a_saved_one_goes_on_as_if_nothing_had_happened(batch, tmp_path):
    path = str(tmp_path / "gan.keras")
    gan = _gan(pretrain_steps=2)
    gan.compile(Adam(1e-3), metrics=["mse"])
    keeps = keras.callbacks.ModelCheckpoint(path)
    gan.fit(_repeated(batch, 3), verbose=0, shuffle=False, callbacks=[keeps])
    objects = {"OneConvolutionCritic": OneConvolutionCritic}
    again = keras.saving.load_model(path, custom_objects=objects)
    assert again.steps_done == 3
    assert again.schedule == gan.schedule
    assert _rates(again) == _rates(gan)
    histories = [
        one.fit(
            _repeated(batch, 2),
            validation_data=_repeated(batch, 1),
            verbose=0,
            shuffle=False,
        ).history
        for one in (gan, again)
    ]
    assert histories[0] == histories[1]
    assert "val_mean_squared_error" in histories[0]
    for a, b in zip(gan.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_cant_be_a_gan():
    with pytest.raises(InputError, match="`generator` has no weights yet: call its `build"):
        GAN(OneConvolution())
    built = OneConvolution()
    built.build()
    with pytest.raises(InputError, match="`critic` has no weights yet"):
        GAN(built, OneConvolutionCritic())
    with pytest.raises(InputError, match=r"`generator` must be a network, .* got Upscaler"):
        GAN(Upscaler(built))


ONE = keras.optimizers.SGD()
DECAY = keras.optimizers.schedules.ExponentialDecay(1e-3, 10, 0.9)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"backbone_optimizer": "adamm"}, "`backbone_optimizer` must be .* \"adam\", got 'adamm'"),
        ({"backbone_optimizer": None}, "`backbone_optimizer` must be"),
        ({"critic_optimizer": 3}, "`critic_optimizer` must be a Keras optimizer"),
        (
            {"backbone_optimizer": ONE, "critic_optimizer": ONE},
            "`backbone_optimizer` and `critic_optimizer` are one object: each needs its own",
        ),
        ({"backbone_optimizer": Adam(DECAY)}, "`extractor_optimizer` must be given"),
        ({"metrics": ["psnrr"]}, "`metrics` must hold .*, got 'psnrr'"),
        ({"metrics": {"sr": "mae"}}, "`metrics` must be a list .*, got {'sr': 'mae'}"),
        ({"optimizer": "adam"}, r"`optimizer` is no argument .*\. Give `backbone_optimizer`;"),
        ({"loss": "mae"}, "`loss` is no argument .* give it `weights`"),
        ({"steps_per_execution": 2}, r"`steps_per_execution` is no argument .*\. Leave it out"),
    ],
)
def test_what_cant_be_compiled(given, message):
    with pytest.raises(InputError, match=message):
        _gan().compile(**given)


def test_what_cant_be_fitted(batch):
    gan = _gan(pretrain_steps=0)
    gan.compile()
    endless, few = _repeated(batch, None), _repeated(batch, 1)
    with pytest.raises(InputError, match="`x` never ends: give `steps_per_epoch`"):
        gan.fit(endless)
    with pytest.raises(InputError, match="`validation_data` never ends: give `validation_steps`"):
        gan.fit(few, validation_data=endless)
    with pytest.raises(InputError, match="`x` never ends: give `steps`"):
        gan.evaluate(endless)
    for left_out, message in (("hr", "no `hr`, only lr, "), ("epsilon", r"\[B, 2\]")):
        part = {name: x for name, x in batch.items() if name != left_out}
        with pytest.raises(InputError, match=message):
            gan.fit(_repeated(part, 1), verbose=0, shuffle=False)
    with pytest.raises(InputError, match="must be a dict of the network's inputs and `hr`, got"):
        gan.fit(_repeated((batch["lr"], batch["hr"]), 1), verbose=0, shuffle=False)
    gan.compile(Adam(use_ema=True))
    with pytest.raises(InputError, match="can't keep averaged weights"):
        gan.fit(few)
