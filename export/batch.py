"""Enlarges folders of pictures, on all processors of one machine or of a cluster.

python -m export.batch --input=frames --ref=still.jpg --checkpoint=ttsr.safetensors --output=large
python -m export.batch --pairs=pairs.csv --checkpoint=ttsr.safetensors --output=large

Where the package is installed, elsewhere than in its checkout: ttsr batch --input=…
"""

import os
import signal

from ttsr_tf import cli
from ttsr_tf.errors import InputError
from ttsr_tf.inference import engines

from .workers.config import BatchConfig, check


def main(config):
    _, engine = check(config)
    # Ray reads them when it is imported. Its usage reports ask nobody, and their notice would be
    # silenced with the rest.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    if not config.ray_address:
        # On loopback alone, as is the default on the systems that the variable is named after.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    if engine == engines.TENSORFLOW:
        cli.start_tensorflow()
    from .workers.run import upscale_batch

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # it ends like Ctrl-C
    result = upscale_batch(config)
    if result.failures:
        raise InputError(
            f"{len(result.failures)} of {result.pictures} pictures failed: see "
            f"{result.failures_file}. The same command tries them again."
        )


if __name__ == "__main__":
    cli.run(BatchConfig, main, "Stopped. The same command goes on.")
