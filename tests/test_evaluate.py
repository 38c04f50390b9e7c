"""`python -m ttsr_tf.evaluate`, as a person runs it."""

import json

import numpy as np
import PIL.Image
import pytest

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


def test_the_command(place, run):
    (place / "groups/000_5.png").write_text("not a picture")
    result = run(
        "evaluate",
        f"--checkpoint={place / 'model.safetensors'}",
        f"--data_dir={place / 'groups'}",
        f"--output_dir={place / 'out'}",
        "--references=levels",
    )
    assert result.returncode == 1
    failed, error = result.stderr.splitlines()
    assert failed.startswith("failed: 000, L5: ")
    assert failed.endswith("000_5.png is not a picture that can be read. Use PNG or JPEG.")
    assert error == "error: 1 of 6 failed and are left out; see above."
    assert "| L4 | 1 |" in result.stdout
    content = json.loads((place / "out/results.json").read_text())
    assert {r["references"] for r in content["results"]} == {"L1", "L2", "L3", "L4", "self"}
