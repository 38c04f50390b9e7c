"""What an evaluation can be told, and what of it can be judged without TensorFlow."""

import dataclasses
import os
from typing import NamedTuple

from ttsr_tf import __version__
from ttsr_tf.configuration import (
    REQUIRED,
    Configuration,
    choice,
    integer,
    integers,
    string,
    switch,
)
from ttsr_tf.data import cufed5, folders
from ttsr_tf.data.sets import Outline
from ttsr_tf.errors import InputError
from ttsr_tf.evaluation import references, results
from ttsr_tf.files import check_folder, sha256
from ttsr_tf.images import degradation
from ttsr_tf.inference import engines
from ttsr_tf.inference.config import memory_field
from ttsr_tf.weights import files, lpips, naming


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluationConfig(Configuration):
    """A test set, a network, and how it is measured; each field's help says what it is.

    Raises:
        InputError: a value out of its bounds.
    """

    checkpoint: str = string(naming.DEFAULT, naming.MEANING)
    dataset: str = choice(
        folders.FOLDER,
        "The test set; folder: CUFED5's NNN_0 … NNN_5, pairs input/NAME and ref/NAME, *_HR with or "
        "without *_LR, or plain pictures.",
        enum_values=[
            cufed5.NAME,
            folders.SUN80,
            folders.URBAN100,
            folders.MANGA109,
            folders.FOLDER,
        ],
    )
    data_dir: str | None = string(None, "Its folder; for tfds_cufed5, where TFDS built it.")
    layout: str | None = choice(
        None,
        "Of a folder. groups: CUFED5's. pairs: input/NAME and ref/NAME. pictures: *_HR, or plain "
        "ones. Default: what it looks like.",
        enum_values=folders.LAYOUTS,
    )
    references: str | None = choice(
        None,
        "1 … 5: one of the references in order. all: five of CUFED5, stitched as in the paper and "
        "as the best of five. levels: each of the five, then self. self: the small picture itself. "
        "grey: a grey picture. "
        "random: another picture of the set. Default: 1, or self where there are no references.",
        enum_values=references.KINDS,
    )
    reference_warp: tuple[int, ...] = integers(
        (0,),
        "Degrees; the references are turned by each of them in turn, and sheared by half of it.",
        upper_bound=90,
    )
    degradation: str = choice(
        degradation.BICUBIC,
        "How LR is made of HR; realistic: with a blur before, noise and JPEG after.",
        enum_values=degradation.KINDS,
    )
    output_dir: str = string(REQUIRED, "Where results are written.")
    seed: int = integer(0, "Of random references, and of the realistic degradation.", lower_bound=0)
    test_y_channel: bool = switch(
        True, "What is measured: Y, as published numbers are; otherwise RGB."
    )
    crop_border: int = integer(
        0, "Pixels cropped on every side before measuring; published is 0.", lower_bound=0
    )
    lpips: str | None = choice(
        None,
        "Also measures LPIPS, on RGB, with this network (extra lpips). Default: without.",
        enum_values=lpips.NETS,
    )
    memory_gb: float | None = memory_field()
    precision: str = engines.precision()


class Plan(NamedTuple):
    """What an evaluation will do.

    Attributes:
        outline: the `Outline` of its test set.
        choices: list of `references.Choice`.
        protocol: dict of str, which every row carries: numbers of another one never come beside it.
    """

    outline: Outline
    choices: list
    protocol: dict


def check(config):
    """Finds what would make an evaluation fail, before TensorFlow is there.

    Args:
        config: an `EvaluationConfig`.

    Returns:
        The `Plan`.

    Raises:
        InputError: a data set, references, weights or a folder that can't be used, by name;
            results of another protocol in the folder.
    """
    outline = _outline(config)
    choices = references.chosen(
        config.references, outline, seed=config.seed, angles=config.reference_warp
    )
    path = naming.path_of(config.checkpoint)
    files.read_header(path)
    protocol = {
        "data_set": outline.name,
        "pictures": str(outline.count),
        "lr": _lr(config, outline),
        "resize": "Pillow's bicubic on uint8",
        "test_y_channel": str(config.test_y_channel).lower(),
        "crop_border": str(config.crop_border),
        "checkpoint_sha256": sha256(path),
        "version": f"ttsr-tf {__version__}",
    }
    if config.precision != engines.EXACT:
        protocol["precision"] = config.precision
    if config.lpips:
        protocol["lpips_network"] = config.lpips
        protocol["lpips_sha256"] = sha256(lpips.path_of(config.lpips))
    _check_makeable(config.output_dir)
    results.read(os.path.join(config.output_dir, results.FILE), protocol)
    return Plan(outline, choices, protocol)


def _outline(config):
    if config.dataset == cufed5.NAME:
        return cufed5.outline(config.data_dir)
    return folders.load(config.dataset, config.data_dir, config.layout).outline


def _lr(config, outline):
    if config.degradation == degradation.BICUBIC:
        return "as given" if outline.lr_given else "made from HR"
    if outline.lr_given:
        raise InputError(
            f"`degradation`={config.degradation} makes LR of HR, but {outline.name} comes with "
            "LR. Leave it."
        )
    return f"made from HR: {degradation.IN_WORDS}, seed {config.seed}"


def _check_makeable(folder):
    """Raises InputError unless the folder, or the nearest one above it, can be written to."""
    there = os.path.abspath(folder)
    while not os.path.exists(there):
        there = os.path.dirname(there)
    if not os.path.isdir(there):
        raise InputError(f"Can't make `output_dir`={folder}: {there} is a file. Choose another.")
    check_folder(there)
