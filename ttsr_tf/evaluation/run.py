"""An evaluation from its configuration to its report."""

import os
from typing import NamedTuple

from ttsr_tf.data import cufed5, folders
from ttsr_tf.errors import InputError
from ttsr_tf.evaluation import comparison, references, report, results, scores, warps
from ttsr_tf.evaluation import config as configs
from ttsr_tf.evaluation.kept import Kept
from ttsr_tf.evaluation.lpips import LPIPS
from ttsr_tf.evaluation.measuring import Degradation, Method, Task, measure
from ttsr_tf.files import make_folder
from ttsr_tf.images import metrics
from ttsr_tf.inference import load


class EvaluationResult(NamedTuple):
    """What was measured, now or in an earlier start.

    Attributes:
        rows: list of `results.Row`, one for each picture and choice of references.
        means: dict from the name of a choice to its mean scores, a dict of floats: `psnr`,
            `bicubic_psnr` (dB), `ssim`, `bicubic_ssim`, `similarity`; `lpips`, `bicubic_lpips` if
            asked for.
        count: how many pictures and choices were asked for.
        failed: what could not be measured, a list of (picture, name of the choice, reason).
        report: path of report.html; None if nothing was measured.
    """

    rows: list
    means: dict
    count: int
    failed: list
    report: str | None


def evaluate(config: configs.EvaluationConfig) -> EvaluationResult:
    """Measures a network on a test set; results.csv, results.json and report.html, which shows the
    best, the median and the worst pictures, are written, and the table printed.

    Started again, it goes on where it was stopped. A picture that fails doesn't stop the others.

    Args:
        config: an `EvaluationConfig`.

    Returns:
        An `EvaluationResult`.

    Raises:
        InputError: a data set, references, weights or a folder that can't be used, by name;
            results of another protocol in the folder.
    """
    plan = configs.check(config)
    picture_set = _picture_set(config)
    cases = picture_set.cases
    found = _results(config, plan.protocol, cases)
    print(f"{picture_set.name}: {len(cases)} pictures, {', '.join(c.name for c in plan.choices)}.")
    if found.rows:
        print(f"{len(found.rows)} rows of {results.FILE} are there already.", flush=True)

    method = _method(config, cases)
    tasks = [Task(case, choice) for case in cases for choice in plan.choices]
    kept = Kept(os.path.join(config.output_dir, "kept"))
    failed = measure(method, tasks, found, kept=kept)
    if not found.rows:
        return EvaluationResult([], {}, len(tasks), failed, None)
    names = dict.fromkeys(row.references for row in found.rows)
    choices = [references.named(name) for name in names]
    shown = comparison.sections(method, choices, rows=found.rows, kept=kept)
    path = _write_report(config, plan, choices, rows=found.rows, failed=failed, shown=shown)
    means = {
        name: results.means([row for row in found.rows if row.references == name]) for name in names
    }
    return EvaluationResult(found.rows, means, len(tasks), failed, path)


def _picture_set(config):
    if config.dataset == cufed5.NAME:
        return cufed5.test_set(config.data_dir)
    return folders.load(config.dataset, config.data_dir, config.layout)


def _method(config, cases):
    border = config.crop_border
    return Method(
        load(config.checkpoint, precision=config.precision),
        metrics.Scores(config.test_y_channel, border),
        cases,
        LPIPS(config.lpips, border) if config.lpips else None,
        config.memory_gb,
        Degradation(config.degradation, config.seed),
    )


def _results(config, protocol, cases):
    make_folder(config.output_dir, "output_dir")
    found = results.Results(os.path.join(config.output_dir, results.FILE), protocol)
    if unknown := {row.picture for row in found.rows} - {case.name for case in cases}:
        raise InputError(
            f"{config.output_dir}/{results.FILE} has {sorted(unknown)[0]}, which the data set "
            "hasn't. Choose another `output_dir`."
        )
    return found


def _write_report(config, plan, choices, *, rows, failed, shown):
    table = scores.table(rows, choices, plan.outline, config=config)
    notes = scores.notes(plan.outline, config)
    protocol = {**plan.protocol, "checkpoint": config.checkpoint}
    warped = warps.of(rows, choices)
    tables = [scores.markdown(shown) for shown in (table, *([warped.table] if warped else []))]
    stated = "\n".join(f"{name}: {value}" for name, value in protocol.items())
    print("", "\n\n".join([*tables, *notes, stated]), "", sep="\n")
    path = os.path.join(config.output_dir, "results.json")
    scores.write_json(path, rows, choices, protocol=protocol, failed=failed)
    path = os.path.join(config.output_dir, "report.html")
    report.write(path, report.Report(table, notes, protocol, choices, failed, shown, warped))
    return path
