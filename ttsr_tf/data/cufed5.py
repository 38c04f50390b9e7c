"""CUFED5's test split as `tfds build tfds_cufed5` leaves it."""

import functools
import importlib
import importlib.util
import io

from ttsr_tf.data.sets import CUFED5, LEVELS, Case, PictureSet, Stored
from ttsr_tf.errors import InputError
from ttsr_tf.images import files

TFDS_CUFED5 = "tfds_cufed5"


def load(data_dir=None):
    """The test split, of which one group at a time is read.

    Args:
        data_dir: where TFDS keeps its data sets; its own default if None.

    Returns:
        A `PictureSet`.

    Raises:
        InputError: it isn't built, or without the test pictures.
    """
    import tensorflow_datasets as tfds

    if importlib.util.find_spec(TFDS_CUFED5):
        importlib.import_module(TFDS_CUFED5)  # registers it; what is built is found without, too
    not_built = InputError(
        f"{TFDS_CUFED5} with its test pictures isn't built in {data_dir or 'the folder of TFDS'}. "
        f"Build it: tfds build {TFDS_CUFED5} --manual_dir=FOLDER_OF_CUFED5"
        f"{f' --data_dir={data_dir}' if data_dir else ''}"
    )
    try:
        builder = tfds.builder(TFDS_CUFED5, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError:
        raise not_built from None
    if "test" not in builder.info.splits:
        raise not_built

    encoded = tfds.decode.SkipDecoding()
    decoders = {"hr": encoded, "refs": encoded}

    @functools.lru_cache(maxsize=1)
    def group(i):
        """The pictures as files, truth first: decoding is the same as of a folder's."""
        split = builder.as_dataset(split=f"test[{i}:{i + 1}]", decoders=decoders)
        (example,) = split.as_numpy_iterator()
        return [example["hr"], *example["refs"]]

    def read(i, k):
        return files.read(io.BytesIO(group(i)[k])).rgb

    names = [
        example["name"].decode()
        for example in builder.as_dataset(split="test", decoders=decoders).as_numpy_iterator()
    ]
    cases = []
    for i, name in enumerate(names):
        hr, *refs = (
            Stored(f"{name}_{k}", functools.partial(read, i, k)) for k in range(LEVELS + 1)
        )
        cases.append(Case(name, hr, tuple(refs)))
    return PictureSet(builder.info.full_name, sorted(cases), CUFED5)
