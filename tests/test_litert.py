"""A network in a .tflite gives what the checkpoint gives, without TensorFlow."""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import PIL.Image
import pytest
from conftest import ROOT
from lite_networks import every_lite, small_lite  # noqa: F401

import ttsr_tf
from ttsr_tf.errors import InputError
from ttsr_tf.images import bicubic, inputs, luma, metrics, resizing
from ttsr_tf.images import files as files_of_pictures
from ttsr_tf.inference import engines, tiles
from ttsr_tf.weights import checkpoints, files, naming, tflite

pytestmark = pytest.mark.xdist_group("litert")


@pytest.fixture(scope="module")
def both(every_lite):
    """The checkpoint by TensorFlow, and the .tflite by LiteRT."""
    checkpoint, lite = every_lite
    return ttsr_tf.load(checkpoint), ttsr_tf.load(lite)


def picture(rng, height, width):
    return rng.integers(256, size=(height, width, 3), dtype=np.uint8)


def assert_alike(found, expected):
    for name in ("source", "index"):
        np.testing.assert_array_equal(found[name], expected[name])
    np.testing.assert_allclose(found["confidence"], expected["confidence"], atol=1e-5)
    # Sums in another order bring halves to either side.
    assert np.abs(np.int32(found["sr"]) - expected["sr"]).max() <= 1


@pytest.mark.parametrize("sizes", [(3, 3, 12, 12), (13, 21, 50, 71), (20, 17, 41, 30)])
def test_it_enlarges_as_the_checkpoint(both, rng, sizes):
    lr, ref = picture(rng, *sizes[:2]), picture(rng, *sizes[2:])
    expected, found = (upscaler.upscale_with_attention(lr, ref) for upscaler in both)
    assert_alike(found, expected)


def test_several_references_and_tiles(both, rng, monkeypatch):
    monkeypatch.setattr(tiles, "cut", lambda model, size, *_, **__: tiles.grid(size, 24))
    lr = picture(rng, 40, 37)
    refs = [picture(rng, 33, 24), np.tile(lr[:20], (2, 2, 1))]
    expected, found = (
        upscaler.upscale_with_attention(lr, [upscaler.encode_reference(ref) for ref in refs])
        for upscaler in both
    )
    assert set(np.unique(found["source"])) == {0, 1}
    assert_alike(found, expected)


def test_without_a_reference(both, rng):
    lr = picture(rng, 14, 19)
    if both[0].model.single_image:
        with pytest.raises(
            InputError, match=r"Without `ref` this network .* give a reference, `si"
        ):
            both[1].upscale(lr)
    how = {"single_image": bool(both[0].model.single_image)}
    expected, found = (upscaler.upscale_with_attention(lr, **how) for upscaler in both)
    assert_alike(found, expected)


def test_a_reference_of_the_other_engine_is_refused(both, rng):
    encoded = both[0].encode_reference(picture(rng, 16, 16))
    with pytest.raises(InputError, match="`references`: one was encoded by another network"):
        both[1].upscale(picture(rng, 9, 9), encoded)


def test_what_is_known_of_the_network(both):
    ours, theirs = (upscaler.model for upscaler in both)
    for name in ("value_channels", "smallest_lr", "smallest_ref", "tile_overlap"):
        assert getattr(theirs, name) == getattr(ours, name)
    for sizes in (((30, 20), [(40, 44)]), ((7, 9), [(40, 44), (12, 100)]), ((9, 7), [])):
        assert theirs.flops(*sizes) == ours.flops(*sizes)


def test_the_file_is_a_checkpoint(every_lite):
    checkpoint, lite = every_lite
    assert files.read_header(lite) == files.read_header(checkpoint)
    expected, found = files.read(checkpoint), files.read(lite)
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)
    with zipfile.ZipFile(lite) as archive:
        about = json.loads(archive.read("ttsr-tf.json"))
    assert {"model", "config", "versions", "source_sha256", "signatures"} <= about.keys()
    assert checkpoints.load(lite).count_params() == checkpoints.load(checkpoint).count_params()


def test_the_script_of_the_readme(small_lite, tmp_path, rng):
    (script,) = re.findall(
        r"```python\n([^`]*get_signature_runner.*?)```",
        (ROOT / "export" / "README.md").read_text(),
        re.DOTALL,
    )
    lr, ref = picture(rng, 13, 17), picture(rng, 30, 41)
    (tmp_path / "demo").mkdir()
    for name, pixels in (("lr", lr), ("ref", ref)):
        PIL.Image.fromarray(pixels).save(tmp_path / "demo" / f"{name}.png")
    shutil.copy(small_lite[1], tmp_path / "ttsr.tflite")
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, stderr=subprocess.PIPE)
    found = np.int32(files_of_pictures.read(tmp_path / "large.png").rgb)
    assert np.abs(found - ttsr_tf.load(small_lite[0]).upscale(lr, ref)).max() <= 1


def test_a_worker_of_a_batch(small_lite, tmp_path, rng):
    pytest.importorskip("ray", reason="NOT TESTED: needs the extra `ray`")
    from export.workers.worker import Weights, Worker

    PIL.Image.fromarray(picture(rng, 14, 18)).save(tmp_path / "lr.png")
    weights = Weights(small_lite[1], "litert")
    worker = Worker(weights=weights, cpus=1, memory_gb=2.0, aside=str(tmp_path))
    paths = {"lr": "lr.png", "ref": "lr.png", "output": "output.png"}
    job = {name: str(tmp_path / file) for name, file in paths.items()}
    assert worker(job)["reason"] == ""
    expected = ttsr_tf.load(small_lite[1]).upscale(job["lr"], job["ref"])
    np.testing.assert_array_equal(files_of_pictures.read(job["output"]).rgb, expected)


