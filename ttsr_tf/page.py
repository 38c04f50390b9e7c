"""A page in the browser: enlarges pictures, and shows where their textures came from.

python -m ttsr_tf.page
"""

import os
import signal
import tempfile
import threading

from ttsr_tf import cli
from ttsr_tf.inference import engines
from ttsr_tf.progress import SIGNALS
from ttsr_tf.web.config import PageConfig, check


def main(config):
    engine = check(config)
    print("Loading the network: some seconds.", flush=True)
    engines.start(engine)
    # What people upload doesn't outlive the page.
    with tempfile.TemporaryDirectory(prefix="ttsr-page-") as folder:
        # Gradio reads them when it is imported.
        os.environ.update(GRADIO_ANALYTICS_ENABLED="False", GRADIO_TEMP_DIR=folder)
        from ttsr_tf.web import serve_page

        serve_page(config, folder, _signalled)


def _signalled():
    """Returns after SIGTERM or Ctrl-C."""
    stop = threading.Event()
    for number in SIGNALS:
        signal.signal(number, lambda *_: stop.set())
    stop.wait()


if __name__ == "__main__":
    cli.run(PageConfig, main)
