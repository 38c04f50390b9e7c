"""`python -m export.saved_model`, as a person runs it."""

import hashlib
import json
import pathlib
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT

from export import SavedModelConfig, export_saved_model
from export.graph.serving_module import ServingModule
from export.graph.session import Session
from export.package import config as configs
from export.package import verification, versions
from ttsr_tf import InputError, load


@pytest.fixture
def command(exported, tmp_path):
    """The command line, for an empty folder ttsr in `tmp_path`."""

    def given(*flags):
        checkpoint = f"--checkpoint={exported / 'model.safetensors'}"
        output = f"--output_dir={tmp_path / 'ttsr'}"
        small = "--max_lr_pixels=1600", "--max_ref_pixels=25600"
        return [sys.executable, "-m", "export.saved_model", checkpoint, output, *small, *flags]

    return given


@pytest.fixture
def config(exported, tmp_path):
    """A `SavedModelConfig` for that folder."""

    def given(**changed):
        common = {
            "checkpoint": exported / "model.safetensors",
            "output_dir": tmp_path / "ttsr",
            "max_lr_pixels": 1600,
            "max_ref_pixels": 25600,
        }
        return SavedModelConfig(**{**common, **changed})

    return given


@pytest.fixture
def card(exported):
    path = exported / "ttsr" / "1" / "assets.extra" / "model_card.json"
    return json.loads(path.read_text(encoding="utf-8"))


def test_model_card(card, exported):
    weights = (exported / "model.safetensors").read_bytes()
    assert card["checkpoint_sha256"] == hashlib.sha256(weights).hexdigest()
    config = {"num_residual_blocks": [1, 1, 1, 1], "num_features": 4, "residual": False}
    assert card["config"] == config
    model = load(exported / "model.safetensors").model
    assert card["parameters"] == sum(np.prod(v.shape) for v in model.trainable_variables)
    assert card["smallest"] == {"lr": "3×3", "ref": "12×12"}
    assert card["most_pixels_of_one_picture"] == {"lr": 1600, "ref": 25600}
    assert card["versions"]["tensorflow"] == tf.__version__
    assert card["flags"]["output_dir"] == str(exported / "ttsr")


def test_model_card_describes_the_signatures(card, exported):
    with Session(str(exported / "ttsr" / "1")) as session:
        signatures = session.signatures
    for name, described in card["signatures"].items():
        assert set(described["inputs"]) == set(signatures[name].inputs)
        assert set(described["outputs"]) == set(signatures[name].outputs)


def test_warmup_requests(command, tmp_path):
    pytest.importorskip("tensorflow_serving", reason="NOT TESTED: needs ttsr-tf[serving]")
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

    result = subprocess.run(command("--noverify"), cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    version = tmp_path / "ttsr" / "1"
    path = version / "assets.extra" / "tf_serving_warmup_requests"
    records = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    requests = [PredictionLog.FromString(record).predict_log.request for record in records]
    assert {request.model_spec.name for request in requests} == {"ttsr"}
    signatures = [request.model_spec.signature_name for request in requests]
    assert signatures == ["serving_default", "encoded"]
    with Session(str(version)) as session:
        for request in requests:
            inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
            outputs = session.run(request.model_spec.signature_name, **inputs)
            assert all(len(output) == 1 for output in outputs.values())


@pytest.mark.parametrize(
    ("module", "mend"), [("tensorflow_serving", "`warmup`=false"), ("skimage", "`verify`=false")]
)
def test_without_the_extra(config, tmp_path, monkeypatch, module, mend):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=rf"pip install 'ttsr-tf\[serving\]'. Or give {mend}"):
        configs.check(config())
    assert not (tmp_path / "ttsr").exists()
    configs.check(config(warmup=False, verify=False))


BAD = {
    "checkpoint": ({"checkpoint": "none"}, "No checkpoint at none"),
    "output_dir": ({"output_dir": __file__}, "Can't make `output_dir`"),
    "lr": ({"max_lr_pixels": 1599}, "`max_lr_pixels`=1599: 1599 is not integer >= 1600"),
    "ref": ({"max_ref_pixels": 9}, "`max_ref_pixels`=9: 9 is not integer >= 25600"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cant_be_exported(config, name):
    changed, message = BAD[name]
    with pytest.raises(InputError, match=message):
        configs.check(config(**changed))


def test_a_difference_is_found(exported, rng):
    upscaler = load(exported / "model.safetensors")
    for variable in upscaler.model.variables:
        variable.assign(variable * 1.1)
    lr, ref = (rng.integers(256, size=(n, n + 1, 3), dtype=np.uint8) for n in (8, 20))
    with pytest.raises(InputError, match=r"removed: `sr` differs from the checkpoint's in \d"):
        verification.verify(str(exported / "ttsr" / "1"), upscaler, [(lr, ref)])


def test_a_model_that_does_not_run(exported, tmp_path, rng):
    upscaler = load(exported / "model.safetensors")
    lr, ref = (rng.integers(256, size=(n, n, 3), dtype=np.uint8) for n in (41, 20))
    with pytest.raises(InputError, match=r"doesn't run, and was removed: .*`lr` is 41×41 pixels"):
        verification.verify(str(exported / "ttsr" / "1"), upscaler, [(lr, ref)])
    with pytest.raises(InputError, match="doesn't run, and was removed: SavedModel file does not"):
        verification.verify(str(tmp_path), upscaler, [(lr, ref)])


def test_a_model_that_differs_is_removed(config, tmp_path, monkeypatch):
    right = ServingModule._enlarged

    def wrong(*given):
        sr, confidence = right(*given)
        return 255 - sr, confidence

    monkeypatch.setattr(ServingModule, "_enlarged", wrong)
    with pytest.raises(InputError, match="The exported model was removed: `sr` differs"):
        export_saved_model(config(warmup=False))
    assert not list((tmp_path / "ttsr").iterdir())


def test_killed(command, tmp_path):
    with subprocess.Popen(command("--nowarmup"), cwd=ROOT) as process:
        while not list(tmp_path.glob("ttsr/.export-*/model/*")):
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    assert all(path.name.startswith(".export-") for path in (tmp_path / "ttsr").iterdir())


def test_versions(tmp_path):
    for name in ("1", "7", ".export-x", "notes"):
        (tmp_path / name).mkdir()
    assert versions.numbers(str(tmp_path)) == {1, 7}
    with versions.aside(str(tmp_path)) as folder:
        pathlib.Path(folder).mkdir()
        assert versions.publish(folder, str(tmp_path)) == str(tmp_path / "8")
    with pytest.raises(ZeroDivisionError), versions.aside(str(tmp_path)) as folder:
        pathlib.Path(folder).mkdir()
        raise ZeroDivisionError
    assert sorted(path.name for path in tmp_path.iterdir()) == [".export-x", "1", "7", "8", "notes"]


def test_another_export_was_faster(tmp_path, monkeypatch):
    (tmp_path / "written").mkdir()
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "file").touch()
    listings = iter([[], ["1"]])
    monkeypatch.setattr(versions.os, "listdir", lambda folder: next(listings))
    assert versions.publish(str(tmp_path / "written"), str(tmp_path)) == str(tmp_path / "2")


def test_no_folder(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(InputError, match="Choose another `output_dir`"),
        versions.aside(str(tmp_path / "file")),
    ):
        pass
