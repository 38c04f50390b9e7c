"""Enlarges a picture by a server: `export.serve` or TF Serving.

python -m export.client --server=127.0.0.1:8500 --lr=small.png --ref=sharp.jpg --output=large.png

Where the package is installed, elsewhere than in its checkout: ttsr client --lr=…
"""

from ttsr_tf import cli

from .server.client_config import ClientConfig, check


def main(config):
    check(config)
    cli.start_tensorflow()
    from .server.client import request_upscale

    request_upscale(config)


if __name__ == "__main__":
    cli.run(ClientConfig, main)
