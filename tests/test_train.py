"""`python -m ttsr_tf.train`, as a person runs it, with the network that is published, small."""

import csv
import re
import time

import numpy as np

import ttsr_tf

TINY = [
    "--dataset=sample",
    "--vgg19_weights=random",
    "--perceptual_weight=0",
    "--crop_size=32",
    "--batch_size=2",
    "--num_residual_blocks=1,1,1,1",
    "--num_features=4",
    "--pretrain_steps=2",
    "--max_steps=4",
    "--summary_every=2",
    "--validate_every=3",
]


def test_leaves_a_run_folder_that_can_be_used(run, tmp_path, rng):
    result = run("train", *TINY, f"--run_dir={tmp_path}")
    assert (result.returncode, result.stderr) == (0, "")
    output = result.stdout
    assert re.search(r"step 4/4, reconstruction 0\.\d+, critic -?\d+\.\d+, 0 s left", output)
    built = r"Building the step's graph …\n… built, and the first step done, in \d+ s\.\n"
    assert len(re.findall(built, output)) == 2  # of the pretraining, and of what follows
    assert re.search(r"Validation crops: PSNR \d+\.\d\d dB, bicubic \d+\.\d\d dB\.", output)
    assert re.match(
        r"On the CPU, \d+ processors\.\n128 pairs to train on, 8 to validate on", output
    )
    assert output.endswith(f"Now: python -m ttsr_tf.demo --checkpoint={tmp_path}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "best.safetensors",
        "checkpoints",
        "model.safetensors",
        "run.flags",
        "scalars.csv",
        "tensorboard",
    ]
    picture = rng.integers(256, size=(12, 16, 3), dtype=np.uint8)
    assert ttsr_tf.load(tmp_path).upscale(picture).shape == (48, 64, 3)
    with open(tmp_path / "scalars.csv", newline="") as file:
        rows = {int(row["step"]): row for row in csv.DictReader(file)}
    assert list(rows) == [2, 3, 4]
    assert not rows[2]["critic"]
    assert float(rows[4]["critic"]) != 0
    assert float(rows[3]["psnr"]) > 5 < float(rows[3]["psnr_bicubic"])


def test_bad_input_is_answered_before_tensorflow_is_there(fails, tmp_path):
    start = time.monotonic()
    flags = f"--run_dir={tmp_path}", "--max_steps=5", "--vgg19_weights=none.h5"
    line = fails("train", *TINY, *flags)
    assert "No VGG19 weights at 'none.h5': give imagenet" in line
    assert time.monotonic() - start < 5  # 0.6 alone; whatever else the machine does
    assert not list(tmp_path.iterdir())
