"""What serving can be told, and what of it can be judged without TensorFlow and Ray."""

import dataclasses
import importlib.util
import os

from ttsr_tf.configuration import REQUIRED, Configuration, integer, string
from ttsr_tf.errors import InputError
from ttsr_tf.ports import require_free

from ..package import versions

# Named as TF Serving's flags.
_PORTS = "port", "rest_api_port", "metrics_port"
_NEEDED = "ray", "aiohttp", "starlette", "tensorflow_serving"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServeConfig(Configuration):
    """A server; each field's help says what it is.

    Raises:
        InputError: a value out of its bounds.
    """

    model_base_path: str = string(
        REQUIRED, "The folder of the model's versions; the newest is served."
    )
    model_name: str | None = string(
        None, "What clients call the model. Default: the folder's name."
    )
    host: str = string("127.0.0.1", "Where gRPC and REST listen; 0.0.0.0: everywhere.")
    port: int = integer(8500, "gRPC's.", lower_bound=1, upper_bound=65535)
    rest_api_port: int = integer(8501, "REST's.", lower_bound=1, upper_bound=65535)
    metrics_port: int = integer(8502, "Prometheus' (of Ray).", lower_bound=1, upper_bound=65535)
    num_replicas: int = integer(
        1,
        "Processes with the model, that is how many requests are worked on at once; each takes the "
        "memory that the export printed.",
        lower_bound=1,
    )
    max_queued_requests: int = integer(
        16, "Requests that wait; one more is refused.", lower_bound=0
    )
    max_request_mb: int = integer(
        32,
        "Size of the largest request; larger ones are refused.",
        lower_bound=1,
        upper_bound=1024,
    )

    @property
    def name(self):
        """What clients call the model."""
        return self.model_name or os.path.basename(os.path.abspath(self.model_base_path))


def check(config: ServeConfig) -> None:
    """Finds what would make serving fail, before TensorFlow and Ray are there.

    Raises:
        InputError: an extra that isn't installed, a folder without versions, ports that are taken.
    """
    missing = [name for name in _NEEDED if not importlib.util.find_spec(name)]
    if missing:
        raise InputError(
            "Serving needs Ray Serve and tensorflow-serving-api "
            f"(missing: {', '.join(missing)}): pip install 'ttsr-tf[ray]'."
        )
    check_folder(config.model_base_path)
    ports = [getattr(config, name) for name in _PORTS]
    if len(set(ports)) < len(ports):
        raise InputError(
            f"`port`={ports[0]}, `rest_api_port`={ports[1]} and `metrics_port`={ports[2]} must "
            "differ."
        )
    for name, port in zip(_PORTS, ports, strict=True):
        require_free(config.host, name, port)


def check_folder(folder: str) -> None:
    """Raises InputError if the folder holds no version of a model."""
    if not versions.numbers(folder):
        exporting = f"{__package__.removesuffix('.server')}.saved_model"
        raise InputError(
            f"{folder} holds no numbered folder. Export a model: "
            f"python -m {exporting} --output_dir={folder} --checkpoint=…"
        )
