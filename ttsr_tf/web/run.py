"""Shows the page from its configuration until somebody wants it to stop."""

import os
import threading
from collections.abc import Callable

import numpy as np

from ttsr_tf.data import sample
from ttsr_tf.images import resizing
from ttsr_tf.images.files import write
from ttsr_tf.inference import load
from ttsr_tf.web import config as configs

_MOST_UPLOADED = "50mb"
_MOST_SESSIONS = 30  # of which results are kept
_MOST_CLICKS = 4  # in results, at once
_PARTS = np.s_[90:330, 20:340], np.s_[250:490, 300:620]  # small, so that they take seconds


def serve_page(
    config: configs.PageConfig, folder: str, stopped: Callable[[], object] | None = None
) -> None:
    """Shows the page on this machine; returns when it is stopped.

    Args:
        config: a `PageConfig`.
        folder: of examples and results: the environment's GRADIO_TEMP_DIR, where Gradio keeps
            uploads, and from which it removes what is an hour old.
        stopped: returns when the page shall end; default: never, but Ctrl-C raises
            KeyboardInterrupt.

    Raises:
        InputError: an extra that is missing, weights that can't be used, a port that is taken.
    """
    engine = configs.check(config)
    from ttsr_tf.web import layout
    from ttsr_tf.web.actions import Actions

    upscaler = load(config.checkpoint, engine)
    upscaler.upscale(np.zeros([16, 16, 3], np.uint8))  # nobody waits for what is only done once
    page = layout.page(Actions(upscaler, config, folder), **write_examples(folder))
    page.queue(max_size=config.max_queued, default_concurrency_limit=_MOST_CLICKS)
    page.launch(
        server_name=config.host,
        server_port=config.port,
        prevent_thread_lock=True,
        quiet=True,
        share=False,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        allowed_paths=[folder],
        max_file_size=_MOST_UPLOADED,
        state_session_capacity=_MOST_SESSIONS,
        theme=layout.THEME,
        css=layout.CSS,
    )
    print(f"Open {page.local_url} in a browser. Stop with Ctrl-C.", flush=True)
    try:
        (stopped or threading.Event().wait)()
    finally:
        page.close(verbose=False)


def write_examples(folder):
    """Writes two photographs of one scene, whole and in parts.

    Args:
        folder: where to.

    Returns:
        A dict of what `layout.page` calls `pairs` and `photograph`.
    """
    ref, hr = sample.stereo_pair()

    def path(name, picture):
        path = os.path.join(folder, name)
        write(path, picture)
        return path

    return {
        "pairs": [
            [
                path(f"small-{i}.png", resizing.downscale(hr[part])),
                path(f"reference-{i}.png", ref[part]),
            ]
            for i, part in enumerate(_PARTS, 1)
        ],
        "photograph": path("photograph.png", ref),
    }
