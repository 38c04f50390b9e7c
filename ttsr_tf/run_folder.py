"""A run's folder: whose it is, and what lies where.

run.flags          the resolved flags, loadable as a flagfile
checkpoints/       all that is needed to go on
model.weights.h5   the generator of the last checkpoint
best.weights.h5    the generator that validated best
scalars.csv, tensorboard/
"""

import os

from ttsr_tf import images
from ttsr_tf.errors import InputError

FLAGS, CHECKPOINTS = "run.flags", "checkpoints"


def claim(folder, flags, free=()):
    """Makes the folder, or finds that the run in it has the same flags.

    Args:
        folder: its name.
        flags: list of lines of a flagfile.
        free: names of flags that may change when a run goes on.

    Raises:
        InputError: the folder can't be written to, or holds a run with other flags.
    """
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise InputError(f"Can't make --run_dir={folder} ({error.strerror}).") from None
    images.check_folder(folder)
    path = os.path.join(folder, FLAGS)
    if os.path.isdir(os.path.join(folder, CHECKPOINTS)) and os.path.isfile(path):
        with open(path) as file:
            _check_same(folder, set(file.read().splitlines()), set(flags), free)


def write_flags(folder, flags):
    """Writes the lines of the run's flagfile."""
    path = os.path.join(folder, FLAGS)
    with images.written_aside(path) as aside, open(aside, "w") as file:
        file.writelines(f"{line}\n" for line in flags)


def _check_same(folder, there, here, free):
    def changed(lines):
        return " ".join(sorted(line for line in lines if _name(line) not in free))

    before, now = changed(there - here), changed(here - there)
    if before or now:
        raise InputError(
            f"--run_dir={folder} holds a run with other flags: {before or 'none of these'} there, "
            f"{now or 'none of these'} now. To go on with it give the same flags; to start anew "
            "another --run_dir."
        )


def _name(line):
    return line.split("=")[0].lstrip("-").removeprefix("no")
