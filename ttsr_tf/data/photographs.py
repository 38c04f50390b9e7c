"""Makes pairs to train on from single photographs: what the shipped weights learn from.

python -m ttsr_tf.data.photographs --photographs=FOLDER --list=configs/mini_photographs.csv \\
    --pairs=REAL_PAIRS --output_dir=PAIRS

The list names files in Debian's packages, which `dpkg-deb -x` unpacks without installing them.
Photographs are made smaller, so that their pixels are sharp, and cut into squares, each with a
reference of one of the kinds in `crops.SHARES`. `--dataset=folder --data_dir=PAIRS` of training
reads them; PAIRS/manifest.csv, written last, tells where each pair comes from.
"""

import csv
import dataclasses
import os
import shutil
from typing import NamedTuple

import numpy as np

from ttsr_tf import cli
from ttsr_tf.configuration import REQUIRED, Configuration, integer, string, strings
from ttsr_tf.data import crops, folders, sample, sources
from ttsr_tf.data.pairs import VALIDATION_PAIRS
from ttsr_tf.errors import InputError
from ttsr_tf.files import make_folder, sha256, written_aside
from ttsr_tf.images import files
from ttsr_tf.progress import Progress

REAL = "real"
REAL_WRONG_SHARE = 0.15  # of the real pairs, once more with a wrong reference


@dataclasses.dataclass(frozen=True, kw_only=True)
class PhotographsConfig(Configuration):
    """What is made of what."""

    photographs: tuple[str, ...] = strings(
        REQUIRED, "Folder of photographs, searched with all folders in it; may be repeated."
    )
    output_dir: str = string(REQUIRED, "New or empty folder for input/, ref/ and manifest.csv.")
    list: str = string(None, "CSV with package, file, sha256: no other photographs are used.")
    pairs: str = string(None, "Folder with input/ and ref/: real pairs, which are copied.")
    leave_out: tuple[str, ...] = strings(
        (), "Beginning of the names of real pairs that are not copied; may be repeated."
    )
    seed: int = integer(0, "Of places, kinds of references and their looks.", lower_bound=0)


class Row(NamedTuple):
    """A line of the manifest: the pair's file name; its photograph's path within the folder that
    was given and SHA-256; the kind of its reference, of `crops.SHARES`, "same" or "real"; the
    seed."""

    name: str
    source: str
    sha256: str
    reference: str
    seed: int


def main(config):
    sample.check()
    photographs = sources.found(config.photographs, config.list)
    real = folders.pairs(config.pairs) if config.pairs else []
    real = [case for case in real if not case.name.startswith(tuple(config.leave_out))]
    make_folder(config.output_dir, "output_dir")
    if os.listdir(config.output_dir):
        raise InputError(f"`output_dir` {config.output_dir} is not empty. Give another folder.")
    inputs, refs = (os.path.join(config.output_dir, kind) for kind in ("input", "ref"))
    os.mkdir(inputs)
    os.mkdir(refs)
    rows, number, progress = [], 0, Progress(len(photographs), "photograph")
    for photograph in photographs:
        # Of its own, so that its pairs don't depend on which others are there.
        rng = np.random.default_rng([config.seed, int(photograph.sha256[:16], 16)])
        for pair in crops.pairs(sources.read(photograph.path), rng):
            name = f"photograph_{number:05}.png"
            if pair.kind == crops.SAME:
                name = f"same_{rows[-1].name}"
            else:
                number += 1
            files.write(os.path.join(inputs, name), pair.hr)
            if pair.ref is not None:
                files.write(os.path.join(refs, name), pair.ref)
            rows.append(Row(name, photograph.source, photograph.sha256, pair.kind, config.seed))
        progress.advance()
    progress.close()
    if len({row.sha256 for row in rows}) < 2:
        raise InputError("Fewer than two photographs are large and not flat. Give more of them.")
    rng = np.random.default_rng(config.seed)
    names = {row.name: row.sha256 for row in rows if row.reference != crops.SAME}
    for row in rows:
        if row.reference == crops.WRONG:
            others = [name for name, digest in names.items() if digest != row.sha256]
            shutil.copyfile(os.path.join(inputs, rng.choice(others)), os.path.join(refs, row.name))
    rows += _copied(real, list(names), config)
    with (
        written_aside(os.path.join(config.output_dir, "manifest.csv")) as aside,
        open(aside, "w", newline="", encoding="utf-8") as file,
    ):
        csv.writer(file).writerows([Row._fields, *rows])
    kinds = [row.reference for row in rows]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in (*crops.SHARES, crops.SAME, REAL))
    print(f"{config.output_dir}: {len(rows)} pairs ({counts}), {len(photographs)} photographs")


def _copied(real, names, config):
    """Copies real pairs, and some once more with a wrong reference.

    Args:
        real: list of `Case`.
        names: those of the pairs of photographs, whose inputs are the wrong references.
        config: a `PhotographsConfig`.

    Returns:
        A list of `Row`.
    """
    inputs, refs = (os.path.join(config.output_dir, kind) for kind in ("input", "ref"))
    rng, rows = np.random.default_rng(config.seed), []
    for i, case in enumerate(real):
        hr, (ref,) = case.hr, case.refs
        told = os.path.relpath(hr.file, config.pairs), sha256(hr.file)
        shutil.copyfile(hr.file, os.path.join(inputs, hr.name))
        shutil.copyfile(ref.file, os.path.join(refs, ref.name))
        rows.append(Row(hr.name, *told, REAL, config.seed))
        # Not of the first by name: training validates on those, and must not learn them.
        if rng.random() < REAL_WRONG_SHARE and i >= VALIDATION_PAIRS:
            shutil.copyfile(hr.file, os.path.join(inputs, f"wrong_{hr.name}"))
            other = os.path.join(inputs, rng.choice(names))
            shutil.copyfile(other, os.path.join(refs, f"wrong_{case.name}.png"))
            rows.append(Row(f"wrong_{hr.name}", *told, crops.WRONG, config.seed))
    return rows


if __name__ == "__main__":
    cli.run(PhotographsConfig, main)
