"""Where the pictures of pairs lie: in a folder, or in the data set that TFDS built."""

import io
import os
from typing import NamedTuple

import PIL.Image

from ttsr_tf.errors import InputError, first_of
from ttsr_tf.images import files as pictures


class File(NamedTuple):
    """An encoded picture: on disk, or as bytes in memory."""

    name: str
    content: bytes | None = None

    def opened(self):
        return self.name if self.content is None else io.BytesIO(self.content)


def in_folder(data_dir):
    """Names and files of the pairs in input/ and ref/ of a folder, or of its train/.

    Raises:
        InputError: they are missing, or names without a partner.
    """
    if not data_dir:
        raise InputError("--dataset=folder needs --data_dir, the pairs' folder.")
    if not os.path.isdir(data_dir):
        raise InputError(f"--data_dir={data_dir} is not a folder. Give the pairs' folder.")
    train = os.path.join(data_dir, "train")
    root = train if os.path.isdir(train) else data_dir
    names = {}
    for kind in ("input", "ref"):
        folder = os.path.join(root, kind)
        if not os.path.isdir(folder):
            raise InputError(f"{folder} is missing: pairs are input/NAME and ref/NAME.")
        names[kind] = set(filter(pictures.is_picture, os.listdir(folder)))
    if unpaired := sorted(names["input"] ^ names["ref"]):
        where = [f"{'input' if n in names['input'] else 'ref'}/{n}" for n in unpaired]
        raise InputError(
            f"{root}: {len(unpaired)} pictures without a partner of the same name, "
            f"{first_of(where)}. Add or remove them."
        )
    paired = sorted(names["input"])
    files = [[File(os.path.join(root, kind, n)) for kind in ("input", "ref")] for n in paired]
    return paired, files


def in_tfds(data_dir):
    """Names and files of the training pairs of tfds_cufed5, whose bytes are read into memory.

    Args:
        data_dir: where TFDS built it, by default TFDS' own folder.

    Raises:
        InputError: it isn't built, or has no training pairs.
    """
    import tensorflow_datasets as tfds

    import tfds_cufed5  # noqa: F401  registers the data set

    configs = "strict", "skip_bad"
    builders = [tfds.builder(f"tfds_cufed5/{config}", data_dir=data_dir) for config in configs]
    builder = next((b for b in builders if "train" in b.info.splits), None)
    if not builder:
        raise InputError(
            f"tfds_cufed5 is not built in {builders[0].data_path}, or without its training pairs. "
            "Build it: tfds build tfds_cufed5 --manual_dir=… (and --data_dir, if given here)."
        )
    kinds = "input", "ref"
    decoders = {kind: tfds.decode.SkipDecoding() for kind in kinds}
    examples = tfds.as_numpy(builder.as_dataset(split="train", decoders=decoders))
    found = {example["name"].decode(): example for example in examples}
    names = sorted(found)
    return names, [[File(f"{kind}/{n}", found[n][kind]) for kind in kinds] for n in names]


def size(file):
    """(height, width), as the header says."""
    try:
        with PIL.Image.open(file.opened()) as image:
            return image.height, image.width
    except OSError:
        pictures.read(file.opened(), file.name)  # says what is wrong
        raise


def decoded(file):
    return pictures.read(file.opened(), file.name).rgb