_ALONE = """
import sys
sys.modules.update(tensorflow=None, keras=None, h5py=None)  # importing them raises
import runpy
sys.argv = ["upscale", *sys.argv[1:]]
runpy.run_module("ttsr_tf.upscale", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("checkpoint", ["a file", naming.DEFAULT])
def test_upscale_imports_neither_tensorflow_nor_keras(small_lite, tmp_path, rng, checkpoint):
    rgba = rng.integers(256, size=(14, 18, 4), dtype=np.uint8)
    PIL.Image.fromarray(rgba).save(tmp_path / "lr.png")
    path = small_lite[1] if checkpoint == "a file" else checkpoint
    names = {"lr": "lr.png", "ref": "lr.png", "output": "sr.png", "attention_map": "map.png"}
    flags = [f"--{name}={tmp_path / file}" for name, file in names.items()]
    command = [sys.executable, "-c", _ALONE, *flags, f"--checkpoint={path}"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (result.returncode, result.stderr) == (0, "")
    expected = ttsr_tf.load(path, "litert").upscale(rgba, rgba)
    found = np.asarray(PIL.Image.open(tmp_path / "sr.png"))
    np.testing.assert_array_equal(found[..., :3], expected)
    np.testing.assert_array_equal(found[..., 3:], bicubic.upscale(rgba[..., 3:]))


def changed(path, place, change):
    """A copy of a .tflite whose content or entry is another."""
    copy = place / "changed.tflite"
    about, content = tflite.read(path)
    content, about = change(bytearray(content), about)
    copy.write_bytes(content)
    with zipfile.ZipFile(copy, "a") as archive:
        archive.writestr("ttsr-tf.json", json.dumps(about))
    return copy


def _flip(content, about):
    content[len(content) // 2] ^= 1
    return content, about


BROKEN = {
    "is damaged": _flip,
    r"is of format 2, and this release reads 1\. Install a later": lambda content, about: (
        content,
        {**about, "format": 2},
    ),
    r"holds weights of 'later', known are": lambda content, about: (
        content,
        {**about, "model": "later"},
    ),
}


@pytest.mark.parametrize("said", BROKEN)
def test_broken_files_in_a_line(small_lite, tmp_path, said):
    path = changed(small_lite[1], tmp_path, BROKEN[said])
    with pytest.raises(InputError, match=f"^{path} {said}") as error:
        files.read_header(str(path))
        ttsr_tf.load(path)
    assert "\n" not in str(error.value)


def test_foreign_and_cut_files_in_a_line(small_lite, tmp_path):
    foreign, cut = tmp_path / "foreign.tflite", tmp_path / "cut.tflite"
    foreign.write_bytes(tflite.read(small_lite[1])[1])
    whole = pathlib.Path(small_lite[1]).read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    for path in (foreign, cut):
        with pytest.raises(
            InputError, match=f"^{path} is not a file that `python -m export.litert"
        ):
            ttsr_tf.load(path)


def test_a_graph_of_a_later_runtime_in_a_line(small_lite, tmp_path):
    content = b"\x1c\0\0\0TFL3" + bytes(100)  # as if nothing in it were known
    about = tflite.read_about(small_lite[1])
    path = tmp_path / "late.tflite"
    tflite.write(path, about, content)
    with pytest.raises(
        InputError, match=rf"^{path} can't be run by this LiteRT \(.*\)\. Install a"
    ):
        ttsr_tf.load(path)


def test_what_computes(small_lite, monkeypatch):
    checkpoint, lite = small_lite
    assert engines.of(lite) == engines.of(naming.DEFAULT) == "litert"
    assert engines.of(checkpoint) == engines.of(lite, "tensorflow") == "tensorflow"
    assert engines.of_python(lite) == "litert"
    assert engines.of_python(naming.DEFAULT) == "tensorflow"  # a Keras model
    with pytest.raises(InputError, match=r"`engine`=litert needs a \.tflite: python -m export"):
        engines.of(checkpoint, "litert")
    there = {"tensorflow"}
    monkeypatch.setattr(engines, "_installed", lambda engine: engine in there)
    assert engines.of(lite) == "tensorflow"
    with pytest.raises(InputError, match=r"needs litert: pip install 'ttsr-tf\[litert\]'"):
        engines.of(lite, "litert")
    there = {"litert"}
    assert engines.of_python(naming.DEFAULT) == "litert"
    with pytest.raises(
        InputError, match=r"needs tensorflow: pip install tensorflow, or a \.tflite"
    ):
        engines.of(checkpoint)
    there = set()
    with pytest.raises(InputError, match=r"pip install 'ttsr-tf\[litert\]'\.$"):
        engines.of(lite)


@pytest.mark.parametrize("channels", [1, 3])
def test_resizing_is_the_bicubic(rng, channels):
    for size in ((7, 12), (97, 13), (12, 12)):
        x = rng.integers(256, size=(2, *size, channels), dtype=np.uint8)
        np.testing.assert_array_equal(resizing.upscale(x), bicubic.upscale(x))
        np.testing.assert_array_equal(resizing.downscale(x), bicubic.downscale(x))
        np.testing.assert_array_equal(resizing.blurred(x[0]), inputs.blurred(x[0]))


def test_psnr_on_y(rng):
    hr, sr = picture(rng, 7, 9), picture(rng, 7, 9)
    np.testing.assert_allclose(luma.psnr(hr, sr), metrics.psnr(hr, sr), rtol=1e-5)
