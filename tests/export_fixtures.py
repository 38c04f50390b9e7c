"""Fixtures of exported and served models."""

import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parent.parent


def tiny_checkpoint(folder):
    """Writes model.safetensors, a network of random weights, to a folder; gives its path."""
    from ttsr_tf import TTSR
    from ttsr_tf.weights import checkpoints

    model = TTSR((1, 1, 1, 1), 4)
    model.build()
    path = folder / "model.safetensors"
    checkpoints.save(model, str(path))
    return path


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """A folder with model.safetensors and ttsr/1, the SavedModel of it, by `export.saved_model`."""
    place = tmp_path_factory.mktemp("exported")
    flags = f"--checkpoint={tiny_checkpoint(place)}", f"--output_dir={place / 'ttsr'}"
    small = "--max_lr_pixels=1600", "--max_ref_pixels=25600"
    result = subprocess.run(
        [sys.executable, "-m", "export.saved_model", *flags, *small, "--nowarmup"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert "Equal to the checkpoint on 1 pairs of photographs, by both signatures" in result.stdout
    assert result.stdout.endswith("ttsr/1 written.\n")
    assert [path.name for path in (place / "ttsr").iterdir()] == ["1"]
    return place


@pytest.fixture(scope="session")
def server(exported, tmp_path_factory):
    """`export.serve` with three places to wait and requests of 1 MB, as a `serving.Server`."""
    import serving

    models = tmp_path_factory.mktemp("models") / "ttsr"
    shutil.copytree(exported / "ttsr" / "1", models / "1")
    with serving.started(models, "--max_queued_requests=3", "--max_request_mb=1") as server:
        yield server


@pytest.fixture(scope="session")
def exported_model(exported):
    """The `Upscaler` whose network `exported` holds."""
    from ttsr_tf import load

    return load(exported / "model.safetensors")


@pytest.fixture
def pair(rng):
    """A small picture and a reference."""
    return tuple(rng.integers(256, size=(*size, 3), dtype=np.uint8) for size in ((9, 14), (20, 27)))


@pytest.fixture(scope="session")
def large():
    """A request that takes some tenths of a second."""
    from serving import picture, pixels

    rng = np.random.default_rng(1)
    return pixels(picture(rng, 40, 40)[None], picture(rng, 160, 160)[None])
