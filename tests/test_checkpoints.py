import json
import resource

import h5py
import keras
import numpy as np
import pytest
import safetensors.numpy
import tensorflow as tf

import ttsr_tf
from ttsr_tf import TTSR, convert
from ttsr_tf.errors import InputError
from ttsr_tf.weights import checkpoints, files, released
from ttsr_tf.weights.initial import initialise

torch = pytest.importorskip("torch", reason="NOT TESTED: conversion needs ttsr-tf[convert]")
SIZES = {"num_residual_blocks": (2, 1, 1, 1), "num_features": 4}


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


def assert_same_halves(read, saved):
    for x, y in zip(read.get_weights(), saved.get_weights(), strict=True):
        assert x.dtype == np.float32
        np.testing.assert_array_equal(x, np.float32(np.float16(y)))


def test_saved_and_loaded(model, tmp_path):
    path = tmp_path / "model.safetensors"
    checkpoints.save(model, path)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    for place in (path, tmp_path):  # the file, or the run folder it lies in
        again = checkpoints.load(place)
        assert checkpoints.arguments(again) == checkpoints.arguments(model)
        assert_same(again, model)
    assert isinstance(ttsr_tf.load(path), ttsr_tf.Upscaler)


def test_a_file_is_read_without_this_package(model, tmp_path):
    path = tmp_path / "model.safetensors"
    checkpoints.save(model, str(path))
    with safetensors.safe_open(path, "np") as file:
        about = json.loads(file.metadata()["ttsr-tf"])
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    assert about["model"] == "ttsr"
    options = {"residual": False, "alignment": False, "reference": True, "soft_attention": True}
    options["cross_scale"] = True
    assert about["config"] == {"num_residual_blocks": [2, 1, 1, 1], "num_features": 4, **options}
    assert about["versions"]["tensorflow"] == tf.__version__
    assert len(arrays) == len(model.variables)
    kernel = model.refine_124[2].blocks[0].conv2.kernel
    np.testing.assert_array_equal(arrays["refine_124.2.blocks.0.conv2.kernel"], kernel)
    bias = model.exchange_124.exchanges[3].convs[0].bias
    np.testing.assert_array_equal(arrays["exchange_124.exchanges.3.convs.0.bias"], bias)


def test_equal_weights_are_equal_files(model, tmp_path):
    contents = set()
    for i in range(8):
        checkpoints.save(model, str(tmp_path / f"{i}.safetensors"))
        contents.add((tmp_path / f"{i}.safetensors").read_bytes())
    assert len(contents) == 1


def test_old_files_and_runs_are_read(model, tmp_path):
    path = tmp_path / "model.weights.h5"
    model.save_weights(path)
    with h5py.File(path, "a") as file:
        if "vgg19" in file["layers"]:  # not where Keras 2 wrote it
            file.move("layers/vgg19", "layers/texture_extractor")  # the class' name, then
        file.attrs["ttsr_tf"] = json.dumps(
            {"model": "TTSR", "config": checkpoints.arguments(model)}
        )
    for place in (path, tmp_path):
        assert_same(checkpoints.load(place), model)
    with h5py.File(path, "a") as file:
        del file["layers"]
    with pytest.raises(
        InputError, match=r"can't be read by Keras \d .*: it is damaged, or of a later"
    ):
        checkpoints.load(path)


def test_keras_saves_and_loads_weights(model, tmp_path):
    model.save_weights(tmp_path / "a.weights.h5")
    other = TTSR(**SIZES)
    other.build()
    other.load_weights(tmp_path / "a.weights.h5")
    assert_same(other, model)


def test_only_ttsr_has_its_arguments(small_checkpoint):
    assert files.read_header(str(small_checkpoint)).config == {"channels": 4}


def test_weights_of_another_network(model, tmp_path):
    checkpoints.save(model, str(tmp_path / "model.safetensors"))
    other = TTSR((1, 1, 1, 1), 4)
    other.build()
    with pytest.raises(InputError, match=r"holds TTSR with .*\(2, 1, 1, 1\).*, not TTSR with"):
        checkpoints.load_into(other, tmp_path)


