"""A batch from its configuration to large pictures and a list of those that failed."""

import contextlib
import csv
import os
import tempfile
from typing import NamedTuple

from ttsr_tf import inference
from ttsr_tf.files import written_aside
from ttsr_tf.images import given
from ttsr_tf.progress import Progress
from ttsr_tf.weights import naming

from . import config as configs
from . import pool as pools
from .worker import Weights

FAILURES = "failures.csv"
_COLUMNS = "lr", "ref", "reason"  # of a worker's result


class BatchResult(NamedTuple):
    """What became of a batch.

    Attributes:
        outputs: list of the large pictures that this run wrote.
        failures: list of (picture, reference, reason), sorted, as in `failures_file`: of this run,
            and of earlier ones what it didn't come to.
        failures_file: its path, in `output`; it is there if there are failures.
        pictures: how many the batch has in all.
    """

    outputs: list
    failures: list
    failures_file: str
    pictures: int


def upscale_batch(config: configs.BatchConfig) -> BatchResult:
    """Enlarges many pictures on all processors; those that are there already are left alone.

    Args:
        config: a `BatchConfig`.

    Returns:
        A `BatchResult`. If it is interrupted, whole pictures and the failures so far are kept.

    Raises:
        InputError: what makes the whole batch fail, by name.
    """
    jobs, engine = configs.check(config)
    smallest_ref = inference.load(config.checkpoint, engine).model.smallest_ref
    if config.ref and os.path.isfile(config.ref):
        given.rgb("ref", config.ref, smallest_ref)
    to_do = [job for job in jobs if not os.path.isfile(job.output)]
    print(f"{len(jobs)} pictures, {len(jobs) - len(to_do)} of them done before.", flush=True)
    failures_file = os.path.join(config.output, FAILURES)
    earlier, results = _read(failures_file), []
    try:
        if to_do:
            _do(config, to_do, results, engine=engine, total=len(jobs))
    finally:
        failures = _failures(earlier, jobs, results)
        _write(failures_file, failures)
    written = [job.output for job in to_do if os.path.isfile(job.output)]
    print(f"{len(written)} pictures written to {config.output}.")
    return BatchResult(written, failures, failures_file, len(jobs))


def _do(config, jobs, results, *, engine, total):
    """Adds what becomes of each job to `results`: see `Worker`."""
    # Hidden, beside the outputs, so that renaming works; it goes with whatever is not whole.
    aside = tempfile.TemporaryDirectory(
        prefix=".batch-", dir=os.path.abspath(config.output), ignore_cleanup_errors=True
    )
    with aside as folder, pools.connected(config.ray_address) as ray:
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        pool = pools.planned(
            nodes,
            len(jobs),
            cpus=config.worker_cpus,
            memory_gb=config.memory_gb,
            gpus=config.num_gpus,
        )
        gpus = f"GPUs: {pool.gpus:g}, " if pool.gpus else ""
        print(
            f"{pool.size} workers, each with CPUs: {pool.cpus}, {gpus}memory: "
            f"{pool.memory_gb:.1f} GiB.",
            flush=True,
        )
        progress = Progress(total, "picture", total - len(jobs))
        weights = Weights(naming.for_others(config.checkpoint), engine, config.precision)
        failed = 0
        for result in pools.results(ray, jobs, pool, weights=weights, aside=folder):
            results.append(result)
            failed += bool(result["reason"])
            progress.advance(failed=failed)
        progress.close()


def _failures(earlier, jobs, results):
    """Rows of a failures' file: the new ones, and earlier ones of jobs that wait for a try."""
    new = [[result[key] for key in _COLUMNS] for result in results if result["reason"]]
    tried = {(result["lr"], result["ref"]) for result in results}
    waiting = {(job.lr, job.ref) for job in jobs if not os.path.isfile(job.output)} - tried
    return sorted(new + [row for row in earlier if tuple(row[:2]) in waiting])


def _read(path):
    try:
        with open(path, newline="") as file:
            return list(csv.reader(file))[1:]
    except FileNotFoundError:
        return []


def _write(path, failures):
    if not failures:
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)
        return
    with written_aside(path) as aside, open(aside, "w", newline="") as file:
        csv.writer(file).writerows([["picture", "reference", "reason"], *failures])
