"""What a client can be told, and what of it can be judged without TensorFlow."""

import dataclasses
import importlib.util

from ttsr_tf.configuration import REQUIRED, Configuration, number, string
from ttsr_tf.errors import InputError
from ttsr_tf.images import files


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClientConfig(Configuration):
    """A picture, its reference and the server; each field's help says what it is.

    Raises:
        InputError: a value out of its bounds.
    """

    server: str = string("127.0.0.1:8500", "The server's host and gRPC port.")
    model_name: str = string("ttsr", "What the server calls the model.")
    lr: str = string(REQUIRED, "The small picture.")
    ref: str = string(REQUIRED, "A sharp picture of something similar.")
    output: str = string(REQUIRED, "Where to write the large picture.")
    timeout: float = number(
        120, "Seconds to wait for the result, with all attempts.", lower_bound=0.001
    )


def check(config: ClientConfig) -> None:
    """Finds what would make a request fail, before TensorFlow is there.

    Raises:
        InputError: pictures or an output that can't be used, an extra that isn't installed.
    """
    files.check_output(config.output, (config.lr, config.ref))
    for path in config.lr, config.ref:
        files.header(path)
    if not importlib.util.find_spec("tensorflow_serving"):
        raise InputError(
            "The client needs tensorflow-serving-api of TensorFlow's release: "
            "pip install 'ttsr-tf[serving]'."
        )
