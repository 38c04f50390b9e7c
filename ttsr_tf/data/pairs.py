"""Pairs of pictures with random access, from wherever they lie: sample, folder, TFDS data set."""

from concurrent.futures import ThreadPoolExecutor

from ttsr_tf.data import pair_files, sample
from ttsr_tf.errors import NAMED_AT_MOST, InputError, first_of
from ttsr_tf.progress import Progress

SAMPLE, FOLDER, CUFED5 = "sample", "folder", "tfds_cufed5"
SAMPLE_PAIRS = 128
HELD_OUT = 8


class Pairs:
    """Pairs that are read when they are asked for: `pairs[i]` is (hr, ref), uint8 [H, W, 3] each.

    Args:
        names: list of str.
        read: a function from a place in the list to a pair; raises InputError if it can't be read.
        substitute: whether the next pair takes the place of one that can't be read, whose name goes
            to `skipped`.

    Attributes:
        failure: the InputError that reading raised last, for callers whom TensorFlow hides it from.
    """

    def __init__(self, names, read, substitute=False):
        self.names, self.skipped, self.failure = names, set(), None
        self._read, self._substitute = read, substitute

    def __len__(self):
        return len(self.names)

    def __getitem__(self, i):
        for place in (*range(i, len(self)), *range(i)):
            try:
                return self._read(place)
            except InputError as error:
                self.skipped.add(self.names[place])
                if not self._substitute:
                    self.failure = error
                    raise
        raise InputError("None of the pairs can be read.")

    def chosen(self, places):
        """The pairs at some places of the list."""
        names = [self.names[i] for i in places]
        return Pairs(names, lambda i: self._read(places[i]), self._substitute)


def load(dataset, data_dir=None, crop_size=160, seed=0, cache_gb=4.0, skip_corrupt=False):
    """The pairs of a data set.

    Args:
        dataset: "sample", "folder" or "tfds_cufed5".
        data_dir: for "folder": holds input/NAME and ref/NAME, or train/input and train/ref; for
            "tfds_cufed5": where TFDS built it, by default TFDS' own folder.
        crop_size: side of the crops that will be taken, pixels.
        seed: int, of the sample.
        cache_gb: if all pictures, decoded, take no more than this, GiB, they are kept in memory;
            otherwise they are read anew each time.
        skip_corrupt: whether to go on without pictures that can't be read.

    Returns:
        Two `Pairs`: to train on, and eight held out.

    Raises:
        InputError: an unknown data set, or pictures that can't be used, by name.
    """
    if dataset == SAMPLE:
        made = sample.training_pairs(SAMPLE_PAIRS, crop_size, seed)
        return _of_arrays(*made), _of_arrays(*sample.held_out_pairs(crop_size))
    if dataset == FOLDER:
        names, files = pair_files.in_folder(data_dir)
    elif dataset == CUFED5:
        names, files = pair_files.in_tfds(data_dir)
    else:
        known = f"{SAMPLE}, {FOLDER} or {CUFED5}"
        raise InputError(f"`dataset` must be {known}, got {dataset!r}.")
    names, files, sizes = _readable(names, files, pair_files.size, "checked", skip_corrupt)
    _check_sizes(names, sizes, crop_size)
    if 3 * sum(height * width for pair in sizes for height, width in pair) <= 2**30 * cache_gb:
        names, _, decoded = _readable(names, files, pair_files.decoded, "decoded", skip_corrupt)
        pairs = Pairs(names, decoded.__getitem__)
    else:
        pairs = Pairs(names, lambda i: tuple(map(pair_files.decoded, files[i])), skip_corrupt)
    if len(pairs) <= HELD_OUT:
        raise InputError(f"{len(pairs)} pairs were found, at least {HELD_OUT + 1} are needed.")
    return pairs.chosen(range(HELD_OUT, len(pairs))), pairs.chosen(range(HELD_OUT))


def _readable(names, files, read, done, skip_corrupt):
    """Names, files and what `read` made of both, of the pairs where it raises no InputError.

    `done` is what the progress calls that.

    Raises:
        InputError: there are others, and `skip_corrupt` is not set.
    """

    def tried(pair):
        try:
            return [read(file) for file in pair]
        except InputError as error:
            return error

    progress, results = Progress(len(files), f"pair {done}"), []
    with ThreadPoolExecutor() as pool:
        for result in pool.map(tried, files):
            results.append(result)
            progress.advance()
    progress.close()
    if errors := [str(result) for result in results if isinstance(result, InputError)]:
        if not skip_corrupt:
            raise InputError(
                f"{' '.join(errors[:NAMED_AT_MOST])} --skip_corrupt goes on without them."
            )
        print(f"Left out: {len(errors)} pairs. {' '.join(errors[:NAMED_AT_MOST])}")
    rows = zip(names, files, results, strict=True)
    rows = [row for row in rows if not isinstance(row[-1], InputError)]
    return zip(*rows, strict=True) if rows else ([], [], [])


def _check_sizes(names, sizes, crop_size):
    small = [
        f"{name} ({width}×{height})"
        for name, ((height, width), _) in zip(names, sizes, strict=True)
        if min(height, width) < crop_size
    ]
    if small:
        raise InputError(
            f"{len(small)} pictures are smaller than --crop_size={crop_size}: {first_of(small)}."
        )


def _of_arrays(hr, ref):
    return Pairs([f"{i}" for i in range(len(hr))], lambda i: (hr[i], ref[i]))
