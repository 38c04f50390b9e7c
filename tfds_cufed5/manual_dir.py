"""What `--manual_dir` holds of CUFED5: found, said and checked before anything is built."""

from absl import logging

from tfds_cufed5 import contents, files
from tfds_cufed5.errors import InputError

NAMED_AT_MOST = 20
PUBLISHED = {"train": 11_871, "test": 126}

INSTRUCTIONS = """\
Put into DIR what you have of CUFED5, train or test alone if need be, as archives (zip, tar) or
unpacked:

    DIR/train/input/NAME.png   pictures to train on, 160×160; or DIR/input, DIR/CUFED_input
    DIR/train/ref/NAME.png     a reference of the same name;  or DIR/ref, DIR/CUFED_ref
    DIR/test/CUFED5/NNN_0.png  pictures to test on;           or DIR/CUFED5
    DIR/test/CUFED5/NNN_1.png … NNN_5.png                     their references L1 … L5

The authors' links (they may be dead; the licence is unclear, so copies aren't shared here):

    train        https://drive.google.com/drive/folders/1hGHy36XcmSZ1LtARWmGL5OK1IUdWJi3I
    train input  https://drive.google.com/file/d/1gN5IPZgPNkjdeXdTySe1Urog5OG8mrLc  567 MiB
    train ref    https://drive.google.com/file/d/13BX-UY4jUZu9S--X2Cd6yZ-3nH77nqo_  588 MiB
    test         https://drive.google.com/file/d/1Fa1mopExA9YGG1RxrCZZn7QFTYXLx6ph  233 MiB

Then: tfds build tfds_cufed5 --manual_dir=DIR
"""


def examples(folder, scratch, skip_bad):
    """The examples of each split that the folder holds.

    Args:
        folder: `--manual_dir`.
        scratch: an empty folder, to be kept until the examples were read.
        skip_bad: whether to leave out what can't be used, rather than to fail.

    Returns:
        A dict of lists of `contents.Example`, by the split's name.

    Raises:
        InputError: nothing was found; an archive can't be trusted; or examples can't be used.
    """
    pictures, bad = files.listed(folder, scratch)
    splits = contents.found(pictures)
    if not bad and not any(split.places for split in splits.values()):
        raise InputError(
            f"No picture of CUFED5 was found in {folder} ({len(pictures)} others).\n{INSTRUCTIONS}"
        )
    for name, split in splits.items():
        _say_what_was_found(name, split)
    logging.info("Decoding every picture, to find damaged ones before anything is written")
    splits = {name: contents.readable(split, name) for name, split in splits.items()}
    bad += [line for split in splits.values() for line in split.bad]
    if bad:
        _report(bad, skip_bad)
    whole = {name: split.examples for name, split in splits.items() if split.examples}
    if not whole:
        raise InputError(f"Nothing of CUFED5 in {folder} can be used.")
    for name, split in whole.items():
        if len(split) != PUBLISHED[name]:
            logging.warning(
                "%s: %d examples, but %d were published", name, len(split), PUBLISHED[name]
            )
    return whole


def _say_what_was_found(name, split):
    if split.places:
        logging.info(
            "%s: %d examples found in %s", name, len(split.examples), " and ".join(split.places)
        )
    else:
        logging.warning(
            "%s: nothing found, so there will be no such split (later: build with --overwrite)",
            name,
        )
    if split.unused:
        logging.warning("%s: found again, and not used, in %s", name, ", ".join(split.unused))


def _report(bad, skip_bad):
    lines = [f"  {line}" for line in bad[:NAMED_AT_MOST]]
    if len(bad) > NAMED_AT_MOST:
        lines.append(f"  and {len(bad) - NAMED_AT_MOST} more")
    named = "\n".join(lines)
    if skip_bad:
        logging.warning("Left out, since they can't be used (%d):\n%s", len(bad), named)
        return
    raise InputError(
        f"Some of the files can't be used ({len(bad)}):\n{named}\n"
        "Mend them, or leave them out: tfds build tfds_cufed5 --config=skip_bad --manual_dir=DIR"
    )
