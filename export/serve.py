"""Serves exported models with TF Serving's interface, without a container; on Ray Serve.

python -m export.serve --model_base_path=models/ttsr

Where the package is installed, elsewhere than in its checkout: ttsr serve --model_base_path=…
"""

import asyncio
import os
import signal

from ttsr_tf import cli

from .server.config import ServeConfig, check


def main(config):
    check(config)
    # Ray reads them when it is imported. Without the second one, whose name is of the systems on
    # which that is the default, Ray's own ports would listen on every interface.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    cli.start_tensorflow(prefer_onednn=False)
    from .server.run import serve_saved_model

    serve_saved_model(config, _signalled)


async def _signalled():
    """Returns after SIGTERM or Ctrl-C."""
    stop = asyncio.Event()

    def stop_soon():
        stop.set()
        print("Stopping: what is under way ends first.", flush=True)

    for name in signal.SIGTERM, signal.SIGINT:
        asyncio.get_running_loop().add_signal_handler(name, stop_soon)
    await stop.wait()


if __name__ == "__main__":
    cli.run(ServeConfig, main)
