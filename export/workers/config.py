"""What a batch can be told, and what of it can be judged without TensorFlow and Ray."""

import dataclasses
import importlib.util
import os
import socket

from ttsr_tf.configuration import REQUIRED, Configuration, integer, number, string
from ttsr_tf.errors import InputError
from ttsr_tf.files import make_folder
from ttsr_tf.images import files as pictures
from ttsr_tf.inference import engines
from ttsr_tf.weights import files, naming

from . import jobs

_ANSWERS_WITHIN = 5  # seconds
AUTO = "auto"


@dataclasses.dataclass(frozen=True, kw_only=True)
class BatchConfig(Configuration):
    """Pictures, references, weights and what computes; each field's help says what it is.

    Raises:
        InputError: a value out of its bounds.
    """

    input: str | None = string(
        None, "The small pictures: a folder, or a pattern in quotes ('frames/*.png')."
    )
    ref: str | None = string(
        None,
        "A sharp picture of something similar, for all; or a folder with one for each, of its "
        "name.",
    )
    pairs: str | None = string(
        None,
        "Instead of `input` and `ref`: a CSV file with the columns lr, ref and, if wanted, output.",
    )
    checkpoint: str = string(naming.DEFAULT, naming.MEANING)
    engine: str | None = engines.field()
    output: str = string(
        REQUIRED, "Folder for the large pictures. Those that are there already are not done again."
    )
    ray_address: str | None = string(
        None, "HOST:PORT of a Ray cluster, or auto. Default: this machine alone."
    )
    worker_cpus: int | None = integer(
        None,
        "CPUs that a worker computes with. Default: half of the smallest machine's, from 2 to 4.",
        lower_bound=1,
    )
    num_gpus: float = number(
        0, "GPUs that a worker computes with; 0.5: half of one's memory.", lower_bound=0
    )
    memory_gb: float | None = number(
        None,
        "What a worker may use, GiB; a larger picture is done in tiles. Default: its share.",
        lower_bound=0,
    )
    precision: str = engines.precision()


def check(config: BatchConfig) -> tuple[list[jobs.Job], str]:
    """Finds what would make all of a batch fail, before TensorFlow and Ray are there.

    Returns:
        The jobs, also those that are done, where `output` is there then; and what computes,
        TENSORFLOW or LITERT of `engines`.

    Raises:
        InputError: pictures, weights or a folder that can't be used, Ray that isn't there.
    """
    if config.num_gpus > 1 and config.num_gpus % 1:
        raise InputError(f"`num_gpus`={config.num_gpus:g} must be whole, or less than 1.")
    if config.pairs:
        if config.input or config.ref:
            raise InputError("`pairs` goes without `input` and `ref`. Give either.")
        found = jobs.of_list(config.pairs, config.output)
    elif config.input and config.ref:
        found = jobs.of_pictures(config.input, config.ref, config.output)
        if os.path.isfile(config.ref):
            pictures.header(config.ref)
    else:
        raise InputError("Give `input` and `ref`, or `pairs`.")
    files.read_header(naming.path_of(config.checkpoint))
    if missing := [name for name in ("ray", "pyarrow") if not importlib.util.find_spec(name)]:
        raise InputError(
            f"Batches need Ray Data (missing: {', '.join(missing)}): pip install 'ttsr-tf[ray]'."
        )
    if config.ray_address:
        check_address(config.ray_address)
    make_folder(config.output, "output")
    return found, engines.of(config.checkpoint, config.engine)


def check_address(address: str) -> None:
    """Raises InputError if nothing answers there: Ray would try for long, and end the process."""
    if address == AUTO:
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise InputError(f"`ray_address`={address} must be HOST:PORT, or {AUTO}.")
    try:
        socket.create_connection((host, int(port)), _ANSWERS_WITHIN).close()
    except (OSError, OverflowError) as error:
        raise InputError(
            f"No Ray at `ray_address`={address} ({error}). Start it there: ray start --head."
        ) from None
