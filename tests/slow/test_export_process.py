"""`python -m export.saved_model`, as a person runs it: killed, and run again."""

import subprocess
import sys
import time

import pytest
from conftest import ROOT

from export.package import versions


@pytest.fixture
def command(tiny_weights, tmp_path):
    flags = f"--checkpoint={tiny_weights}", f"--output_dir={tmp_path / 'ttsr'}"
    small = "--max_lr_pixels=1600", "--max_ref_pixels=25600"
    return [sys.executable, "-m", "export.saved_model", *flags, *small]


def test_killed_and_run_again(command, tmp_path):
    models = tmp_path / "ttsr"
    with subprocess.Popen(command, cwd=ROOT) as process:
        while not list(models.glob(".export-*/model/*")):
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    (left,) = models.iterdir()  # which no server takes for a version
    assert left.name.startswith(".export-")
    assert versions.numbers(str(models)) == set()

    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    assert "Equal to the checkpoint on 1 pairs of photographs, by both signatures" in result.stdout
    assert result.stdout.endswith("ttsr/1 written.\n")
    assert versions.numbers(str(models)) == {1}
    assert (models / "1/assets.extra/tf_serving_warmup_requests").stat().st_size > 0
