"""The wheel: what is in it, and that it works from a folder that knows nothing of the checkout."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile

import numpy as np
import PIL.Image
import pytest
from conftest import ROOT
from export_fixtures import tiny_checkpoint

pytestmark = pytest.mark.xdist_group("wheel")

_SOURCES = "setup.py", "pyproject.toml", "README.md", "LICENSE", "ttsr_tf", "export", "tfds_cufed5"

_IMPORT_ALL = """
import importlib, pkgutil, ttsr_tf.export
for module in pkgutil.walk_packages(ttsr_tf.export.__path__, "ttsr_tf.export."):
    importlib.import_module(module.name)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel's path, built from a copy, so that nothing of it stays in the checkout."""
    place = tmp_path_factory.mktemp("wheel")
    for name in _SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, place / name)
    build = "wheel", "--no-deps", "--no-build-isolation", "--no-index", f"--wheel-dir={place}"
    _pip(*build, place)
    (path,) = place.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A folder of commands: those of an environment with the wheel and what it depends on."""
    place = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    python = place / "bin" / "python"
    _pip("install", "--no-deps", "--no-index", wheel, python=python)
    # The other packages of this environment. Its editable install is a .pth file, which is read in
    # an environment's own folder only.
    (own,) = place.glob("lib/python*/site-packages")
    (own / "others.pth").write_text(sysconfig.get_path("purelib"))
    return python.parent


@pytest.fixture
def run(installed, tmp_path):
    """Runs an installed command in a user's folder, where an export.py lies: its stdout."""
    (tmp_path / "export.py").write_text("raise SystemExit('the export.py of a user')")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}

    def command(name, *arguments):
        result = subprocess.run(
            [installed / name, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    return command


def test_its_files(wheel):
    with zipfile.ZipFile(wheel) as archive:
        files = set(archive.namelist())
    tops = {name.split("/")[0] for name in files if ".dist-info/" not in name}
    assert tops == {"ttsr_tf", "tfds_cufed5"}
    for package in ("ttsr_tf", "export", "tfds_cufed5"):
        for path in (ROOT / package).rglob("*"):
            if path.suffix in (".py", ".pyi"):
                name = path.relative_to(ROOT).as_posix()
                name = f"ttsr_tf/{name}" if package == "export" else name
                assert name in files
    for path in (ROOT / "export" / "tf_serving").iterdir():
        assert f"ttsr_tf/export/tf_serving/{path.name}" in files
    for path in (ROOT / "ttsr_tf" / "weights" / "shipped").iterdir():
        assert f"ttsr_tf/weights/shipped/{path.name}" in files
    assert {"ttsr_tf/py.typed", "tfds_cufed5/TAGS.txt"} <= files


def test_its_description_needs_no_other_file(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = archive.read(name).decode()
    readme = (ROOT / "README.md").read_text("utf-8")
    assert re.search(r"\]\((?!http)", readme)
    assert not re.search(r"\]\((?!http)|<img", metadata)
    assert "A part of the report" not in metadata  # what stands below a picture
    for text in ("docs/keras.md", "](https://arxiv.org/abs/2006.04139)", "make quickstart"):
        assert text in metadata


def test_it_is_used_from_elsewhere(run, installed, tmp_path):
    where = "import ttsr_tf.export; print(ttsr_tf.__file__, ttsr_tf.export.__file__)"
    for path in run("python", "-c", where).split():
        assert pathlib.Path(path).is_relative_to(installed.parent)
    run("python", "-c", _IMPORT_ALL)
    assert "upscale, train, evaluate" in run("ttsr", "--help")
    for command in (
        ("ttsr", "export"),
        ("python", "-m", "ttsr_tf.export.saved_model"),
    ):
        assert "--max_lr_pixels" in run(*command, "--help")
    for door, flag in (("serve", "rest_api_port"), ("client", "server"), ("batch", "worker_cpus")):
        assert f"--{flag}: " in run("ttsr", door, "--help")

    picture = np.random.default_rng(0).integers(256, size=(14, 18, 3), dtype=np.uint8)
    PIL.Image.fromarray(picture).save(tmp_path / "lr.png")
    flags = "--lr=lr.png", "--ref=lr.png", "--output=sr.png"
    assert "sr.png written" in run("python", "-m", "ttsr_tf.upscale", *flags)
    with PIL.Image.open(tmp_path / "sr.png") as sr:
        assert sr.size == (72, 56)
    tiny_checkpoint(tmp_path)
    flags = "--checkpoint=.", "--output_dir=models", "--noverify", "--nowarmup"
    assert run("ttsr", "export", *flags).endswith("models/1 written.\n")
    assert (tmp_path / "models" / "1" / "saved_model.pb").is_file()


def _pip(*arguments, python=sys.executable):
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    # What pip and setuptools warn of is theirs.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONWARNINGS"}
    subprocess.run([*command, f"--python={python}", *arguments], env=environment, check=True)
