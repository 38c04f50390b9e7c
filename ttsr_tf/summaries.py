"""What a run writes down as it goes: scalars.csv, and TensorBoard's events."""

import csv
import os

import tensorflow as tf

from ttsr_tf import sheets


class Summaries:
    """Scalars and pictures of a run.

    Args:
        run_dir: the run's folder.
        names: names of all scalars.
        step: int; what an earlier start wrote beyond this step is taken out of the table.
    """

    def __init__(self, run_dir, names, step):
        path = os.path.join(run_dir, "scalars.csv")
        self._columns = ["step", *names]
        rows = _rows(path, step)
        self._file = open(path, "w", newline="")  # noqa: SIM115  closed by `close`
        self._table = csv.DictWriter(self._file, self._columns, restval="")
        self._table.writeheader()
        self._table.writerows(rows)
        self._writer = tf.summary.create_file_writer(os.path.join(run_dir, "tensorboard"))

    def scalars(self, step, values):
        """Writes a dict of floats."""
        self._table.writerow({"step": step, **values})
        self._file.flush()
        with self._writer.as_default(step):
            for name, value in values.items():
                tf.summary.scalar(name, value)
        self._writer.flush()

    def pictures(self, step, panels):
        """Writes one sheet of (label, picture)."""
        with self._writer.as_default(step):
            tf.summary.image("held out", sheets.sheet(panels)[None])
        self._writer.flush()

    def close(self):
        self._file.close()
        self._writer.close()


def _rows(path, last):
    """The table's rows up to a step; one that a crash cut off is left out."""
    if not os.path.isfile(path):
        return []
    with open(path, newline="") as file:
        rows = [row for row in csv.DictReader(file) if None not in row.values()]
    return [row for row in rows if row["step"].isdigit() and int(row["step"]) <= last]
