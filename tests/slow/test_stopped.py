"""Ctrl-C while TensorFlow is busy: the first is answered at once, the second ends the process."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import PIL.Image
import pytest
from conftest import ROOT

from ttsr_tf import TTSR
from ttsr_tf.weights import checkpoints

STOPPING = "Stopping after this tile. Once more to stop at once."

# One operation of many seconds: Python's handlers would run after it.
BUSY = """
import time
import tensorflow as tf
from ttsr_tf.progress import StopRequest

x = tf.eye(1000)
work = tf.function(lambda n: tf.while_loop(lambda i, _: i < n, lambda i, y: (i + 1, y @ x), [0, x]))
work(1)
with StopRequest("tile") as stop:
    print("busy", flush=True)
    work({steps})
    print("done", stop.requested, flush=True)
"""


@pytest.fixture
def busy():
    started = []

    def start(steps):
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", BUSY.format(steps=steps)],
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
            )
        )
        assert started[0].stdout.readline() == "busy\n"
        time.sleep(0.5)
        return started[0]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_the_process_within_an_operation(busy, number):
    process = busy(3000)  # a minute
    sent = time.monotonic()
    os.kill(process.pid, number)
    said = process.stdout.readline() + process.stdout.readline()
    assert said == f"\n{STOPPING}\n"
    os.kill(process.pid, number)
    assert process.wait(timeout=300) == 128 + number
    assert time.monotonic() - sent < 5


def test_after_one_signal_the_operation_is_finished(busy):
    process = busy(200)
    os.kill(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=300)
    assert output.splitlines()[1:] == [STOPPING, "done True"]
    assert process.returncode == 0


def test_upscale_stops_after_a_tile(tmp_path, rng):
    model = TTSR((1, 1, 1, 1), 8)
    model.build()
    checkpoints.save(model, str(tmp_path / "model.safetensors"))
    for name, side in (("lr", 300), ("ref", 600)):
        pixels = rng.integers(256, size=(side, side, 3), dtype=np.uint8)
        PIL.Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    flags = [f"--{name}={tmp_path}/{name}.png" for name in ("lr", "ref")]
    flags += [f"--checkpoint={tmp_path}/model.safetensors", f"--output={tmp_path}/out.png"]
    process = subprocess.Popen(
        [sys.executable, "-m", "ttsr_tf.upscale", *flags, "--memory_gb=1.6"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        while "tiles; one piece" not in (line := process.stdout.readline()):
            assert line, process.communicate()
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        sent = time.monotonic()
        words = "Stopping after this tile, or picture of a folder. Once more to stop at once.\n"
        while (line := process.stdout.readline()) != words:
            assert line, process.communicate()
        assert time.monotonic() - sent < 2
        _, errors = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "Stopped."
    assert not (tmp_path / "out.png").exists() and not list(tmp_path.glob(".*"))
