import os
import pathlib
import subprocess
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

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
