"""CUFED5 as `tfds build tfds_cufed5` leaves it.

Where it is built is found without TFDS, which takes seconds to import; only reading needs it.
"""

import functools
import glob
import importlib.util
import itertools
import json
import os
import re
from typing import NamedTuple

from ttsr_tf.data import pairing, records
from ttsr_tf.data.sets import CUFED5, LEVELS, Case, Outline, PictureSet, Stored
from ttsr_tf.errors import InputError

NAME = "tfds_cufed5"
TRAIN, TEST = "train", "test"
_CONFIGS = "strict", "skip_bad"  # the first that is built serves
_FORMAT = "tfrecord"  # TFDS' default
_CALLED = {TRAIN: "training pairs", TEST: "test pictures"}


class Built(NamedTuple):
    """A split on the disk.

    Attributes:
        folder: that of the data set's version.
        name: as TFDS calls it, such as tfds_cufed5/strict/1.0.0.
        count: examples of the split.
    """

    folder: str
    name: str
    count: int


def built(data_dir, split):
    """Where a split is.

    Args:
        data_dir: where TFDS built; None: where it does by default, which is $TFDS_DATA_DIR or
            ~/tensorflow_datasets.
        split: "train" or "test".

    Returns:
        A `Built`, of the latest version.

    Raises:
        InputError: TFDS isn't installed; the set isn't built there, or without the split.
    """
    if not importlib.util.find_spec("tensorflow_datasets"):
        raise InputError(f"{NAME} needs TensorFlow Datasets: pip install tensorflow-datasets.")
    default = os.environ.get("TFDS_DATA_DIR") or os.path.join("~", "tensorflow_datasets")
    place = os.path.expanduser(data_dir or default)
    for config in _CONFIGS:
        versions = glob.glob(os.path.join(glob.escape(place), NAME, config, "*"))
        for folder in sorted(versions, key=_version, reverse=True):
            if count := _count(folder, split):
                return Built(folder, f"{NAME}/{config}/{os.path.basename(folder)}", count)
    raise InputError(
        f"{NAME} with its {_CALLED[split]} isn't built in {place}. Build it: tfds build {NAME} "
        f"--manual_dir=FOLDER_OF_CUFED5{f' --data_dir={data_dir}' if data_dir else ''}"
    )


def outline(data_dir=None):
    """The `Outline` of the test split; arguments and errors as of `built`."""
    found = built(data_dir, TEST)
    return Outline(found.name, found.count, LEVELS, published_as=CUFED5)


def test_set(data_dir=None):
    """The test split, of which one group at a time is read.

    Args, errors: as of `built`.

    Returns:
        A `PictureSet`.
    """
    found = built(data_dir, TEST)

    @functools.lru_cache(maxsize=1)
    def group(i):
        """The pictures as files, truth first: decoding is the same as of a folder's."""
        (example,) = _examples(found, f"{TEST}[{i}:{i + 1}]", hr=True, refs=True)
        return [example["hr"], *example["refs"]]

    def content(i, k):
        return group(i)[k]

    cases = []
    for i, example in enumerate(_examples(found, TEST)):
        name = example["name"].decode()
        hr, *refs = (
            Stored(f"{name}_{k}", functools.partial(content, i, k)) for k in range(LEVELS + 1)
        )
        cases.append(Case(name, hr, tuple(refs)))
    return PictureSet(found.name, sorted(cases, key=lambda case: case.name), CUFED5)


def train_pairs(data_dir=None):
    """The training split, whose pictures are read from its files each time.

    Args, errors: as of `built`; InputError also for files of another format than TFRecord.

    Returns:
        A list of `Case` with one reference each, by name.
    """
    import tensorflow_datasets as tfds

    folder = built(data_dir, TRAIN).folder
    info = tfds.builder_from_directory(folder).info
    if info.file_format.value != _FORMAT:
        raise InputError(
            f"{folder} is in the format {info.file_format.value}, of which no single pair can be "
            f"read. Build it with --file_format={_FORMAT}."
        )
    # As the pictures of a folder are named; TFDS would make arrays of decoded ones.
    encoded = dict.fromkeys(
        [name for name in info.features if name != "name"], tfds.decode.SkipDecoding()
    )

    def example(record):
        return info.features.deserialize_example_np(record.read(), decoders=encoded)

    cases = []
    for record in itertools.chain(*map(records.found, map(str, info.splits[TRAIN].filepaths))):
        name = example(record)["name"].decode()
        hr, ref = (
            Stored(f"{kind}/{name}", lambda record=record, kind=kind: example(record)[kind])
            for kind in ("input", "ref")
        )
        cases.append(Case(pairing.stem(name), hr, (ref,)))
    return sorted(cases, key=lambda case: case.name)


def _examples(found, split, **pictures):
    """Dicts of `name` and of some pictures, encoded, as NumPy's iterator gives them."""
    import tensorflow_datasets as tfds

    encoded = dict.fromkeys(pictures, tfds.decode.SkipDecoding())
    # What a split doesn't have is stored as one black pixel: it is left out.
    decoders = tfds.decode.PartialDecoding({"name": True, **pictures}, encoded)
    builder = tfds.builder_from_directory(found.folder)
    return builder.as_dataset(split=split, decoders=decoders).as_numpy_iterator()


def _count(folder, split):
    """Examples of a split; 0 where it isn't there."""
    try:
        with open(os.path.join(folder, "dataset_info.json"), encoding="utf-8") as file:
            splits = json.load(file)["splits"]
        return sum(sum(map(int, of["shardLengths"])) for of in splits if of["name"] == split)
    except (OSError, ValueError, KeyError, TypeError):
        return 0  # not built to its end


def _version(folder):
    return [int(number) for number in re.findall(r"\d+", os.path.basename(folder))]
