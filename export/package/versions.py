"""Numbered folders of models, which servers watch: they see whole ones only."""

import contextlib
import errno
import os
import tempfile

from ttsr_tf.errors import InputError


def numbers(folder: str) -> set[int]:
    """The versions in a folder; none, if it can't be read."""
    try:
        names = os.listdir(folder)
    except OSError:
        return set()
    return {int(name) for name in names if name.isdecimal() and name == str(int(name))}


@contextlib.contextmanager
def aside(folder: str):
    """A hidden place in `folder` for a version that is being written; gone afterwards.

    Raises:
        InputError: nothing can be written there.
    """
    try:
        os.makedirs(folder, exist_ok=True)
        hidden = tempfile.TemporaryDirectory(prefix=".export-", dir=folder)
    except OSError as error:
        raise InputError(
            f"Can't write to the folder {folder} ({error.strerror}). Choose another `output_dir`."
        ) from None
    with hidden:
        # One deeper, since that folder itself could be read by its owner only.
        yield os.path.join(hidden.name, "model")


def publish(written: str, folder: str) -> str:
    """Renames `written` to the next free number in `folder`, and returns that path."""
    while True:
        taken = [int(name) for name in os.listdir(folder) if name.isdecimal()]
        path = os.path.join(folder, str(max(taken, default=0) + 1))
        try:
            os.rename(written, path)
            return path
        except OSError as error:
            # Another export was faster.
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise InputError(f"Can't write {path} ({error.strerror}).") from None
