"""Writes a network as a SavedModel, which TF Serving and other runtimes load without this package.

python -m export.saved_model --checkpoint=ttsr.safetensors --output_dir=models/ttsr

Where the package is installed, elsewhere than in its checkout: ttsr export --checkpoint=…
"""

import logging

from ttsr_tf import cli

from .package.config import SavedModelConfig, check


def main(config):
    check(config)
    cli.start_tensorflow(prefer_onednn=False)
    from .package.run import export_saved_model

    # It would call the loader that servers use deprecated.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    export_saved_model(config)


if __name__ == "__main__":
    cli.run(SavedModelConfig, main)
