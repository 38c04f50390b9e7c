"""`python -m ttsr_tf.train`, as a person runs it, stops it and kills it."""

import csv
import os
import re
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import ttsr_tf

TINY = [
    "--dataset=sample",
    "--vgg19_weights=random",
    "--perceptual_weight=0",
    "--crop_size=32",
    "--batch_size=2",
    "--num_residual_blocks=1,1,1,1",
    "--num_features=4",
    "--pretrain_steps=4",
    "--summary_every=2",
    "--validate_every=5",
]

# Where threads share the work, sums may end in another order.
ONE_THREAD = {**os.environ, "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}


def _weights(run_dir):
    return ttsr_tf.load(run_dir).model.get_weights()


def _assert_same(a, b):
    for x, y in zip(_weights(a), _weights(b), strict=True):
        np.testing.assert_array_equal(x, y)


def _interrupted(command, ready, interrupt):
    """Calls `interrupt(pid)` once `ready()`: exit code, output and errors."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ttsr_tf.train", *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ONE_THREAD,
    )
    deadline = time.monotonic() + 300
    while not ready() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert ready()
    interrupt(process.pid)
    output, errors = process.communicate(timeout=300)
    return process.returncode, output, errors


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An uninterrupted run of ten steps."""
    run_dir = tmp_path_factory.mktemp("whole")
    result = subprocess.run(
        [sys.executable, "-m", "ttsr_tf.train", *TINY, f"--run_dir={run_dir}", "--max_steps=10"],
        capture_output=True,
        text=True,
        env=ONE_THREAD,
    )
    assert result.returncode == 0, result.stderr
    return run_dir, result.stdout


def test_leaves_a_run_folder_that_can_be_used(whole, rng):
    run_dir, output = whole
    assert re.search(r"step 10/10, reconstruction 0\.\d+, critic -?\d+\.\d+, 0 s left", output)
    built = r"Building the step's graph …\n… built, and the first step done, in \d+ s\.\n"
    assert len(re.findall(built, output)) == 2  # of the pretraining, and of what follows
    assert re.search(r"Validation crops: PSNR \d+\.\d\d dB, bicubic \d+\.\d\d dB\.", output)
    assert sorted(path.name for path in run_dir.iterdir()) == [
        "best.safetensors",
        "checkpoints",
        "model.safetensors",
        "run.flags",
        "scalars.csv",
        "tensorboard",
    ]
    picture = rng.integers(256, size=(12, 16, 3), dtype=np.uint8)
    assert ttsr_tf.load(run_dir).upscale(picture).shape == (48, 64, 3)
    with open(run_dir / "scalars.csv", newline="") as file:
        rows = {int(row["step"]): row for row in csv.DictReader(file)}
    assert list(rows) == [2, 4, 5, 6, 8, 10]
    assert not rows[4]["critic"]
    assert float(rows[6]["critic"]) != 0
    assert float(rows[5]["psnr"]) > 5 < float(rows[5]["psnr_bicubic"])


def test_stopped_and_killed_it_ends_with_the_same_weights(whole, run, tmp_path):
    checkpoints, start = tmp_path / "checkpoints", [*TINY, f"--run_dir={tmp_path}"]
    start += ["--max_steps=10", "--checkpoint_minutes=0"]
    checkpoint = checkpoints / "ckpt-2.index"
    code, output, errors = _interrupted(
        start, checkpoint.exists, lambda pid: os.kill(pid, signal.SIGTERM)
    )
    assert code == 0, errors
    # The command that it gives goes on.
    again = re.search(r"To go on: python -m ttsr_tf\.train (\S+)", output).group(1)
    checkpoint = checkpoints / "ckpt-6.index"
    code, *_ = _interrupted([again], checkpoint.exists, lambda pid: os.kill(pid, signal.SIGKILL))
    assert code == -signal.SIGKILL
    result = run("train", again, env=ONE_THREAD)
    assert result.returncode == 0, result.stderr
    step = int(re.search(r"parameters, step (\d+)\.", result.stdout).group(1))
    assert 5 <= step < 10
    _assert_same(whole[0], tmp_path)
    with open(tmp_path / "scalars.csv", newline="") as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == [2, 4, 5, 6, 8, 10]


def test_a_run_that_ended_within_its_pretraining_is_made_longer(whole, run, fails, tmp_path):
    flags = [*TINY, f"--run_dir={tmp_path}"]
    for max_steps in 3, 10:
        result = run("train", *flags, f"--max_steps={max_steps}", env=ONE_THREAD)
        assert result.returncode == 0, result.stderr
    _assert_same(whole[0], tmp_path)
    with open(tmp_path / "scalars.csv", newline="") as file:
        critic = {int(row["step"]): row["critic"] for row in csv.DictReader(file)}
    assert list(critic) == [2, 3, 4, 5, 6, 8, 10]
    assert float(critic[10]) != 0
    line = fails("train", *flags, "--max_steps=4")
    assert line == "error: --max_steps=4: this run has done 10 steps. Give more."


def test_other_flags_are_named(whole, fails):
    run_dir, _ = whole
    before = (run_dir / "run.flags").read_text()
    line = fails("train", f"--flagfile={run_dir}/run.flags", "--seed=1", "--batch_size=3")
    assert "--batch_size=2 --seed=0 there, --batch_size=3 --seed=1 now" in line
    assert (run_dir / "run.flags").read_text() == before


def test_a_run_cant_end_before_its_step(whole, fails):
    run_dir, _ = whole
    before = (run_dir / "run.flags").read_text()
    line = fails("train", f"--flagfile={run_dir}/run.flags", "--max_steps=9")
    assert line == "error: --max_steps=9: this run has done 10 steps. Give more."
    assert (run_dir / "run.flags").read_text() == before


def test_a_full_disk_leaves_the_last_checkpoint(run, tmp_path):
    """As if: from some step on, files can't grow beyond 64 KiB."""
    flags = [*TINY, f"--run_dir={tmp_path}", "--checkpoint_minutes=0"]
    table = tmp_path / "scalars.csv"  # is written just before a checkpoint
    code, _, errors = _interrupted(
        [*flags, "--max_steps=1000"],
        lambda: table.exists() and "\n4," in table.read_text(),
        lambda pid: resource.prlimit(pid, resource.RLIMIT_FSIZE, (2**16, 2**16)),
    )
    assert code == 1
    (line,) = errors.splitlines()
    assert re.match(r"error: Step \d+ can't be written \(.*too large", line)
    last = int(re.search(r"checkpoint, \S*ckpt-(\d+), is whole: free some space", line).group(1))
    # The run goes on from there, here to another end.
    result = run("train", *flags, f"--max_steps={last + 3}")
    assert f"parameters, step {last}." in result.stdout
    assert result.returncode == 0, result.stderr


def test_bad_input_is_answered_before_tensorflow_is_there(fails, tmp_path):
    start = time.monotonic()
    flags = f"--run_dir={tmp_path}", "--max_steps=5", "--vgg19_weights=none.h5"
    line = fails("train", *TINY, *flags)
    assert "No VGG19 weights at 'none.h5': give imagenet" in line
    assert time.monotonic() - start < 5  # 0.6 alone; whatever else the machine does
    assert not list(tmp_path.iterdir())
