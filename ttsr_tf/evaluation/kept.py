"""What was made of the pictures that a sheet may still be made of, on the disk meanwhile.

Which picture is the median is known at the end only. Half of a set may be it until then, which is
too much for memory; enlarging it again would take the longest.
"""

import contextlib
import glob
import os

import numpy as np

from ttsr_tf.evaluation import comparison
from ttsr_tf.files import make_folder, written_aside


class Kept:
    """Files of results: of best, worst and what may be the median, of every choice.

    Args:
        folder: its path; it is made when it is needed. What an interrupted start left is used.
    """

    def __init__(self, folder):
        self._folder = folder

    def add(self, row, result, *, rows, left):
        """Keeps a result, and drops those that can't be shown any more.

        Args:
            row: its `Row`.
            result: a dict of `sr` and `confidence`.
            rows: list of `Row`, of the same choice, of which it is one.
            left: how many are to come.

        Raises:
            InputError: it can't be written.
        """
        make_folder(os.path.dirname(self._path(row)), "output_dir")
        with written_aside(self._path(row)) as aside:
            np.savez(aside, sr=result["sr"], confidence=result["confidence"])
        shown = {self._path(other) for other in comparison.candidates(rows, left)}
        for path in self._files(row.references):
            if path not in shown:
                os.remove(path)

    def get(self, row):
        """The result of a row: a dict of `sr` and `confidence`; None if it isn't there."""
        if not os.path.exists(self._path(row)):
            return None
        with np.load(self._path(row)) as arrays:
            return dict(arrays)

    def remove(self):
        """Removes all files, and the folder if nothing else is in it."""
        for path in self._files("*"):
            os.remove(path)
            with contextlib.suppress(OSError):  # others are in it
                os.rmdir(os.path.dirname(path))
        with contextlib.suppress(OSError):
            os.rmdir(self._folder)

    def _files(self, choice):
        return glob.glob(os.path.join(glob.escape(self._folder), choice, "*.npz"))

    def _path(self, row):
        name = f"{row.picture.replace(os.sep, '_')}.npz"
        return os.path.join(self._folder, row.references, name)
