"""What the page can be told, and what of it can be judged without TensorFlow and Gradio."""

import dataclasses
import importlib.util

from ttsr_tf.configuration import Configuration, integer, string
from ttsr_tf.errors import InputError
from ttsr_tf.inference import engines
from ttsr_tf.inference.config import memory_field
from ttsr_tf.ports import require_free
from ttsr_tf.weights import files, naming

_NEEDED = {"gradio": "Gradio", "skimage": "scikit-image"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class PageConfig(Configuration):
    """A page; each field's help says what it is.

    Raises:
        InputError: a value out of its bounds.
    """

    checkpoint: str = string(naming.DEFAULT, naming.MEANING)
    engine: str | None = engines.field()
    host: str = string("127.0.0.1", "Where the page listens; 0.0.0.0: everywhere.")
    port: int = integer(7860, "The page's.", lower_bound=1, upper_bound=65535)
    max_lr_pixels: int = integer(
        160_000, "Of the small picture; a larger one is refused.", lower_bound=9
    )
    max_ref_pixels: int = integer(
        1_000_000, "Of the reference; a larger one is refused.", lower_bound=144
    )
    max_queued: int = integer(
        8, "People who wait, since one picture is enlarged at a time.", lower_bound=1
    )
    memory_gb: float | None = memory_field()


def check(config):
    """Finds what would make the page fail, before TensorFlow and Gradio are there.

    Args:
        config: a `PageConfig`.

    Returns:
        What computes, TENSORFLOW or LITERT of `inference.engines`.

    Raises:
        InputError: an extra that isn't installed, weights that can't be used, a port that is taken.
    """
    missing = [title for name, title in _NEEDED.items() if not importlib.util.find_spec(name)]
    if missing:
        raise InputError(f"The page needs {' and '.join(missing)}: pip install 'ttsr-tf[page]'.")
    files.read_header(naming.path_of(config.checkpoint))
    require_free(config.host, "port", config.port)
    return engines.of(config.checkpoint, config.engine)
