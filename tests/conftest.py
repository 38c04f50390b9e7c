import os
import pathlib
import shutil
import subprocess
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import psutil
import pytest
import tensorflow as tf

# Before any operation: two devices, so that strategies have something to mirror.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)

ROOT = pathlib.Path(__file__).parent.parent
SHARED = pathlib.Path(os.environ.get("TTSR_SHARED", ROOT.parent / "shared"))


def ports_beyond_this_machine(process):
    """A set of those on which it listens for more than this machine."""
    return {
        connection.laddr.port
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
        and connection.laddr.ip not in ("127.0.0.1", "::1", "::ffff:127.0.0.1")
    }


@pytest.fixture
def shared():
    """Gives the path of a development file that is no part of the project; skips without it."""

    def path(name):
        if not (SHARED / name).exists():
            pytest.skip(f"NOT TESTED: {SHARED / name} is missing (set TTSR_SHARED)")
        return str(SHARED / name)

    return path


@pytest.fixture
def run():
    """Runs a command of the package as a person does: `run("upscale", "--lr=x.png")`."""

    def command(module, *arguments, **options):
        return subprocess.run(
            [sys.executable, "-m", f"ttsr_tf.{module}", *map(str, arguments)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=600,
            **options,
        )

    return command


@pytest.fixture
def fails(run):
    """Runs a command that must end with one line of error, without a traceback; gives the line."""

    def command(module, *arguments, **options):
        result = run(module, *arguments, **options)
        assert result.returncode == 1, result.stderr
        (line,) = result.stderr.splitlines()
        assert line.startswith("error: ")
        return line

    return command


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(1)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """A folder with model.weights.h5 and ttsr/1, the SavedModel of it, by `export.saved_model`."""
    from ttsr_tf import TTSR, checkpoints

    place = tmp_path_factory.mktemp("exported")
    model = TTSR((1, 1, 1, 1), 4)
    model.build()
    checkpoints.save(model, str(place / "model.weights.h5"))
    flags = f"--checkpoint={place / 'model.weights.h5'}", f"--output_dir={place / 'ttsr'}"
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
    """The `TTSR` that `exported` holds."""
    from ttsr_tf import checkpoints

    return checkpoints.load(exported / "model.weights.h5")


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
