"""The folders that sets come in: which files are a picture and its references."""

import os
import re

from ttsr_tf.data import pairing
from ttsr_tf.data.sets import CUFED5, LEVELS, Case, PictureSet, Stored
from ttsr_tf.errors import InputError, first_of
from ttsr_tf.images import files

SUN80, URBAN100, MANGA109, FOLDER = "sun80", "urban100", "manga109", "folder"
GROUPS, PAIRS, PICTURES = LAYOUTS = "groups", "pairs", "pictures"  # of a folder

_PUBLISHED_AS = {SUN80: "Sun80", URBAN100: "Urban100", MANGA109: "Manga109"}
_TRUTHS, _MATCHES = "Sun_Hays_SR_groundtruth", "Sun_Hays_SR_scenematches"


def load(dataset, data_dir, layout=None):
    """The test set in a folder.

    Args:
        dataset: "sun80", "urban100", "manga109" or "folder".
        data_dir: the folder.
        layout: of "folder": one of `LAYOUTS`; None finds out.

    Returns:
        A `PictureSet`.

    Raises:
        InputError: what was expected there and isn't, by name.
    """
    _check_folder(dataset, data_dir)
    if layout and dataset != FOLDER:
        raise InputError(f"`layout` goes with `dataset`={FOLDER}, not {dataset}. Leave it out.")
    if dataset == SUN80:
        return _sun80(data_dir)
    if dataset in (URBAN100, MANGA109):
        # The published numbers' LR is made from HR, whatever lies beside it.
        found = _truths(data_dir, use_lr=False)
        return found._replace(name=f"{dataset}, {found.name}", published_as=_PUBLISHED_AS[dataset])
    if layout in (None, GROUPS):
        for folder in (data_dir, *_within(data_dir, "CUFED5", "test/CUFED5", "test")):
            names = pairing.pictures(folder)
            if any(re.fullmatch(r".+_0", stem) and f"{stem[:-1]}1" in names for stem in names):
                return _groups(folder, names)
        if layout:
            raise _no_test_set(data_dir)
    if layout == PAIRS or (not layout and _within(data_dir, "ref", "train/ref")):
        cases = _some(pairs(data_dir), data_dir)
        return PictureSet(f"folder of pairs, {_root_of_pairs(data_dir)}", cases)
    return _truths(data_dir, use_lr=True)


def pairs(data_dir):
    """The pairs in input/ and ref/ of a folder, or of its train/.

    Args:
        data_dir: the folder.

    Returns:
        A list of `Case` with one reference each, by name.

    Raises:
        InputError: what was expected there and isn't, by name.
    """
    _check_folder(FOLDER, data_dir)
    return [
        Case(name, _stored(hr), (_stored(ref),))
        for name, hr, ref in pairing.partners(_root_of_pairs(data_dir))
    ]


def _check_folder(dataset, data_dir):
    if not data_dir:
        raise InputError(f"`dataset`={dataset} needs `data_dir`, the folder of its pictures.")
    if not os.path.isdir(data_dir):
        raise InputError(f"`data_dir`={data_dir} is not a folder. Give that of the pictures.")


def _root_of_pairs(data_dir):
    train = os.path.join(data_dir, "train")
    return train if _within(train, "input", "ref") else data_dir


def _groups(folder, names):
    """CUFED5's: NNN_0 and its references NNN_1 … NNN_5."""
    strays = [name for stem, name in names.items() if not re.fullmatch(r".+_[0-5]", stem)]
    if strays:
        raise InputError(
            f"{folder} has NNN_0 … NNN_5, and beside them {first_of(strays)}. Remove the "
            f"latter, or give `layout`={PICTURES} if these are no groups."
        )
    groups = sorted({stem[:-2] for stem in names})
    wanted = [f"{group}_{k}" for group in groups for k in range(LEVELS + 1)]
    if missing := [stem for stem in wanted if stem not in names]:
        raise InputError(
            f"{folder}: missing are {first_of(missing)}. A group is NNN_0 and NNN_1 … NNN_5; if "
            f"these are none, give `layout`={PICTURES}."
        )
    cases = []
    for group in groups:
        hr, *refs = (_stored(folder, names[f"{group}_{k}"]) for k in range(LEVELS + 1))
        cases.append(Case(group, hr, tuple(refs)))
    return PictureSet(f"folder in CUFED5's layout, {folder}", cases, CUFED5)


def _sun80(data_dir):
    truths, matches = (os.path.join(data_dir, name) for name in (_TRUTHS, _MATCHES))
    for folder in (truths, matches):
        if not os.path.isdir(folder):
            raise InputError(
                f"{folder} is missing: Sun80 is {_TRUTHS}/PICTURE and {_MATCHES}/PICTURE/*."
            )
    cases, bare = [], []
    for stem, name in pairing.pictures(truths).items():
        # The published folders are called as the pictures, ending and all.
        found = _within(matches, name, stem)
        refs = pairing.pictures(found[0]).values() if found else ()
        cases.append(
            Case(stem, _stored(truths, name), tuple(_stored(found[0], ref) for ref in refs))
        )
        if not refs:
            bare.append(name)
    if bare:
        raise InputError(f"{matches} has no pictures for {first_of(bare)}.")
    if not cases:
        raise InputError(f"{truths} holds no pictures ({', '.join(files.EXTENSIONS)}).")
    return PictureSet(f"sun80, {data_dir}", cases, _PUBLISHED_AS[SUN80])


def _truths(data_dir, use_lr):
    """*_HR, with *_LR if `use_lr`; or plain pictures."""
    folders = [data_dir, *_within(data_dir, "HR", "image_SRF_4")]
    folder = next((f for f in folders if pairing.pictures(f)), data_dir)
    names = pairing.pictures(folder)
    marked = [stem for stem in names if stem.endswith("_HR")]
    lr = {stem: names.get(f"{stem[:-2]}LR") for stem in marked} if use_lr else {}
    if any(lr.values()) and (missing := [f"{stem[:-2]}LR" for stem in marked if not lr[stem]]):
        raise InputError(f"{folder}: of *_HR and *_LR, missing are {first_of(missing)}.")
    cases = [
        Case(
            stem.removesuffix("_HR"),
            _stored(folder, names[stem]),
            lr=_stored(folder, lr[stem]) if lr.get(stem) else None,
        )
        for stem in marked or names
    ]
    kind = "*_HR and *_LR" if any(lr.values()) else "*_HR" if marked else "pictures"
    return PictureSet(f"folder of {kind}, {folder}", _some(cases, data_dir))


def _some(cases, data_dir):
    if not cases:
        raise _no_test_set(data_dir)
    return cases


def _no_test_set(data_dir):
    return InputError(
        f"{data_dir} holds no such test set: CUFED5's NNN_0 … NNN_5 ({GROUPS}), input/NAME and "
        f"ref/NAME ({PAIRS}), *_HR with or without *_LR, or plain pictures ({PICTURES}) are known."
    )


def _within(folder, *names):
    paths = (os.path.join(folder, name) for name in names)
    return [path for path in paths if os.path.isdir(path)]


def _stored(*parts):
    path = os.path.join(*parts)
    return Stored(os.path.basename(path), path)
