"""What a run writes down as it goes: scalars.csv, and TensorBoard's events."""

import csv
import os

import tensorflow as tf

from ttsr_tf.files import written_aside
from ttsr_tf.images import sheets


class Summaries:
    """Scalars and pictures of a run.

    Args:
        run_dir: the run's folder.
        names: names of all scalars.
        step: int; what an earlier start wrote beyond this step is taken out of the table.
    """

    def __init__(self, run_dir, names, step):
        self._path, self._columns = os.path.join(run_dir, "scalars.csv"), ["step", *names]
        rows = _rows(self._path, step)
        with written_aside(self._path) as aside, open(aside, "w", newline="") as file:
            self._table(file).writeheader()
            self._table(file).writerows(rows)
        self._writer = tf.summary.create_file_writer(os.path.join(run_dir, "tensorboard"))

    def scalars(self, step, values):
        """Writes a dict of floats."""
        with open(self._path, "a", newline="") as file:
            self._table(file).writerow({"step": step, **values})
        with self._writer.as_default(step):
            for name, value in values.items():
                tf.summary.scalar(name, value)
        self._writer.flush()

    def pictures(self, step, panels):
        """Writes one sheet of (label, picture)."""
        with self._writer.as_default(step):
            tf.summary.image("validation", sheets.sheet(panels)[None])
        self._writer.flush()

    def _table(self, file):
        return csv.DictWriter(file, self._columns, restval="")


def _rows(path, last):
    """The table's rows up to a step; one that a crash cut off is left out."""
    if not os.path.isfile(path):
        return []
    with open(path, newline="") as file:
        rows = [row for row in csv.DictReader(file) if None not in row.values()]
    return [row for row in rows if row["step"].isdigit() and int(row["step"]) <= last]
