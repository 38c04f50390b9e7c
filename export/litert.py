"""Writes a network as one file for LiteRT: phones, small machines, a first picture at once.

python -m export.litert --checkpoint=ttsr.safetensors --output=ttsr.tflite

Where the package is installed, elsewhere than in its checkout: ttsr litert --checkpoint=…
"""

from ttsr_tf import cli

from .lite.config import LiteRTConfig, check


def main(config):
    check(config)
    cli.start_tensorflow()
    from .lite.run import export_litert

    export_litert(config)


if __name__ == "__main__":
    cli.run(LiteRTConfig, main)
