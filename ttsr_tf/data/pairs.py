"""Pairs of pictures with random access, from wherever they lie: sample, folder, TFDS data set."""

from concurrent.futures import ThreadPoolExecutor

from ttsr_tf.data import cufed5, folders, sample
from ttsr_tf.errors import NAMED_AT_MOST, InputError, first_of
from ttsr_tf.progress import Progress

SAMPLE, FOLDER, CUFED5 = "sample", folders.FOLDER, cufed5.NAME
SAMPLE_PAIRS = 128
VALIDATION_PAIRS = 8


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


def check(dataset, data_dir=None):
    """Finds what would make `load` fail and can be known without reading a picture.

    Args:
        dataset, data_dir: as of `load`.

    Raises:
        InputError: an unknown data set, or one that isn't there; too few pairs, or pictures without
            a partner, by name.
    """
    if dataset == SAMPLE:
        if data_dir:
            raise InputError(
                f"`data_dir` goes with `dataset`={FOLDER} or {CUFED5}, not {SAMPLE}. Leave it out."
            )
        sample.check()
    elif dataset == FOLDER:
        _check_count(len(folders.pairs(data_dir)))
    elif dataset == CUFED5:
        _check_count(cufed5.built(data_dir, cufed5.TRAIN).count)
    else:
        known = f"{SAMPLE}, {FOLDER} or {CUFED5}"
        raise InputError(f"`dataset` must be {known}, got {dataset!r}.")


def load(dataset, data_dir=None, *, crop_size=160, seed=0, cache_gb=4.0, skip_corrupt=False):
    """The pairs of a data set.

    Args:
        dataset: "sample", "folder" or "tfds_cufed5".
        data_dir: for "folder": holds input/NAME and ref/NAME, or train/input and train/ref, where
            endings may differ; for "tfds_cufed5": where TFDS built it, by default TFDS' own folder.
        crop_size: side of the crops that will be taken, pixels.
        seed: int, of the sample.
        cache_gb: if all pictures, decoded, take no more than this, GiB, they are kept in memory;
            otherwise they are read anew each time.
        skip_corrupt: whether to go on without pictures that can't be read.

    Returns:
        Two `Pairs`: to train on; and eight, the first by name, to validate on.

    Raises:
        InputError: an unknown data set, or pictures that can't be used, by name.
    """
    check(dataset, data_dir)
    if dataset == SAMPLE:
        made = sample.training_pairs(SAMPLE_PAIRS, crop_size, seed)
        return _of_arrays(*made), _of_arrays(*sample.validation_pairs(crop_size))
    cases = folders.pairs(data_dir) if dataset == FOLDER else cufed5.train_pairs(data_dir)
    cases, sizes, decoded = _read(cases, cache_gb, skip_corrupt)
    _check_sizes(cases, sizes, crop_size)
    names = [case.name for case in cases]
    if decoded is None:
        pairs = Pairs(names, lambda i: _decoded(cases[i]), skip_corrupt)
    else:
        pairs = Pairs(names, decoded.__getitem__)
    _check_count(len(pairs))
    places = range(len(pairs))
    return pairs.chosen(places[VALIDATION_PAIRS:]), pairs.chosen(places[:VALIDATION_PAIRS])


def _decoded(case):
    return case.hr.read(), case.refs[0].read()


def _tried(case):
    try:
        return _decoded(case)
    except InputError as error:
        return error


def _read(cases, cache_gb, skip_corrupt):
    """Decodes every pair once: what can't be read is known before the first step.

    Returns:
        The cases that can be read; the sizes (height, width) of their two pictures; and these
        themselves, or None if all together take more than `cache_gb`.

    Raises:
        InputError: a picture can't be read, and `skip_corrupt` is not set.
    """
    progress, left = Progress(len(cases), "pair read"), 2**30 * cache_gb
    whole, sizes, decoded, errors = [], [], [], []
    with ThreadPoolExecutor() as pool:
        for case, pair in zip(cases, pool.map(_tried, cases), strict=True):
            progress.advance()
            if isinstance(pair, InputError):
                errors.append(str(pair))
                continue
            whole.append(case)
            sizes.append([picture.shape[:2] for picture in pair])
            left -= sum(picture.nbytes for picture in pair)
            decoded.append(pair)
            if left < 0:
                decoded.clear()
    progress.close()
    if errors:
        named = " ".join(errors[:NAMED_AT_MOST])
        if not skip_corrupt:
            raise InputError(f"{named} `skip_corrupt` goes on without them.")
        print(f"Left out: {len(errors)} pairs. {named}")
    return whole, sizes, decoded if left >= 0 else None


def _check_count(count):
    if count <= VALIDATION_PAIRS:
        raise InputError(f"{count} pairs were found, at least {VALIDATION_PAIRS + 1} are needed.")


def _check_sizes(cases, sizes, crop_size):
    wanted = ("pictures", f"`crop_size`={crop_size}", crop_size), ("references", "12 pixels", 12)
    for place, (called, words, least) in enumerate(wanted):
        small = [
            f"{case.name} ({pair[place][1]}×{pair[place][0]})"
            for case, pair in zip(cases, sizes, strict=True)
            if min(pair[place]) < least
        ]
        if small:
            raise InputError(f"{len(small)} {called} are smaller than {words}: {first_of(small)}.")


def _of_arrays(hr, ref):
    return Pairs([f"{i}" for i in range(len(hr))], lambda i: (hr[i], ref[i]))
