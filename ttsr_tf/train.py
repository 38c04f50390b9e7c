"""Trains a network; the run's folder is what `ttsr_tf.upscale --checkpoint` takes.

python -m ttsr_tf.train --flagfile=configs/ttsr.flags

The same command again goes on with a run that was interrupted.
"""

import os
import shlex
import sys

from ttsr_tf import cli
from ttsr_tf.progress import StopRequest
from ttsr_tf.training import run_folder
from ttsr_tf.training.config import TrainingConfig, check


def main(config):
    check(config)
    said = cli.start_tensorflow()
    from ttsr_tf import devices
    from ttsr_tf.training import distribution, train

    print(devices.described(said))
    strategy = distribution.choose(os.environ.get("TF_CONFIG"))
    with StopRequest("step") as stop:
        result = train(config, strategy, stop)
    if result.skipped:
        print(f"Left out, since they can't be read: {', '.join(result.skipped)}.")
    if scores := result.scores:
        ours, bicubic = scores["psnr"], scores["psnr_bicubic"]
        print(f"Validation crops: PSNR {ours:.2f} dB, bicubic {bicubic:.2f} dB.")
    if result.done:
        print(f"Now: python -m ttsr_tf.demo {_flag('checkpoint', config.run_dir)}")
    else:
        flag = _flag("flagfile", os.path.join(config.run_dir, run_folder.FLAGS))
        print(f"Stopped. To go on: python -m ttsr_tf.train {flag}")
        sys.exit(cli.STOPPED)


def _flag(name, value):
    """To be pasted."""
    return shlex.quote(f"--{name}={value}")


if __name__ == "__main__":
    cli.run(TrainingConfig, main)
