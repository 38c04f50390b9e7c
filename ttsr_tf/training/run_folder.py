"""A run's folder: whose it is, and what lies where.

run.flags            the resolved configuration, loadable as a flagfile
checkpoints/         all that is needed to go on
model.safetensors    the generator of the last checkpoint
best.safetensors     the generator that validated best
scalars.csv, tensorboard/
"""

import dataclasses
import os

from ttsr_tf import configuration
from ttsr_tf.errors import InputError
from ttsr_tf.files import written_aside

FLAGS, CHECKPOINTS = "run.flags", "checkpoints"


def check(config):
    """Raises InputError if the folder is none, or holds a run that was told other things.

    Args:
        config: a `TrainingConfig`; what it calls changeable may differ.
    """
    folder = config.run_dir
    if os.path.isfile(folder):
        raise InputError(f"`run_dir`={folder} is a file. Give a folder.")
    path = os.path.join(folder, FLAGS)
    if not (os.path.isdir(os.path.join(folder, CHECKPOINTS)) and os.path.isfile(path)):
        return
    try:
        there = configuration.parse(type(config), [f"--flagfile={path}"])
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    # Wherever the folder has been moved to.
    free = {"run_dir", *config.changeable}
    names = [f.name for f in dataclasses.fields(config) if f.name not in free]
    changed = [name for name in names if getattr(there, name) != getattr(config, name)]
    if changed:
        before, now = (" ".join(_shown(c, name) for name in changed) for c in (there, config))
        raise InputError(
            f"`run_dir`={folder} holds a run with other values: {before} there, {now} now. To go "
            "on with it give the same; to start anew another `run_dir`."
        )


def write_flags(config):
    """Writes the run's flagfile."""
    path = os.path.join(config.run_dir, FLAGS)
    with written_aside(path) as aside, open(aside, "w") as file:
        file.writelines(f"{line}\n" for line in configuration.lines(config))


def _shown(config, name):
    value = getattr(config, name)
    return f"`{name}`={','.join(map(str, value)) if isinstance(value, tuple) else value}"
