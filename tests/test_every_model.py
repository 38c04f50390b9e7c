"""What is done with any network of `MODELS`: the checkpoint says which one it is."""

import json
import zlib

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from ttsr_tf import Upscaler
from ttsr_tf.evaluation import EvaluationConfig, evaluate
from ttsr_tf.images import attention, bicubic, files, inputs, metrics, warp
from ttsr_tf.models import MODELS, model_class
from ttsr_tf.weights import checkpoints
from ttsr_tf.weights.initial import initialise


@pytest.fixture(params=MODELS)
def upscaler(request):
    model = model_class(request.param)((1, 1, 1, 1), 4)
    model.build()
    initialise(model, 3)
    return Upscaler(model)


@pytest.fixture
def checkpoint(upscaler, tmp_path):
    path = str(tmp_path / "model.safetensors")
    checkpoints.save(upscaler.model, path)
    return path


def picture(rng, height, width):
    return rng.integers(256, size=(height, width, 3), dtype=np.uint8)


def test_evaluates(upscaler, checkpoint, tmp_path, rng):
    hr, ref = picture(rng, 52, 64), picture(rng, 50, 71)
    for folder, pixels in (("input", hr), ("ref", ref)):
        (tmp_path / "pairs" / folder).mkdir(parents=True)
        PIL.Image.fromarray(pixels).save(tmp_path / "pairs" / folder / "a.png")
    given = {"checkpoint": checkpoint, "data_dir": tmp_path / "pairs"}
    lr = bicubic.downscale(hr).numpy()
    for choice, refs in (("1", ref[:48, :68]), ("self", None)):
        out = tmp_path / choice
        result = evaluate(EvaluationConfig(**given, references=choice, output_dir=out))
        (row,) = result.rows
        expected = upscaler.upscale_with_attention(lr, refs)
        scores = metrics.Scores()(hr, expected["sr"])
        np.testing.assert_allclose([row.psnr, row.ssim], scores, rtol=1e-6)
        similarity = attention.similarity(expected["confidence"].mean())
        np.testing.assert_allclose(row.similarity, similarity, rtol=1e-5)
        assert json.loads((out / "results.json").read_text())["results"]


def test_evaluates_other_angles_and_pictures_of_cameras(upscaler, checkpoint, tmp_path, rng):
    hr, ref = picture(rng, 52, 64), picture(rng, 90, 71)
    for folder, pixels in (("input", hr), ("ref", ref)):
        (tmp_path / "pairs" / folder).mkdir(parents=True)
        PIL.Image.fromarray(pixels).save(tmp_path / "pairs" / folder / "a.png")
    given = {"checkpoint": checkpoint, "data_dir": tmp_path / "pairs", "seed": 3}
    how = {"reference_warp": (0, 20), "degradation": "realistic", "output_dir": tmp_path / "out"}
    result = evaluate(EvaluationConfig(**given, **how))
    assert result.failed == []
    lr = inputs.degraded(hr, "realistic", [3, zlib.crc32(b"a")]).numpy()
    for row, refs in zip(result.rows, (ref[:88, :68], warp.warped(ref, 20)), strict=True):
        expected = upscaler.upscale(lr, refs)
        np.testing.assert_allclose(row.psnr, metrics.psnr(hr, expected), rtol=1e-6)
    assert list(result.means) == ["match-1", "match-1@20"]
    content = json.loads((tmp_path / "out/results.json").read_text())
    assert [found["references"] for found in content["results"]] == list(result.means)
    assert content["protocol"]["lr"].endswith("JPEG 30–95, seed 3")
    assert "<polyline" in (tmp_path / "out/report.html").read_text("utf-8")


def test_a_saved_model_equals_it(upscaler, tmp_path, rng):
    from export.graph.limits import Limits
    from export.graph.serving_module import ServingModule
    from export.graph.session import Session

    module = ServingModule(upscaler, Limits(1600, 25600))
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, str(tmp_path / "saved"), module.signatures(), options)
    with Session(str(tmp_path / "saved")) as session:
        for lr, ref in (
            (picture(rng, 7, 12), picture(rng, 30, 25)),
            (picture(rng, 20, 13), picture(rng, 16, 41)),
        ):
            expected = upscaler.upscale_with_attention(lr, ref)
            result = session.run("serving_default", lr=lr[None], ref=ref[None])
            np.testing.assert_array_equal(result["sr"][0], expected["sr"])
            np.testing.assert_allclose(result["confidence"][0], expected["confidence"], atol=1e-5)


def test_a_worker_enlarges_with_it(upscaler, checkpoint, tmp_path, rng, worker_sets):
    pytest.importorskip("ray", reason="NOT TESTED: needs the extra `ray`")
    from export.workers.worker import Weights, Worker

    pictures = {"lr": picture(rng, 14, 18), "ref": picture(rng, 41, 50)}
    for name, pixels in pictures.items():
        PIL.Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    worker = Worker(
        weights=Weights(checkpoint, "tensorflow"), cpus=1, memory_gb=2.0, aside=str(tmp_path)
    )
    job = {name: str(tmp_path / f"{name}.png") for name in ("lr", "ref", "output")}
    assert worker(job)["reason"] == ""
    expected = upscaler.upscale(lr=pictures["lr"], references=pictures["ref"])
    np.testing.assert_array_equal(files.read(job["output"]).rgb, expected)
