"""Ours beside the authors' program, in one run: a second picture, and training steps.

RELEASED=… python benchmarks/beside_released.py [--batch_sizes=1,9] [--bfloat16]

RELEASED is a checkout of researchmm/TTSR. The figures are those of cold_start.py and
train_step.py, which say more; "bfloat16" is our step in mixed precision.
"""

import dataclasses
import os
import re
import subprocess
import sys

from ttsr_tf import cli
from ttsr_tf.configuration import Configuration, string, switch
from ttsr_tf.errors import InputError

_KINDS = "reconstruction", "full"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(Configuration):
    """What is measured."""

    lr: str = string("125x83", "Size of the small picture: HxW.")
    ref: str = string("500x332", "Size of the reference: HxW.")
    batch_sizes: str = string("1,9", "Pairs of a step.")
    bfloat16: bool = switch(False, "Whether to measure steps in mixed precision, too.")


def main(config):
    if not os.environ.get("RELEASED"):
        raise InputError("Give RELEASED in the environment, a checkout of researchmm/TTSR.")
    print("| | authors', s | ours, s | ratio | bfloat16, s | ratio | authors', MiB | ours, MiB |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    sizes = f"--lr={config.lr}", f"--ref={config.ref}"
    cases = "--runs=1", "--cases=picture,released picture"
    found = {name: row for name, *row in _rows("cold_start.py", *sizes, *cases)}
    seconds = {
        name: re.search("second picture ([0-9.]+)", row[-1])[1] for name, row in found.items()
    }
    memory = {name: row[2] for name, row in found.items()}
    _print(f"{config.lr}, {config.ref}", seconds, memory, name="picture")
    for batch_size in config.batch_sizes.split(","):
        flags = f"--batch_sizes={batch_size}", "--runs=2"
        rows = _rows("train_step.py", *flags)
        halved = {}
        if config.bfloat16:
            halves = _rows("train_step.py", *flags, "--policy=mixed_bfloat16", released="")
            halved = {kind: row[1] for kind, *row in halves}
        seconds = {kind: row[1] for kind, *row in rows}
        memory = {kind: row[2] for kind, *row in rows}
        for kind in _KINDS:
            case = f"step, {kind}, batch {batch_size}"
            _print(case, seconds, memory, name=kind, halved=halved.get(kind))


def _rows(script, *flags, released=None):
    """The cells of the table that a benchmark prints, row by row."""
    folder = os.path.dirname(os.path.abspath(__file__))
    command = [sys.executable, os.path.join(folder, script), *flags]
    environment = os.environ if released is None else {**os.environ, "RELEASED": released}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise InputError(f"{script} failed, as it says above.")
    return [line.strip("| ").split(" | ") for line in done.stdout.splitlines()[2:]]


def _print(case, seconds, memory, *, name, halved=None):
    theirs = seconds[f"released {name}"]
    cells = [case, theirs, seconds[name], f"{float(seconds[name]) / float(theirs):.2f}"]
    cells += [halved, f"{float(halved) / float(theirs):.2f}"] if halved else ["", ""]
    cells += [memory[f"released {name}"], memory[name]]
    print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    cli.run(Config, main)
