"""Trains a network; the run's folder is what `ttsr_tf.upscale --checkpoint` takes.

python -m ttsr_tf.train --flagfile=configs/ttsr.flags

The same command again goes on with a run that was interrupted.
"""

import os

from ttsr_tf import cli
from ttsr_tf.progress import StopRequest
from ttsr_tf.training import run_folder
from ttsr_tf.training.config import TrainingConfig, check


def main(config):
    check(config)
    cli.start_tensorflow()
    from ttsr_tf.training import distribution, train

    strategy = distribution.choose(os.environ.get("TF_CONFIG"))
    with StopRequest() as stop:
        result = train(config, strategy, stop)
    if result.skipped:
        print(f"Left out, since they can't be read: {', '.join(result.skipped)}.")
    if scores := result.scores:
        ours, bicubic = scores["psnr"], scores["psnr_bicubic"]
        print(f"Validation crops: PSNR {ours:.2f} dB, bicubic {bicubic:.2f} dB.")
    if result.done:
        use = f"python -m ttsr_tf.upscale --checkpoint={config.run_dir}"
        print(f"Now: {use} --lr=… --ref=… --output=…")
    else:
        flagfile = os.path.join(config.run_dir, run_folder.FLAGS)
        print(f"Stopped. To go on: python -m ttsr_tf.train --flagfile={flagfile}")


if __name__ == "__main__":
    cli.run(TrainingConfig, main)
