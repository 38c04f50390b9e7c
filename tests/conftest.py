import os
import pathlib
import subprocess
import sys

from ttsr_tf import processor

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
processor.prefer_onednn()  # as commands do
# Tests run two at a time on two cores, so one thread is enough for each and for what it starts.
# Besides, sums of several threads may end in another order.
os.environ.update(TF_NUM_INTRAOP_THREADS="1", TF_NUM_INTEROP_THREADS="1")
# Warnings are errors in what tests start, too; the exemptions are those of pyproject.toml, as far
# as a process comes to them, by the beginning of the message.
os.environ["PYTHONWARNINGS"] = ",".join(
    [
        "error",
        "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning",
        "ignore:non-integer arguments to randrange:DeprecationWarning",  # Keras 2.15's seeds
        "ignore:label() is deprecated:DeprecationWarning",  # TFDS' use of protobuf
        "ignore:Using extra keyword arguments on:DeprecationWarning",  # Ray's use of Pydantic
        "ignore:subprocess:ResourceWarning",  # Ray's own, which it leaves to their end
    ]
)

import keras
import numpy as np
import psutil
import pytest
import tensorflow as tf
from export_fixtures import (  # noqa: F401
    enlarged,
    exported,
    exported_model,
    pair,
    replica,
    server,
    tiny_weights,
    worker_sets,
)
from one_convolution import OneConvolution, stand_in

from ttsr_tf.weights import checkpoints
from ttsr_tf.weights.initial import initialise

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
# Before any operation: two devices, so that strategies have something to mirror.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)

ROOT = pathlib.Path(__file__).parent.parent
SHARED = pathlib.Path(os.environ.get("TTSR_SHARED", ROOT.parent / "shared"))
# Fixtures of the session that are costly: what uses one of them runs in one of the processes.
COSTLY = "server", "exported"


def pytest_collection_modifyitems(items):
    for item in items:
        for name in COSTLY:
            if name in item.fixturenames and not item.get_closest_marker("xdist_group"):
                item.add_marker(pytest.mark.xdist_group("exported"))


def ports_beyond_this_machine(process):
    """A set of those on which it listens for more than this machine."""
    return {
        connection.laddr.port
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
        and connection.laddr.ip not in ("127.0.0.1", "::1", "::ffff:127.0.0.1")
    }


@pytest.fixture(scope="session")
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


@pytest.fixture
def one_convolution(monkeypatch):
    """Where the network isn't the point: `one_convolution.OneConvolution`, in the place of those
    that are trained, and among those that are loaded.
    """
    stand_in(monkeypatch)
    return OneConvolution


@pytest.fixture
def small_checkpoint(one_convolution, tmp_path):
    """The path of a file that holds a network of one convolution."""
    model = one_convolution()
    model.build()
    initialise(model, 1)
    path = tmp_path / "model.safetensors"
    checkpoints.save(model, str(path))
    return path
