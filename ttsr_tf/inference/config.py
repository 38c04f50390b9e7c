"""What enlarging pictures can be told, and what of it can be judged without TensorFlow."""

import dataclasses

from ttsr_tf.configuration import REQUIRED, Configuration, number, string, strings, switch
from ttsr_tf.errors import InputError
from ttsr_tf.inference import engines, jobs
from ttsr_tf.weights import files, naming


def memory_field():
    """The field of every configuration whose command enlarges pictures in this process."""
    return number(
        None,
        "What may be used, GiB; a larger picture is done in tiles. Default: most of what is free.",
        lower_bound=0,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class UpscaleConfig(Configuration):
    """Pictures, references and where the results go; each field's help says what it is.

    Raises:
        InputError: a value out of its bounds.
    """

    lr: str = string(REQUIRED, "The small picture, or a folder of them.")
    ref: tuple[str, ...] = strings(
        (),
        "A sharp picture of something similar, or a folder of them; may be given several times: "
        "the best match of all is used. Default: the small picture itself.",
    )
    single_image: bool = switch(
        False, "Without `ref`: by the network's path that never sees a reference (SRNTT has one)."
    )
    checkpoint: str = string(naming.DEFAULT, naming.MEANING)
    engine: str | None = engines.field()
    output: str = string(REQUIRED, "Where to write the large picture; for a folder, a folder.")
    overwrite: bool = switch(
        False, "Of a folder: do again what is in `output` already, instead of going on there."
    )
    attention_map: str | None = string(
        None, "Where to write a picture of where textures came from."
    )
    memory_gb: float | None = memory_field()
    precision: str = engines.precision()


def check(config):
    """Finds what would make enlarging fail, before TensorFlow is there.

    Args:
        config: an `UpscaleConfig`.

    Returns:
        The `jobs.Jobs`, and what computes: TENSORFLOW or LITERT of `engines`.

    Raises:
        InputError: pictures, weights or folders that can't be used, by name.
    """
    if config.single_image and (config.ref or config.attention_map):
        raise InputError("`single_image` goes without `ref` and `attention_map`. Leave them.")
    found = jobs.of(config)
    files.read_header(naming.path_of(config.checkpoint))
    return found, engines.of(config.checkpoint, config.engine)
