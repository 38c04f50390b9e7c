import h5py
import numpy as np
import pytest

import ttsr_tf
from ttsr_tf import TTSR
from ttsr_tf.errors import InputError
from ttsr_tf.weights import checkpoints, released

torch = pytest.importorskip("torch", reason="NOT TESTED: conversion needs ttsr-tf[convert]")
SIZES = {"num_residual_blocks": [2, 1, 1, 1], "num_features": 4}


@pytest.fixture
def model():
    model = TTSR(**SIZES)
    model.build()
    return model


@pytest.fixture
def state(model):
    """What the released program would save for this network."""
    arrays = {
        "LTE.sub_mean.weight": np.diag(1 / np.array([0.229, 0.224, 0.225]))[..., None, None],
        "LTE.sub_mean.bias": -np.array([0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225],
    }
    for name, layer in released.torch_layers(model).items():
        kernel, bias = layer.get_weights()
        if layer in (model.enlarge_x2.conv, model.enlarge_x4.conv):
            kernel = np.moveaxis(kernel.reshape(3, 3, -1, 4, 4), 3, 4).reshape(kernel.shape)
            bias = bias.reshape(4, 4).T.ravel()
        arrays[f"{name}.weight"], arrays[f"{name}.bias"] = kernel.transpose(3, 2, 0, 1), bias
    return {name: torch.tensor(array, dtype=torch.float32) for name, array in arrays.items()}


def assert_same(a, b, rtol=0.0):
    for x, y in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_allclose(x, y, rtol=rtol)


def test_saved_and_loaded(model, tmp_path):
    path = tmp_path / "model.weights.h5"
    checkpoints.save(model, str(path))
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    for place in (path, tmp_path):  # the file, or the run folder it lies in
        again = ttsr_tf.load(place)
        assert again.get_config() == model.get_config()
        assert_same(again, model)


def test_converted(model, state, run, tmp_path):
    extra = {f"LTE_copy.{i}": torch.zeros(1) for i in range(12)}
    prefixed = {f"module.{name}": x for name, x in {**state, **extra}.items()}
    torch.save(prefixed, tmp_path / "TTSR.pt")
    output = tmp_path / "t.weights.h5"
    result = run("convert", f"--torch_checkpoint={tmp_path / 'TTSR.pt'}", f"--output={output}")
    assert result.returncode == 0, result.stderr
    assert_same(ttsr_tf.load(output), model)


def test_float16(model, state, tmp_path):
    torch.save({name: x.half() for name, x in state.items()}, tmp_path / "half.pt")
    converted = released.to_model(released.read(str(tmp_path / "half.pt")))
    for x, y in zip(converted.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(x, np.float32(np.float16(y)))


def test_arrays_that_do_not_fit_are_named(state):
    state = {name: x.numpy() for name, x in state.items()}
    name = "MainNet.RB21.0.conv2.bias"

    def attempt(**changes):
        released.to_model({k: v for k, v in {**state, **changes}.items() if v is not None})

    with pytest.raises(InputError, match=f"has no array {name}"):
        attempt(**{name: None})
    with pytest.raises(InputError, match=rf"{name} must have the shape \[4\], got \[5\]"):
        attempt(**{name: np.zeros(5)})
    with pytest.raises(InputError, match=f"{name} holds numbers that are not finite"):
        attempt(**{name: np.full(4, np.nan)})
    with pytest.raises(InputError, match=r"has arrays that TTSR has not: MainNet\.more"):
        attempt(**{"MainNet.more": np.zeros(1)})
    with pytest.raises(InputError, match=r"LTE\.sub_mean"):
        attempt(**{"LTE.sub_mean.bias": np.zeros(3)})
    with pytest.raises(InputError, match="is not a TTSR network"):
        released.to_model({"conv.weight": np.zeros((1, 1, 3, 3))})


class Evil:
    def __reduce__(self):
        return print, ("code in a checkpoint was run",)


def test_a_checkpoint_can_not_run_code(tmp_path, capsys):
    torch.save({"x": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(InputError, match="must be a torch checkpoint of plain tensors"):
        released.read(str(tmp_path / "evil.pt"))
    assert capsys.readouterr().out == ""


def test_what_is_no_torch_checkpoint(tmp_path, fails):
    path = tmp_path / "text.pt"
    path.write_text("hello")
    arguments = f"--torch_checkpoint={path}", f"--output={tmp_path}/a.weights.h5"
    assert f"{path} can't be read: it must be a torch checkpoint" in fails("convert", *arguments)
    torch.save([1, 2], path)
    with pytest.raises(InputError, match="must hold a dict of tensors"):
        released.read(str(path))
    with pytest.raises(InputError, match="is not a file"):
        released.read(str(tmp_path / "none.pt"))
    assert not (tmp_path / "a.weights.h5").exists()


def test_what_is_no_checkpoint(model, tmp_path):
    with pytest.raises(InputError, match="No checkpoint at"):
        ttsr_tf.load(tmp_path)
    text = tmp_path / "text.weights.h5"
    text.write_text("hello")
    with pytest.raises(InputError, match="is not a checkpoint of ttsr-tf"):
        ttsr_tf.load(text)
    other = tmp_path / "other.weights.h5"
    model.save_weights(other)  # without its sizes
    with pytest.raises(InputError, match="is not a checkpoint of ttsr-tf"):
        ttsr_tf.load(other)
    with pytest.raises(InputError, match=r"must end in \.weights\.h5"):
        checkpoints.save(model, str(tmp_path / "model.h5"))


def test_a_damaged_file_raises(model, tmp_path):
    path = str(tmp_path / "model.weights.h5")
    checkpoints.save(model, path)
    with h5py.File(path, "a") as file:
        del file["head"]
    with pytest.raises(InputError, match="is damaged"):
        ttsr_tf.load(path)
