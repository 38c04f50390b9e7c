"""Files and folders: what can be written, written aside and renamed, told apart by a hash."""

import contextlib
import hashlib
import os
import pathlib
import tempfile

from ttsr_tf.errors import InputError


def check_folder(folder):
    """Raises InputError unless files can be written to `folder`."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"Can't write to the folder {folder} ({error.strerror}). Create it or choose another."
        ) from None


def make_folder(folder, name):
    """Makes a folder, or finds it, and sees that files can be written to it.

    Args:
        folder: its path.
        name: the argument that it was given as, for the error.

    Raises:
        InputError: it can't be made, or not be written to.
    """
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise InputError(f"Can't make `{name}` {folder} ({error.strerror}).") from None
    check_folder(folder)


@contextlib.contextmanager
def written_aside(path):
    """A temporary name with the same ending, renamed to `path` only if all went well.

    Raises:
        InputError: the file can't be written.
    """
    folder, name = os.path.split(path)
    # The ending stays whole, since formats and Keras go by it.
    aside = os.path.join(folder, f".{os.getpid()}.{name}")
    try:
        yield aside
        os.replace(aside, path)
    except OSError as error:
        raise InputError(f"Can't write {path} ({error.strerror or error}).") from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(aside)


def sha256(path):
    """The file's SHA-256 as hexadecimal digits."""
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
