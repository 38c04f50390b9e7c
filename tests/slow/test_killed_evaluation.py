"""`python -m ttsr_tf.evaluate`, killed and started again."""

import csv
import json
import signal
import subprocess
import sys
import time

import numpy as np
import pages
import PIL.Image
import pytest
from conftest import ROOT

from ttsr_tf import TTSR
from ttsr_tf.weights import checkpoints


@pytest.fixture
def place(tmp_path, rng):
    model = TTSR((1, 1, 1, 1), 4)
    model.build()
    checkpoints.save(model, str(tmp_path / "model.safetensors"))
    (tmp_path / "groups").mkdir()
    for k in range(6):
        pixels = rng.integers(256, size=(50 + k, 71, 3), dtype=np.uint8)
        PIL.Image.fromarray(pixels).save(tmp_path / f"groups/000_{k}.png")
    return tmp_path


def rows(place):
    with open(place / "out/results.csv") as file:
        return list(csv.DictReader(file))


def test_the_command_goes_on_where_it_was_killed(place, run):
    flags = [
        f"--checkpoint={place / 'model.safetensors'}",
        f"--data_dir={place / 'groups'}",
        f"--output_dir={place / 'out'}",
        "--references=levels",
    ]
    command = [sys.executable, "-m", "ttsr_tf.evaluate", *flags]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    path, start = place / "out/results.csv", time.monotonic()
    while not path.exists() or path.read_text().count("\n") < 2:
        assert process.poll() is None
        assert time.monotonic() < start + 300
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = rows(place)
    assert len(before) < 6
    with open(path, "a") as file:
        file.write("000,self,17.5")  # half a line

    # The second start does the rest, but for what can't be done.
    (place / "groups/000_5.png").write_text("not a picture")
    result = run("evaluate", *flags)
    assert result.returncode == 1
    failed, error = result.stderr.splitlines()
    assert failed.startswith("failed: 000, L5: ")
    assert failed.endswith("000_5.png is not a picture that can be read. Use PNG or JPEG.")
    assert error == "error: 1 of 6 failed and are left out; see above."
    assert f"{len(before)} rows of results.csv are there already." in result.stdout
    assert f"picture {6 - len(before)}/{6 - len(before)}" in result.stdout
    after = rows(place)
    assert after[: len(before)] == before
    assert len({(row["picture"], row["references"]) for row in after}) == len(after) == 5
    assert "| L4 | 1 |" in result.stdout
    (reason,) = pages.Page(place / "out/report.html").all("li")
    assert reason == failed.removeprefix("failed: ")
    content = json.loads((place / "out/results.json").read_text())
    assert {r["references"] for r in content["results"]} == {"L1", "L2", "L3", "L4", "self"}
    assert [f["references"] for f in content["failed"]] == ["L5"]
    assert not list(place.glob("out/**/.*"))
