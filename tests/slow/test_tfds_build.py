"""`tfds build`, as a person runs it: it names what is bad, which is mended, and it is run again."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

DUMMY = ROOT / "tfds_cufed5/dummy_data"


@pytest.fixture
def build(tmp_path):
    """Runs the command in two processes of Beam: exit code and output."""

    def run():
        program = pathlib.Path(sys.executable).parent / "tfds"
        beam = "direct_running_mode=multi_processing,direct_num_workers=2"
        flags = f"--data_dir={tmp_path / 'tfds'}", f"--manual_dir={tmp_path / 'data'}"
        result = subprocess.run(
            [program, "build", "tfds_cufed5", *flags, f"--beam_pipeline_options={beam}"],
            cwd=ROOT,
            env={**os.environ, "PYTHONWARNINGS": "default"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        return result.returncode, result.stdout

    return run


def test_refused_mended_and_built(build, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(DUMMY, data)
    shutil.rmtree(data / "train/input")
    (data / "test/CUFED5/000_3.png").unlink()
    code, output = build()
    assert code == 1, output
    assert "Traceback" not in output
    *_, said, first, second, mend = output.splitlines()
    assert said == "tfds_cufed5.errors.InputError: Some of the files can't be used (2):"
    assert first.endswith("train/ref has 3 pictures of `ref`, but there is no `input`")
    assert second.endswith("test/CUFED5 lacks 000_3")
    assert mend.startswith("Mend them, or leave them out: tfds build")
    assert not list(tmp_path.glob("tfds/**/1.0.0*"))

    shutil.copytree(DUMMY, data, dirs_exist_ok=True)
    code, output = build()
    assert code == 0, output
    assert f"train: 3 examples found in {data}/train/input and {data}/train/ref" in output
    assert "test: 2 examples, but 126 were published" in output
    info = json.loads((tmp_path / "tfds/tfds_cufed5/strict/1.0.0/dataset_info.json").read_text())
    assert {s["name"]: s["shardLengths"] for s in info["splits"]} == {"train": ["3"], "test": ["2"]}
