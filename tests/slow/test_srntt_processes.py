"""SRNTT behind the server's command, and through the batch's."""

import subprocess
import sys

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf
from conftest import ROOT

pytest.importorskip("ray.serve", reason="NOT TESTED: needs the extra `ray`")
from server_process import quiet_environment, started
from serving import pixels

from export import SavedModelConfig, export_saved_model
from ttsr_tf import SRNTT, load
from ttsr_tf.weights import checkpoints
from ttsr_tf.weights.initial import initialise

pytestmark = pytest.mark.xdist_group("server")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    model = SRNTT((1, 1, 1, 1), 4)
    model.build()
    initialise(model, 3)
    path = tmp_path_factory.mktemp("srntt") / "model.safetensors"
    checkpoints.save(model, str(path))
    return path


def picture(rng, height, width):
    return rng.integers(256, size=(height, width, 3), dtype=np.uint8)


def test_is_served(weights, tmp_path, rng):
    small = {"max_lr_pixels": 1600, "max_ref_pixels": 25600}
    models = tmp_path / "ttsr"
    export_saved_model(SavedModelConfig(checkpoint=weights, output_dir=models, **small))
    lr, ref = picture(rng, 13, 18), picture(rng, 30, 41)
    expected = load(weights).upscale(lr, ref)
    with started(models) as server:
        answer = server.predict(pixels(lr[None], ref[None]))
    np.testing.assert_array_equal(tf.make_ndarray(answer.outputs["sr"])[0], expected)


def test_enlarges_a_folder(weights, tmp_path, rng):
    (tmp_path / "in").mkdir()
    ref = picture(rng, 41, 50)
    pictures = {f"{i}.png": picture(rng, 14 + i, 18) for i in range(3)}
    PIL.Image.fromarray(ref).save(tmp_path / "ref.png")
    for name, lr in pictures.items():
        PIL.Image.fromarray(lr).save(tmp_path / "in" / name)
    flags = f"--checkpoint={weights}", "--input=in/*", "--ref=ref.png", "--output=out"
    result = subprocess.run(
        [sys.executable, "-m", "export.batch", *flags],
        cwd=tmp_path,
        env={**quiet_environment(), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    upscaler = load(weights)
    for name, lr in pictures.items():
        found = np.asarray(PIL.Image.open(tmp_path / "out" / name))
        np.testing.assert_array_equal(found, upscaler.upscale(lr, ref))
