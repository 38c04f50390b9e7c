"""An export: what is beside the network, what can't be exported, and that versions are whole."""

import hashlib
import json
import pathlib
import shutil
import sys

import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("tensorflow_serving", reason="NOT TESTED: needs ttsr-tf[serving]")
from export import SavedModelConfig, export_saved_model
from export.graph.limits import Limits
from export.package import config as configs
from export.package import photographs, run
from ttsr_tf import InputError, load

pytestmark = pytest.mark.xdist_group("exported")


@pytest.fixture
def config(exported, tmp_path):
    """A `SavedModelConfig` for an empty folder ttsr in `tmp_path`."""

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
    options = {"residual": False, "alignment": False, "reference": True, "soft_attention": True}
    options["cross_scale"] = True
    assert card["config"] == {"num_residual_blocks": [1, 1, 1, 1], "num_features": 4, **options}
    model = load(exported / "model.safetensors").model
    assert card["parameters"] == sum(np.prod(v.shape) for v in model.trainable_variables)
    assert card["smallest"] == {"lr": "3×3", "ref": "12×12"}
    assert card["most_pixels_of_one_picture"] == {"lr": 1600, "ref": 25600}
    assert card["versions"]["tensorflow"] == tf.__version__
    assert card["flags"]["output_dir"] == str(exported / "ttsr")


def test_model_card_describes_the_signatures(card, replica):
    signatures = replica.signatures()
    assert set(card["signatures"]) == set(signatures)
    for name, described in card["signatures"].items():
        assert set(described["inputs"]) == set(signatures[name].inputs)
        assert set(described["outputs"]) == set(signatures[name].outputs)


def test_warmup_requests(exported, replica):
    from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

    version = exported / "ttsr" / "1"
    path = version / "assets.extra" / "tf_serving_warmup_requests"
    records = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    requests = [PredictionLog.FromString(record).predict_log.request for record in records]
    assert {request.model_spec.name for request in requests} == {"ttsr"}
    signatures = [request.model_spec.signature_name for request in requests]
    assert signatures == ["serving_default", "encoded"]
    for request in requests:
        inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        outputs = replica.run(request.model_spec.signature_name, inputs)
        assert all(len(output) == 1 for output in outputs.values())


def test_photographs_are_those_that_the_limits_allow():
    (lr, ref), *others = photographs.pairs(Limits(40 * 40, 160 * 160))
    assert (lr.shape, ref.shape, others) == ((40, 40, 3), (160, 160, 3), [])
    sizes = [(lr.shape[:2], ref.shape[:2]) for lr, ref in photographs.pairs(Limits(2**16, 2**20))]
    assert sizes == [((40, 40), (160, 160)), ((47, 61), (150, 201)), ((125, 83), (500, 332))]
    assert photographs.pairs(Limits(1600, 160 * 160 - 1)) == []
    assert min(lr.std(), ref.std()) > 20  # not a flat part


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


class Other:
    """An upscaler of another network."""

    def __init__(self, model):
        self.model = model

    def upscale(self, lr, ref):
        return np.zeros((4 * lr.shape[0], 4 * lr.shape[1], 3), np.uint8)


def test_a_model_that_differs_is_removed(config, exported, exported_model, tmp_path, monkeypatch):
    def write(folder, *_, **__):
        shutil.copytree(exported / "ttsr" / "1", folder)

    monkeypatch.setattr(run, "_write", write)
    monkeypatch.setattr(run.inference, "load", lambda *_, **__: Other(exported_model.model))
    with pytest.raises(InputError, match=r"removed: `sr` differs from the checkpoint's in \d"):
        export_saved_model(config())
    assert not list((tmp_path / "ttsr").iterdir())
    assert export_saved_model(config(verify=False)) == str(tmp_path / "ttsr" / "1")


def test_says_how_many_values_are_rounded_otherwise(config, monkeypatch, capsys):
    monkeypatch.setattr(run.verification, "verify", lambda *_: 1 / 76_800)
    export_saved_model(config(warmup=False))
    said = "by both signatures, but for the rounding of 0.0013% of the values."
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("end", "raised", "message"),
    [
        (KeyboardInterrupt(), KeyboardInterrupt, "^$"),
        (OSError(28, "No space left on device"), InputError, r"Can't write to .*No space left"),
        (tf.errors.InternalError(None, None, "odd\nand more"), InputError, r"\(odd\)"),
    ],
)
def test_what_was_not_wholly_written_is_gone(config, tmp_path, monkeypatch, end, raised, message):
    def write(folder, *_, **__):
        path = pathlib.Path(folder)
        path.mkdir()
        (path / "saved_model.pb").touch()
        assert [hidden.name[:8] for hidden in (tmp_path / "ttsr").iterdir()] == [".export-"]
        raise end

    monkeypatch.setattr(run, "_write", write)
    with pytest.raises(raised, match=message):
        export_saved_model(config())
    assert not list((tmp_path / "ttsr").iterdir())
