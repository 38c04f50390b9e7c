"""Two worker processes on this machine train as one, and notice when one is gone."""

import json
import os
import re
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import ROOT

import ttsr_tf

TINY = [
    "--dataset=sample",
    "--vgg19_weights=random",
    "--perceptual_weight=0",
    "--crop_size=32",
    "--batch_size=4",
    "--num_residual_blocks=1,1,1,1",
    "--num_features=4",
    "--pretrain_steps=2",
]


def _workers(run_dir, *flags):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    addresses = [f"127.0.0.1:{s.getsockname()[1]}" for s in sockets]
    for s in sockets:
        s.close()
    command = [sys.executable, "-m", "ttsr_tf.train", *TINY, f"--run_dir={run_dir}", *flags]
    return [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={
                **os.environ,
                "TF_CONFIG": json.dumps(
                    {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": i}}
                ),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for i in range(2)
    ]


@pytest.fixture
def workers():
    """Starts two; none survives the test."""
    started = []

    def start(*arguments):
        started.extend(_workers(*arguments))
        return started[-2:]

    yield start
    for worker in started:
        worker.kill()
        worker.communicate()


def test_two_workers_are_as_one_and_go_on_after_a_loss(workers, run, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    result = run("train", *TINY, f"--run_dir={one}", "--max_steps=4")
    assert result.returncode == 0, result.stderr

    flags = "--max_steps=4", "--checkpoint_minutes=0"
    chief, other = workers(two, *flags)
    deadline = time.monotonic() + 300
    while not (two / "checkpoints/ckpt-1.index").exists() and time.monotonic() < deadline:
        assert chief.poll() is None, chief.communicate()
        time.sleep(0.01)
    other.kill()
    killed = time.monotonic()
    _, errors = chief.communicate(timeout=60)
    assert time.monotonic() - killed < 60
    assert chief.returncode == 1
    assert re.search(r"^error: Another worker is gone .*ckpt-\d", errors, re.MULTILINE)

    for worker in workers(two, *flags):
        _, errors = worker.communicate(timeout=300)
        assert worker.returncode == 0, errors
    a, b = (ttsr_tf.load(run_dir).model.get_weights() for run_dir in (one, two))
    for x, y in zip(a, b, strict=True):
        # Adam's steps of 1e-4 amplify the rounding of gradients near zero.
        np.testing.assert_allclose(x, y, atol=2e-5)