def test_converted(model, state, run, tmp_path):
    extra = {f"LTE_copy.{i}": torch.zeros(1) for i in range(12)}
    prefixed = {f"module.{name}": x for name, x in {**state, **extra}.items()}
    torch.save(prefixed, tmp_path / "TTSR.pt")
    output = tmp_path / "t.safetensors"
    result = run("convert", f"--torch_checkpoint={tmp_path / 'TTSR.pt'}", f"--output={output}")
    assert result.returncode == 0, result.stderr
    assert_same(checkpoints.load(output), model)


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


def test_what_is_no_torch_checkpoint(tmp_path):
    path = tmp_path / "text.pt"
    path.write_text("hello")
    config = convert.ConvertConfig(torch_checkpoint=path, output=tmp_path / "a.safetensors")
    with pytest.raises(InputError, match=f"{path} can't be read: it must be a torch checkpoint"):
        convert.main(config)
    torch.save([1, 2], path)
    with pytest.raises(InputError, match="must hold a dict of tensors"):
        released.read(str(path))
    with pytest.raises(InputError, match="is not a file"):
        released.read(str(tmp_path / "none.pt"))
    assert not (tmp_path / "a.safetensors").exists()


def test_converted_to_half_the_size(model, tmp_path):
    checkpoints.save(model, str(tmp_path / "model.safetensors"))
    path = tmp_path / "half.safetensors"
    convert.main(convert.ConvertConfig(checkpoint=tmp_path, dtype="float16", output=path))
    assert {x.dtype for x in safetensors.numpy.load_file(path).values()} == {np.dtype("float16")}
    assert_same_halves(checkpoints.load(path), model)


def test_weights_between_two(model, tmp_path):
    paths = [tmp_path / f"{name}.safetensors" for name in "abc"]
    checkpoints.save(model, str(paths[0]))
    a = files.read(str(paths[0]))
    b = {name: array[::-1] + 1 for name, array in a.items()}
    files.write(str(paths[1]), files.read_header(str(paths[0])), b)
    given = {"checkpoint": paths[1], "between": paths[0], "share": 0.75, "output": paths[2]}
    convert.main(convert.ConvertConfig(**given))
    for name, array in files.read(str(paths[2])).items():
        np.testing.assert_allclose(array, 0.25 * a[name] + 0.75 * b[name], atol=1e-6)


def test_between_weights_of_another_network(model, tmp_path):
    path = tmp_path / "model.safetensors"
    checkpoints.save(model, str(path))
    given = {"between": "ttsr-mini", "output": tmp_path / "c.safetensors"}
    with pytest.raises(
        InputError, match=r"holds TTSR with .* not TTSR with .* Give the same sizes"
    ):
        convert.main(convert.ConvertConfig(checkpoint=path, **given))
    with pytest.raises(InputError, match="`between` goes with `checkpoint`"):
        convert.main(convert.ConvertConfig(torch_checkpoint=path, **given))
    given = {"checkpoint": path, "share": 0.5, "output": given["output"]}
    with pytest.raises(InputError, match="`share` goes with `between`"):
        convert.main(convert.ConvertConfig(**given))


@pytest.mark.parametrize("given", [{}, {"checkpoint": "ttsr-mini", "torch_checkpoint": "a.pt"}])
def test_one_thing_is_converted(given, tmp_path):
    config = convert.ConvertConfig(output=tmp_path / "a.safetensors", **given)
    with pytest.raises(InputError, match=r"^Give one of `torch_checkpoint`, `srntt_models` and"):
        convert.main(config)


