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

from export import verification, versions
from export.verification import Session
from ttsr_tf.errors import InputError
from ttsr_tf.weights import checkpoints


@pytest.fixture
def command(exported, tmp_path):
    """The command line, for an empty folder ttsr in `tmp_path`."""

    def given(*flags, program=("-m", "export.saved_model")):
        checkpoint = f"--checkpoint={exported / 'model.weights.h5'}"
        output = f"--output_dir={tmp_path / 'ttsr'}"
        small = "--max_lr_pixels=1600", "--max_ref_pixels=25600"
        return [sys.executable, *program, checkpoint, output, *small, *flags]

    return given


@pytest.fixture
def fails_after(command):
    """Runs the command after a line of Python; gives the one line of error it must end with."""

    def run(line, *flags):
        program = f"from export import saved_model, graph\n{line}\n"
        program += "saved_model.cli.run(saved_model.main)"
        arguments = command(*flags, program=("-c", program))
        result = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True)
        assert result.returncode == 1
        (error,) = result.stderr.splitlines()
        return error

    return run


@pytest.fixture
def card(exported):
    path = exported / "ttsr" / "1" / "assets.extra" / "model_card.json"
    return json.loads(path.read_text(encoding="utf-8"))


def test_model_card(card, exported):
    weights = (exported / "model.weights.h5").read_bytes()
    assert card["checkpoint_sha256"] == hashlib.sha256(weights).hexdigest()
    assert card["config"] == {"num_residual_blocks": [1, 1, 1, 1], "num_features": 4}
    model = checkpoints.load(exported / "model.weights.h5")
    assert card["parameters"] == sum(np.prod(v.shape) for v in model.trainable_variables)
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


def test_without_the_extra(fails_after, tmp_path):
    error = fails_after("import sys; sys.modules['tensorflow_serving'] = None")
    assert "pip install 'ttsr-tf[serving]'. Or give --nowarmup." in error
    assert not (tmp_path / "ttsr").exists()


def test_a_difference_is_found(exported, rng):
    model = checkpoints.load(exported / "model.weights.h5")
    for variable in model.variables:
        variable.assign(variable * 1.1)
    lr, ref = (rng.integers(256, size=(n, n + 1, 3), dtype=np.uint8) for n in (8, 20))
    with pytest.raises(InputError, match=r"removed: `sr` differs from the checkpoint's in \d"):
        verification.verify(str(exported / "ttsr" / "1"), model, [(lr, ref)])


def test_a_model_that_does_not_run(exported, tmp_path, rng):
    model = checkpoints.load(exported / "model.weights.h5")
    lr, ref = (rng.integers(256, size=(n, n, 3), dtype=np.uint8) for n in (41, 20))
    with pytest.raises(InputError, match=r"doesn't run, and was removed: .*`lr` is 41×41 pixels"):
        verification.verify(str(exported / "ttsr" / "1"), model, [(lr, ref)])
    with pytest.raises(InputError, match="doesn't run, and was removed: SavedModel file does not"):
        verification.verify(str(tmp_path), model, [(lr, ref)])


def test_a_model_that_differs_is_removed(fails_after, tmp_path):
    line = (
        "right = graph.Served._enlarged\n"
        "graph.Served._enlarged = lambda *given: (255 - right(*given)[0], right(*given)[1])"
    )
    error = fails_after(line, "--nowarmup")
    assert error.startswith("error: The exported model was removed: `sr` differs")
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
        pytest.raises(InputError, match="Choose another --output_dir"),
        versions.aside(str(tmp_path / "file")),
    ):
        pass
