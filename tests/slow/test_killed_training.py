"""A training that is stopped by a signal, killed, and gone on with: the same run."""

import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT

import ttsr_tf
from ttsr_tf.models import MODELS

TINY = [
    "--dataset=sample",
    "--vgg19_weights=random",
    "--perceptual_weight=0",
    "--crop_size=32",
    "--batch_size=2",
    "--num_residual_blocks=1,1,1,1",
    "--num_features=4",
    "--pretrain_steps=4",
    "--max_steps=10",
    "--summary_every=3",
    "--validate_every=5",
]


def _interrupted(command, ready, interrupt):
    """Calls `interrupt(pid)` once `ready()`: exit code, output and errors."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ttsr_tf.train", *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    deadline = time.monotonic() + 300
    while not ready() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert ready()
    interrupt(process.pid)
    output, errors = process.communicate(timeout=300)
    return process.returncode, output, errors


def _arrays(run_dir):
    """Networks and optimizers of the last checkpoint."""
    reader = tf.train.load_checkpoint(str(run_dir / "checkpoints"))
    names = sorted(reader.get_variable_to_shape_map())
    return {
        name: reader.get_tensor(name)
        for name in names
        if not name.startswith(("_CHECKPOINTABLE_OBJECT_GRAPH", "save_counter", "recent"))
    }


def _rows(run_dir):
    lines = (run_dir / "scalars.csv").read_text().splitlines()
    place = lines[0].split(",").index("steps_per_second")
    return [[x for i, x in enumerate(line.split(",")) if i != place] for line in lines]


@pytest.mark.parametrize("model", MODELS)
def test_stopped_and_killed_it_is_the_run_that_was_not(run, tmp_path, model):
    whole, other = tmp_path / "whole", tmp_path / "other"
    tiny = [*TINY, f"--model={model}"]
    result = run("train", *tiny, f"--run_dir={whole}")
    assert result.returncode == 0, result.stderr

    checkpoints, start = other / "checkpoints", [*tiny, f"--run_dir={other}"]
    first = checkpoints / "ckpt-2.index"
    code, output, errors = _interrupted(
        [*start, "--checkpoint_minutes=0"], first.exists, lambda pid: os.kill(pid, signal.SIGTERM)
    )
    assert code == 130, errors
    # The command that it gives goes on.
    again = re.search(r"To go on: python -m ttsr_tf\.train (\S+)", output).group(1)
    for step in (6, 8):
        checkpoint = checkpoints / f"ckpt-{step}.index"
        code, *_ = _interrupted(
            [again], checkpoint.exists, lambda pid: os.kill(pid, signal.SIGKILL)
        )
        assert code == -signal.SIGKILL
    result = run("train", again)
    assert result.returncode == 0, result.stderr
    step = int(re.search(r"parameters, step (\d+)\.", result.stdout).group(1))
    assert 5 <= step < 10
    for (name, value), (other_name, found) in zip(
        _arrays(whole).items(), _arrays(other).items(), strict=True
    ):
        assert name == other_name
        np.testing.assert_array_equal(found, value, err_msg=name)
    assert _rows(other) == _rows(whole)
    assert ttsr_tf.load(other).model.built
