"""Enlarges folders of pictures, on all processors of one machine or of a cluster.

python -m export.batch --input=frames --ref=still.jpg --checkpoint=ttsr.weights.h5 --output=large
python -m export.batch --pairs=pairs.csv --checkpoint=ttsr.weights.h5 --output=large
"""

from ttsr_tf import cli  # first, since it quiets TensorFlow's start

# isort: split
import contextlib
import csv
import os
import signal
import sys
import tempfile

from absl import flags

from export import batch_jobs, batch_pool
from ttsr_tf.errors import InputError
from ttsr_tf.files import check_folder, written_aside
from ttsr_tf.images import files
from ttsr_tf.progress import Progress
from ttsr_tf.weights import checkpoints

_INPUT = flags.DEFINE_string(
    "input", None, "The small pictures: a folder, or a pattern in quotes ('frames/*.png')."
)
_REF = flags.DEFINE_string(
    "ref",
    None,
    "A sharp picture of something similar, for all; or a folder with one for each, of its name.",
)
_PAIRS = flags.DEFINE_string(
    "pairs",
    None,
    "Instead of --input and --ref: a CSV file with the columns lr, ref and, if wanted, output.",
)
_CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "Weights (.weights.h5) or a run folder.", required=True
)
_OUTPUT = flags.DEFINE_string(
    "output",
    None,
    "Folder for the large pictures. Those that are there already are not done again.",
    required=True,
)
_RAY_ADDRESS = flags.DEFINE_string(
    "ray_address", None, "HOST:PORT of a Ray cluster, or auto. Default: this machine alone."
)
_WORKER_CPUS = flags.DEFINE_integer(
    "worker_cpus",
    None,
    "CPUs that a worker computes with. Default: half of the smallest machine's, from 2 to 4.",
    lower_bound=1,
)
_MEMORY_GB = flags.DEFINE_float(
    "memory_gb",
    None,
    "What a worker may use, GiB; a larger picture is done in tiles. Default: its share.",
    lower_bound=0,
)

FAILURES = "failures.csv"


def main():
    _set_up_ray()
    jobs = _jobs()
    if os.path.isfile(_REF.value or ""):
        files.checked("ref", files.read(_REF.value).rgb, smallest=12)
    checkpoints.load(_CHECKPOINT.value)
    with contextlib.suppress(OSError):
        os.makedirs(_OUTPUT.value, exist_ok=True)
    check_folder(_OUTPUT.value)

    to_do = [job for job in jobs if not os.path.isfile(job.output)]
    print(f"{len(jobs)} pictures, {len(jobs) - len(to_do)} of them done before.", flush=True)
    failures = []
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # it ends like Ctrl-C
    try:
        if to_do:
            _do(to_do, len(jobs), failures)
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on.", flush=True)
        sys.exit(cli.STOPPED)
    finally:
        _write(failures)
    written = sum(os.path.isfile(job.output) for job in to_do)
    print(f"{written} pictures written to {_OUTPUT.value}.")
    if failures:
        raise InputError(
            f"{len(failures)} of {len(jobs)} pictures failed: see "
            f"{os.path.join(_OUTPUT.value, FAILURES)}. The same command tries them again."
        )


def _set_up_ray():
    """By its environment variables, which it reads when it is imported."""
    # Its usage reports ask nobody, and their notice would be silenced with the rest.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    if not _RAY_ADDRESS.value:
        # On loopback alone, as is the default on the systems that the variable is named after.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"


def _jobs():
    if _PAIRS.value:
        if _INPUT.value or _REF.value:
            raise InputError("--pairs goes without --input and --ref. Give either.")
        return batch_jobs.of_list(_PAIRS.value, _OUTPUT.value)
    if not (_INPUT.value and _REF.value):
        raise InputError("Give --input and --ref, or --pairs.")
    return batch_jobs.of_pictures(_INPUT.value, _REF.value, _OUTPUT.value)


def _do(jobs, total, failures):
    """Adds those that fail to `failures`."""
    checkpoint = os.path.abspath(_CHECKPOINT.value)
    # Hidden, beside the outputs, so that renaming works; it goes with whatever is not whole.
    aside = tempfile.TemporaryDirectory(
        prefix=".batch-", dir=os.path.abspath(_OUTPUT.value), ignore_cleanup_errors=True
    )
    with aside as folder, batch_pool.connected(_RAY_ADDRESS.value) as ray:
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        pool = batch_pool.planned(nodes, len(jobs), _WORKER_CPUS.value, _MEMORY_GB.value)
        print(
            f"{pool.size} workers, each with CPUs: {pool.cpus}, memory: {pool.memory_gb:.1f} GiB.",
            flush=True,
        )
        progress = Progress(total, "picture", total - len(jobs))
        for result in batch_pool.results(ray, jobs, pool, checkpoint, folder):
            if result["reason"]:
                failures.append([result[key] for key in ("lr", "ref", "reason")])
            progress.advance(failed=len(failures))
        progress.close()


def _write(failures):
    path = os.path.join(_OUTPUT.value, FAILURES)
    if not failures:
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)
        return
    with written_aside(path) as aside, open(aside, "w", newline="") as file:
        csv.writer(file).writerows([["picture", "reference", "reason"], *sorted(failures)])


if __name__ == "__main__":
    cli.run(main)
