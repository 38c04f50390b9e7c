"""What a run writes down as it goes: scalars.csv, and TensorBoard's events."""

import csv
import json
import os
import time

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


class Recent:
    """The steps since the table's last row, whose means the next one shows.

    A checkpoint holds them as text, so that a run that goes on writes the row that it would have
    written anyway.

    Args:
        text: what `str` gave; default: no steps.
    """

    def __init__(self, text="{}"):
        self._sums = json.loads(text)  # name → [sum, number of steps that had it]
        self.leave_out_time()

    def __str__(self):
        return json.dumps(self._sums)

    def add(self, reports):
        """Takes in some steps, dicts of floats, and the time since those before."""
        seconds = (time.monotonic() - self._start) / len(reports)
        for report in reports:
            for name, value in {**report, "seconds": seconds}.items():
                total, count = self._sums.get(name, (0.0, 0))
                self._sums[name] = [total + value, count + 1]
        self.leave_out_time()

    def leave_out_time(self):
        """What was done since the last step isn't part of the next one's time."""
        self._start = time.monotonic()

    def means(self):
        """A dict of floats, `steps_per_second` among them."""
        means = {name: total / count for name, (total, count) in self._sums.items()}
        means["steps_per_second"] = 1 / means.pop("seconds")
        return means

    def clear(self):
        """A row of the table has these steps."""
        self._sums = {}


def _rows(path, last):
    """The table's rows up to a step; one that a crash cut off is left out."""
    if not os.path.isfile(path):
        return []
    with open(path, newline="") as file:
        rows = [row for row in csv.DictReader(file) if None not in row.values()]
    return [row for row in rows if row["step"].isdigit() and int(row["step"]) <= last]
