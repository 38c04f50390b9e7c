"""`python -m ttsr_tf.train`, as a person runs it."""

import re

import numpy as np
import pytest

import ttsr_tf

TINY = [
    "--dataset=sample",
    "--vgg19_weights=random",
    "--crop_size=32",
    "--batch_size=2",
    *["--num_residual_blocks=1"] * 4,
    "--num_features=4",
]


def test_leaves_a_run_folder_that_can_be_used_and_repeated(run, tmp_path, rng):
    first, second = tmp_path / "a", tmp_path / "b"
    result = run("train", *TINY, f"--run_dir={first}", "--max_steps=3")
    assert result.returncode == 0, result.stderr
    assert re.search(r"step 3/3, loss 0\.\d+, 0 s left", result.stdout)
    assert re.search(r"Held-out crops: PSNR \d+\.\d\d dB, bicubic \d+\.\d\d dB\.", result.stdout)
    assert sorted(p.name for p in first.iterdir()) == ["model.weights.h5", "run.flags"]
    picture = rng.integers(256, size=(12, 16, 3), dtype=np.uint8)
    model = ttsr_tf.load(first)
    assert model.upscale(picture).shape == (48, 64, 3)

    # The flags that were written are the whole run.
    result = run("train", f"--flagfile={first}/run.flags", f"--run_dir={second}")
    assert result.returncode == 0, result.stderr
    for a, b in zip(model.get_weights(), ttsr_tf.load(second).get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--batch_size=-1"], "batch_size"),
        (["--crop_size=33"], "--crop_size=33 must be a multiple of 4"),
        (["--dataset=cats"], "should be one of"),
        (["--data_dir=x"], "--data_dir goes with --dataset=folder"),
        (["--vgg19_weights=none.h5"], "No VGG19 weights at 'none.h5': give imagenet"),
        (["--num_residual_blocks=1"], "must be given four times"),
    ],
)
def test_bad_flags(fails, tmp_path, flags, message):
    line = fails("train", *TINY, f"--run_dir={tmp_path}", "--max_steps=1", *flags)
    assert message in line


def test_no_weights_and_no_choice_is_an_error(fails, tmp_path):
    line = fails("train", f"--run_dir={tmp_path}", "--max_steps=1")
    assert "--vgg19_weights" in line
