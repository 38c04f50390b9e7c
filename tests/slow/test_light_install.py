"""An environment without TensorFlow: what a small machine installs, by two lines of a README."""

import os
import re
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest
from conftest import ROOT
from test_wheel import wheel  # noqa: F401

pytestmark = pytest.mark.xdist_group("wheel")

# What pip warns of is its own.
_ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONWARNINGS")}
_USE = """
import sys, numpy, ttsr_tf
lr = numpy.random.default_rng(0).integers(256, size=(14, 18, 3), dtype=numpy.uint8)
sr = ttsr_tf.load("ttsr-mini").upscale(lr)
assert sr.shape == (56, 72, 3) and not {"tensorflow", "keras"} & set(sys.modules)
"""


def light_packages():
    """Those that export/README.md names beside the package itself."""
    text = (ROOT / "export" / "README.md").read_text()
    (line,) = re.findall(r"^pip install -c constraints/tf2.21.txt (numpy .*)$", text, re.MULTILINE)
    return line.split()


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    place = tmp_path_factory.mktemp("light")
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    python = place / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--no-index", wheel], check=True, env=_ENVIRONMENT)
    constraints = "--constraint", ROOT / "constraints/tf2.21.txt"
    done = _run(*pip, *constraints, *light_packages())
    if done.returncode:
        pytest.skip(f"NOT TESTED: nothing could be installed: {done.stderr[-200:]}")
    return python


def test_it_enlarges(python, tmp_path):
    installed = _run(python, "-m", "pip", "list").stdout
    assert "ai-edge-litert" in installed and "tensorflow" not in installed
    pixels = np.random.default_rng(1).integers(256, size=(14, 18, 3), dtype=np.uint8)
    PIL.Image.fromarray(pixels).save(tmp_path / "lr.png")
    upscale = "-m", "ttsr_tf.upscale", "--lr=lr.png", "--ref=lr.png", "--output=sr.png"
    for arguments in (upscale, ("-c", _USE)):
        done = _run(python, *arguments, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
    with PIL.Image.open(tmp_path / "sr.png") as sr:
        assert sr.size == (72, 56)


def test_what_needs_tensorflow_says_so(python, tmp_path):
    asked = "--checkpoint=ttsr-mini", "--engine=tensorflow", "--lr=lr.png", "--output=sr.png"
    PIL.Image.new("RGB", (12, 12)).save(tmp_path / "lr.png")
    done = _run(python, "-m", "ttsr_tf.upscale", *asked, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "error: ttsr-mini needs tensorflow: pip install tensorflow.\n"
    for kind in ("input", "ref"):
        (tmp_path / kind).mkdir()
        for i in range(9):
            PIL.Image.new("RGB", (160, 160)).save(tmp_path / kind / f"{i}.png")
    for command, *flags in (
        ("train", "--run_dir=x", "--max_steps=9"),
        ("evaluate", "--output_dir=x"),
    ):
        asked = "-m", f"ttsr_tf.{command}", *flags, "--dataset=folder", "--data_dir=."
        done = _run(python, *asked, cwd=tmp_path)
        assert done.returncode == 1
        assert done.stderr == "error: This needs tensorflow: pip install tensorflow.\n"
        assert _run(python, "-m", f"ttsr_tf.{command}", "--help").returncode == 0


def _run(*command, cwd=None):
    return subprocess.run(command, cwd=cwd, env=_ENVIRONMENT, capture_output=True, text=True)
