"""What was made of the pictures that a report shows, or may show, on the disk.

Which picture is the median is known at the end only. Half of a set may be it until then, which is
too much for memory; enlarging it again would take the longest. What is shown at last stays: a start
with other references writes a new report of all.
"""

import glob
import os

import numpy as np

from ttsr_tf.files import make_folder, written_aside


class Kept:
    """Files of results, of every choice.

    Args:
        folder: its path; it is made when it is needed. What an earlier start left is used.
    """

    def __init__(self, folder):
        self._folder = folder

    def add(self, row, result):
        """Keeps a result.

        Args:
            row: its `Row`.
            result: what `Upscaler.upscale_with_attention` gave.

        Raises:
            InputError: it can't be written.
        """
        make_folder(os.path.dirname(self._path(row)), "output_dir")
        with written_aside(self._path(row)) as aside:
            np.savez(aside, **result)

    def keep_only(self, rows):
        """Drops what was kept of a choice, but for some rows.

        Args:
            rows: list of `Row`, of one choice, not empty.
        """
        paths = set(map(self._path, rows))
        pattern = os.path.join(glob.escape(os.path.dirname(self._path(rows[0]))), "*.npz")
        for path in glob.glob(pattern):
            if path not in paths:
                os.remove(path)

    def get(self, row):
        """The result of a row, as it was added; None if it isn't there."""
        if not os.path.exists(self._path(row)):
            return None
        with np.load(self._path(row)) as arrays:
            return dict(arrays)

    def _path(self, row):
        name = f"{row.picture.replace(os.sep, '_')}.npz"
        return os.path.join(self._folder, row.references, name)
