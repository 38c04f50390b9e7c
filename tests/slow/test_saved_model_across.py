"""SavedModels of either Keras in the other's TensorFlow, where both environments are."""

import os
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT

from export.graph.session import Session
from ttsr_tf import compat

OTHERS = {"Keras 2": ".venv", "Keras 3": ".venv-tf2.15"}  # the other's environment, of make
RUN = """
import sys
import numpy as np
from export.graph.session import Session
path, given, found = sys.argv[1:]
with Session(path) as session:
    np.savez(found, **session.run("serving_default", **np.load(given)))
"""


@pytest.fixture
def other():
    """Runs Python's arguments in the other environment."""
    python = os.environ.get("TTSR_OTHER_PYTHON") or ROOT / OTHERS[compat.GENERATION] / "bin/python"
    if not os.path.exists(python):
        pytest.skip(f"NOT TESTED: {python} is missing (make test and make test-tf2.15 set it up)")

    def run(*arguments):
        # Of its warnings the other's own tests know.
        environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
        return subprocess.run(
            [python, *map(str, arguments)], cwd=ROOT, env=environment, check=True, timeout=600
        )

    return run


def _export(run, checkpoint, folder):
    small = "--max_lr_pixels=1600", "--max_ref_pixels=25600"
    flags = f"--checkpoint={checkpoint}", f"--output_dir={folder}", "--nowarmup", "--noverify"
    run("-m", "export.saved_model", *flags, *small)
    return str(folder / "1")


def _assert_same(found, expected):
    assert expected["sr"].shape == (1, 36, 56, 3) and expected["sr"].std() > 1
    assert np.abs(np.int32(found["sr"]) - expected["sr"]).max() <= 1  # of 255, by rounding
    np.testing.assert_allclose(found["confidence"], expected["confidence"], atol=1e-5)


def test_ours_there_and_theirs_here(other, tiny_weights, pair, tmp_path):
    def here(*arguments):
        subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, timeout=600)

    inputs = {name: picture[None] for name, picture in zip(("lr", "ref"), pair, strict=True)}
    ours = _export(here, tiny_weights, tmp_path / "ours")
    theirs = _export(other, tiny_weights, tmp_path / "theirs")
    with Session(ours) as session:
        expected = session.run("serving_default", **inputs)
    with Session(theirs) as session:
        _assert_same(session.run("serving_default", **inputs), expected)
    np.savez(tmp_path / "given.npz", **inputs)
    other("-c", RUN, ours, tmp_path / "given.npz", tmp_path / "found.npz")
    _assert_same(np.load(tmp_path / "found.npz"), expected)
