"""Which of the files are CUFED5's, and whether they are whole."""

import concurrent.futures
import os
import re
from collections import defaultdict
from typing import NamedTuple

import tensorflow as tf
import tqdm

from tfds_cufed5.files import File

LEVELS = 6  # the picture itself and its references L1 … L5
_FOLDER = re.compile(r"(?:.*[_-])?(input|ref)", re.IGNORECASE)
_LEVEL = re.compile(rf"(\d+)_([0-{LEVELS - 1}])\.\w+")


class Example(NamedTuple):
    """One example, not yet read.

    Attributes:
        name: of the pair (its file's name) or of the group ("000").
        pictures: train: input, ref; test: hr, then the references L1 … L5.
    """

    name: str
    pictures: tuple[File, ...]


class Split(NamedTuple):
    """What was found for a split.

    Attributes:
        examples: those that are complete, by name.
        bad: one line for each that isn't.
        places: the folders they are in.
        unused: further folders of the kind.
    """

    examples: list[Example]
    bad: list[str]
    places: list[str]
    unused: list[str]


def found(files):
    """Recognises both splits by the names of folders and pictures.

    Training pictures lie below a folder `input` or `ref`, or one ending so (`CUFED_input`); test
    pictures are called NNN_0 … NNN_5, wherever else they lie.

    Args:
        files: list of `File`.

    Returns:
        A dict of `Split`, by name: train, test.
    """
    kinds = {"input": defaultdict(dict), "ref": defaultdict(dict), "test": defaultdict(dict)}
    for file in files:
        kind, place, name = _recognised(file.path)
        if kind:
            kinds[kind][place][name] = file
    chosen, unused = {}, defaultdict(list)
    for kind, places in kinds.items():
        # The fullest one; the first of equals, so that inputs and refs go together.
        ranked = sorted(places.values(), key=len, reverse=True)
        chosen[kind], *others = [(_shown(pictures), pictures) for pictures in ranked or [{}]]
        unused["test" if kind == "test" else "train"] += [place for place, _ in others]
    return {
        "train": _pairs(chosen["input"], chosen["ref"], unused["train"]),
        "test": _groups(chosen["test"], unused["test"]),
    }


def readable(split, name):
    """Moves examples with pictures that TensorFlow can't decode to the bad ones.

    Args:
        split: a `Split`.
        name: "train" or "test", for the progress.

    Returns:
        A `Split`.
    """
    good, bad = [], list(split.bad)
    # Both the disk's waiting and TensorFlow's decoding let other threads run.
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        checked = pool.map(_faults, split.examples)
        # Where nobody sees a bar, TFDS' own lines are enough.
        progress = tqdm.tqdm(checked, name, len(split.examples), unit="example", disable=None)
        for example, faults in zip(split.examples, progress, strict=True):
            bad += faults
            if not faults:
                good.append(example)
    return split._replace(examples=good, bad=bad)


def _recognised(path):
    *folders, name = path.split("/")
    for i in reversed(range(len(folders))):
        if match := _FOLDER.fullmatch(folders[i]):
            place = "/".join(folders[: i + 1])
            return match[1].lower(), place, "/".join([*folders[i + 1 :], name])
    if _LEVEL.fullmatch(name):
        return "test", "/".join(folders) or ".", name
    return None, None, None


def _shown(pictures):
    for name, file in pictures.items():
        return file.shown.removesuffix(name).rstrip(":/\\")
    return None


def _pairs(inputs, refs, unused):
    places = [place for place, _ in (inputs, refs) if place]
    if len(places) == 1:
        have, lack = ("ref", "input") if refs[0] else ("input", "ref")
        count = len(inputs[1] or refs[1])
        bad = [f"{places[0]} has {count} pictures of `{have}`, but there is no `{lack}`"]
        return Split([], bad, places, unused)
    (at, inputs), (there, refs) = inputs, refs
    bad = [
        f"{inputs[name].shown} has no partner in {there}" for name in sorted({*inputs} - {*refs})
    ]
    bad += [f"{refs[name].shown} has no partner in {at}" for name in sorted({*refs} - {*inputs})]
    names = sorted({*inputs} & {*refs})
    return Split([Example(n, (inputs[n], refs[n])) for n in names], bad, places, unused)


def _groups(pictures, unused):
    place, pictures = pictures
    groups = defaultdict(dict)
    for name, file in pictures.items():
        group, level = _LEVEL.fullmatch(name).groups()
        groups[group][int(level)] = file
    examples, bad = [], []
    for group, levels in sorted(groups.items()):
        if missing := [f"{group}_{k}" for k in range(LEVELS) if k not in levels]:
            bad.append(f"{place} lacks {', '.join(missing)}")
        else:
            examples.append(Example(group, tuple(levels[k] for k in range(LEVELS))))
    return Split(examples, bad, [place] if place else [], unused)


def _faults(example):
    return [f"{file.shown} {fault}" for file in example.pictures if (fault := _fault(file))]


def _fault(file):
    try:
        # As the data set's reader will.
        tf.io.decode_image(file.read(), channels=3, expand_animations=False)
    except OSError as error:
        return f"can't be read ({error.strerror or error})"
    except tf.errors.InvalidArgumentError:
        return "is damaged, or neither PNG nor JPEG"
    return None
