"""Measures a network on a test set and writes each number with its protocol.

python -m ttsr_tf.evaluate --checkpoint=ttsr.weights.h5 --dataset=folder --data_dir=test/CUFED5 \
    --references=levels --output_dir=results

Started again, it goes on where it was stopped.
"""

from ttsr_tf import cli  # first, since it quiets TensorFlow's start

# isort: split
import os

from absl import flags, logging

from ttsr_tf import __version__
from ttsr_tf.data import cufed5, folders
from ttsr_tf.errors import InputError
from ttsr_tf.evaluation import comparison, references, report
from ttsr_tf.evaluation.measuring import Task, measure
from ttsr_tf.evaluation.results import Results
from ttsr_tf.images.files import metrics
from ttsr_tf.weights import checkpoints

_CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "Weights (.weights.h5) or a run folder.", required=True
)
_DATASET = flags.DEFINE_enum(
    "dataset",
    folders.FOLDER,
    [cufed5.TFDS_CUFED5, folders.SUN80, folders.URBAN100, folders.MANGA109, folders.FOLDER],
    "The test set; folder: CUFED5's NNN_0 … NNN_5, pairs input/NAME and ref/NAME, *_HR with or "
    "without *_LR, or plain pictures.",
)
_DATA_DIR = flags.DEFINE_string("data_dir", None, "Its folder; for tfds_cufed5, TFDS's own.")
_REFERENCES = flags.DEFINE_enum(
    "references",
    None,
    references.FLAG_VALUES,
    "1 … 5: one of the references in order. all: five of CUFED5, stitched as in the paper and as "
    "the best of five. levels: each of the five, then self. self: the small picture itself. "
    "random: another picture of the set. Default: 1, or self where there are no references.",
)
_OUTPUT_DIR = flags.DEFINE_string("output_dir", None, "Where results are written.", required=True)
_SEED = flags.DEFINE_integer("seed", 0, "Of --references=random.", lower_bound=0)
_COLOUR = flags.DEFINE_enum(
    "colour", metrics.Y, [metrics.Y, metrics.RGB], "What is measured; published is y."
)
_BORDER = flags.DEFINE_integer(
    "border", 0, "Pixels cropped on every side before measuring; published is 0.", lower_bound=0
)
_MEMORY_GB = flags.DEFINE_float(
    "memory_gb",
    None,
    "What may be used, GiB; a larger picture is done in tiles. Default: most of what is free.",
    lower_bound=0,
)


def main():
    picture_set = _picture_set()
    cases = picture_set.cases
    choices = references.chosen(_REFERENCES.value, picture_set, _SEED.value)
    model = checkpoints.load(_CHECKPOINT.value)
    protocol = _protocol(picture_set)
    results = _results(protocol, cases)
    print(f"{picture_set.name}: {len(cases)} pictures, {', '.join(c.name for c in choices)}.")
    if results.rows:
        print(f"{len(results.rows)} rows of results.csv are there already.")

    tasks = [Task(case, choice) for case in cases for choice in choices]
    scores = metrics.Scores(_COLOUR.value, _BORDER.value)
    failed = measure(model, tasks, cases, results, scores, _MEMORY_GB.value)
    if results.rows:
        _write_report(model, picture_set, results.rows, protocol, failed)
    if failed:
        raise InputError(f"{len(failed)} of {len(tasks)} failed and are left out; see above.")


def _picture_set():
    if _DATASET.value == cufed5.TFDS_CUFED5:
        logging.set_verbosity(logging.ERROR)  # TFDS would tell of every picture that it reads
        return cufed5.load(_DATA_DIR.value)
    return folders.load(_DATASET.value, _DATA_DIR.value)


def _protocol(picture_set):
    """What every row carries: numbers of another protocol never come beside it."""
    return {
        "data_set": picture_set.name,
        "pictures": str(len(picture_set.cases)),
        "lr": "as given" if picture_set.cases[0].lr else "made from HR",
        "resize": "Pillow's bicubic on uint8",
        "colour": _COLOUR.value,
        "border": str(_BORDER.value),
        "checkpoint_sha256": checkpoints.sha256(_CHECKPOINT.value),
        "version": f"ttsr-tf {__version__}",
    }


def _results(protocol, cases):
    folder = _OUTPUT_DIR.value
    try:
        os.makedirs(os.path.join(folder, "sheets"), exist_ok=True)
    except OSError as error:
        raise InputError(f"Can't make --output_dir={folder} ({error.strerror}).") from None
    results = Results(os.path.join(folder, "results.csv"), protocol)
    if unknown := {row.picture for row in results.rows} - {case.name for case in cases}:
        raise InputError(
            f"{folder}/results.csv has {sorted(unknown)[0]}, which the data set hasn't. Choose "
            "another --output_dir."
        )
    return results


def _write_report(model, picture_set, rows, protocol, failed):
    folder = _OUTPUT_DIR.value
    choices = [references.named(name) for name in dict.fromkeys(row.references for row in rows)]
    measured_on = picture_set, _COLOUR.value, _BORDER.value
    numbers = [report.table(rows, choices, *measured_on), *report.notes(*measured_on)]
    protocol = {**protocol, "checkpoint": _CHECKPOINT.value}
    stated = "\n".join(f"{name}: {value}" for name, value in protocol.items())
    print("", "\n\n".join([*numbers, stated]), "", sep="\n")
    report.write_json(os.path.join(folder, "results.json"), rows, choices, protocol, failed)
    shown = comparison.write_sheets(
        os.path.join(folder, "sheets"),
        model,
        choices,
        picture_set.cases,
        rows,
        _MEMORY_GB.value,
    )
    path = os.path.join(folder, "report.md")
    report.write_markdown(path, numbers, choices, protocol, failed, shown)
    print(f"Look at {path}.")


if __name__ == "__main__":
    cli.run(main, stopped="Stopped. The same command goes on.")
