import os
import pathlib
import subprocess
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import pytest
import tensorflow as tf

# Before any operation: two devices, so that strategies have something to mirror.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)

ROOT = pathlib.Path(__file__).parent.parent
SHARED = pathlib.Path(os.environ.get("TTSR_SHARED", ROOT.parent / "shared"))


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
def float16():
    keras.mixed_precision.set_global_policy("mixed_float16")
    yield
    keras.mixed_precision.set_global_policy("float32")


@pytest.fixture
def rng():
    return np.random.default_rng(7)