def test_what_is_no_checkpoint(model, tmp_path):
    with pytest.raises(InputError, match="No checkpoint at"):
        ttsr_tf.load(tmp_path)
    for name in "text.weights.h5", "text.safetensors":
        (tmp_path / name).write_text("hello")
        with pytest.raises(InputError, match=f"{name} is not a checkpoint of ttsr-tf"):
            ttsr_tf.load(tmp_path / name)
    model.save_weights(tmp_path / "other.weights.h5")
    with pytest.raises(InputError, match=r"is what Keras' save_weights writes, without the net"):
        ttsr_tf.load(tmp_path / "other.weights.h5")
    ttsr_tf.GAN(model).save_weights(tmp_path / "others.weights.h5")
    with pytest.raises(InputError, match=r"is what Keras' save_weights writes"):
        ttsr_tf.load(tmp_path / "others.weights.h5")
    (tmp_path / "model.keras").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"is read by `keras\.saving\.load_model`"):
        ttsr_tf.load(tmp_path / "model.keras")
    safetensors.numpy.save_file({"x": np.zeros(3)}, tmp_path / "x.safetensors")
    with pytest.raises(InputError, match="is not a checkpoint of ttsr-tf"):
        ttsr_tf.load(tmp_path / "x.safetensors")
    files.write(str(tmp_path / "x.safetensors"), files.Header("srgan", {}), {"x": np.zeros(3)})
    with pytest.raises(InputError, match="holds weights of 'srgan', known are ttsr"):
        ttsr_tf.load(tmp_path / "x.safetensors")
    with pytest.raises(InputError, match=r"must end in \.safetensors"):
        checkpoints.save(model, str(tmp_path / "model.h5"))


@pytest.mark.parametrize(
    ("network", "what"),
    [(keras.Sequential(), "Sequential"), (ttsr_tf.TTSR(), r"TTSR before `build\(\)`")],
)
def test_what_is_no_network(tmp_path, network, what):
    with pytest.raises(InputError, match=rf"must be TTSR or SRNTT with its weights, got {what}\. "):
        checkpoints.save(network, tmp_path / "model.safetensors")
    assert not list(tmp_path.iterdir())


def test_arrays_that_do_not_fit_the_network_are_named(model, tmp_path):
    path = str(tmp_path / "model.safetensors")
    checkpoints.save(model, path)
    arrays = files.read(path)
    arrays["surplus.kernel"] = arrays.pop("head.kernel")
    arrays["head.bias"] = np.zeros(5, np.float32)
    files.write(path, files.read_header(path), arrays)
    with pytest.raises(InputError) as error:
        ttsr_tf.load(path)
    assert str(error.value) == (
        f"{path} doesn't fit its network: missing: head.kernel; surplus: surplus.kernel; "
        "of another shape: head.bias [5] instead of [4]. Is the file whole?"
    )


def test_half_a_file(model, tmp_path):
    path = tmp_path / "model.safetensors"
    checkpoints.save(model, str(path))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="or not a whole one"):
        ttsr_tf.load(path)


def test_a_full_disk_leaves_the_old_file(model, tmp_path):
    """As if: files can't grow beyond 64 KiB."""
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, before[1]))
    try:
        with pytest.raises(InputError, match=r"Can't write .*model\.safetensors \(File too large"):
            checkpoints.save(model, str(path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"old"


def test_new_weights_follow_from_the_seed(model):
    initialise(model, 3)
    first = {name: np.array(v) for name, v in checkpoints.named_variables(model).items()}
    initialise(model, 3)
    for name, variable in checkpoints.named_variables(model).items():
        np.testing.assert_array_equal(first[name], variable)
    initialise(model, 4)
    assert (first["head.kernel"] != np.array(model.head.kernel)).any()
    for path, fan_in in (("head", 27), ("texture_extractor.conv2_1", 9 * 64)):
        for part in ("kernel", "bias"):
            largest = np.abs(first[f"{path}.{part}"]).max()
            assert 0.5 * fan_in**-0.5 < largest <= fan_in**-0.5


def test_half_precision_on_disk(model, tmp_path):
    whole, half = tmp_path / "whole.safetensors", tmp_path / "half.safetensors"
    checkpoints.save(model, str(whole))
    checkpoints.save(model, str(half), dtype="float16")
    assert half.stat().st_size < 0.7 * whole.stat().st_size  # the rest is the header
    for name, array in safetensors.numpy.load_file(half).items():
        assert array.dtype == np.float16, name
    assert_same_halves(checkpoints.load(half), model)


def test_the_file_is_named_beside_its_array(state, tmp_path):
    del state["MainNet.RB11.0.conv1.bias"]
    torch.save(state, tmp_path / "part.pt")
    config = convert.ConvertConfig(
        torch_checkpoint=tmp_path / "part.pt", output=tmp_path / "a.safetensors"
    )
    with pytest.raises(
        InputError, match=r"part\.pt: The checkpoint has no array MainNet\.RB11\.0\.conv1\.bias"
    ):
        convert.main(config)
