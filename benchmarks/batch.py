"""What a batch comes to when a worker, or a node of its cluster, is lost in the middle.

python benchmarks/batch.py [--pictures=100] [--side=40] [--node_cpus=2]

Two of the pictures are damaged. A network of random weights; prints a table.
"""

import contextlib
import csv
import dataclasses
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from ttsr_tf import cli

cli.start_tensorflow()  # before others import it loudly

# isort: split
import numpy as np
import PIL.Image
import psutil

from ttsr_tf import TTSR
from ttsr_tf.configuration import Configuration, integer
from ttsr_tf.errors import InputError
from ttsr_tf.weights import checkpoints
from ttsr_tf.weights.initial import initialise

DAMAGED = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(Configuration):
    """What is enlarged, and on what."""

    pictures: int = integer(100, "How many.", lower_bound=10)
    side: int = integer(40, "Of the small pictures, pixels.", lower_bound=3)
    node_cpus: int = integer(2, "Of each of the cluster's two nodes.", lower_bound=1)


def main(config):
    half = config.pictures // 2
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        _make(place, config)
        _upscale(place)
        print("| lost in the middle | exit code | written | equal to upscale's | failed | s |")
        print("|---|---|---|---|---|---|")
        output = place / "worker"
        _row("a worker", output, lose=_kill_a_worker, after=half)
        _row("the same, started again", output)
        with _two_nodes(config.node_cpus) as (cluster, node):
            output, flag = place / "node", f"--ray_address={cluster.address}"

            def kill_the_node(_):
                _kill(cluster, node)

            _row("one of two nodes", output, flag, lose=kill_the_node, after=half)
            _row("the same, started again", output, flag)


def _make(place, config):
    """Pictures in good/, also in all/ with the damaged ones; ref.png and weights."""
    model = TTSR((1, 1, 1, 1), 4)
    model.build()
    initialise(model, 0)
    checkpoints.save(model, str(place / "model.safetensors"))
    rng = np.random.default_rng(0)

    def picture(path, side):
        pixels = rng.integers(256, size=(side, side, 3), dtype=np.uint8)
        PIL.Image.fromarray(pixels).save(path)

    picture(place / "ref.png", 160)
    for name in ("good", "all"):
        (place / name).mkdir()
    for i in range(config.pictures):
        path = place / "all" / f"{i:04}.png"
        picture(path, config.side)
        if i % (config.pictures // DAMAGED) == 3:
            path.write_bytes(path.read_bytes()[:200])
        else:
            os.link(path, place / "good" / path.name)


def _flags(place):
    return f"--ref={place / 'ref.png'}", f"--checkpoint={place / 'model.safetensors'}"


def _upscale(place):
    lr, output = f"--lr={place / 'good'}", f"--output={place / 'expected'}"
    command = [sys.executable, "-m", "ttsr_tf.upscale", lr, output, *_flags(place)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _row(title, output, *flags, lose=None, after=0):
    """Runs the command, calls `lose` when `after` pictures are done, prints what there is then."""
    place = output.parent
    start, before = time.monotonic(), set(output.glob("*.png"))
    command = [
        sys.executable,
        "-m",
        "ttsr_tf.export.batch",
        f"--input={place / 'all'}",
        *_flags(place),
    ]
    process = subprocess.Popen(
        [*command, f"--output={output}", *flags], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    if lose:
        while process.poll() is None and len(list(output.glob("*.png"))) < after:
            time.sleep(0.02)
        lose(process)
    _, stderr = process.communicate()
    written = sorted(set(output.glob("*.png")) - before)
    equal = sum(
        path.read_bytes() == (place / "expected" / path.name).read_bytes() for path in written
    )
    with open(output / "failures.csv", newline="") as file:
        failures = len(list(csv.DictReader(file)))
    seconds = time.monotonic() - start
    cells = title, process.returncode, len(written), equal, failures, f"{seconds:.0f}"
    print("|", " | ".join(map(str, cells)), "|", flush=True)
    left = [path.name for path in output.glob(".*")]
    if stderr.count(b"\n") != 1 or left:
        print(f"stderr: {stderr.decode()}left: {left}")


def _kill_a_worker(process):
    """With SIGKILL, as the kernel does when memory runs out."""
    _workers(process.pid)[0].kill()


def _workers(pid):
    """Those that the process has started, by itself or through others."""
    children = psutil.Process(pid).children(recursive=True)
    return [child for child in children if "MapWorker" in "".join(child.cmdline())]


@contextlib.contextmanager
def _two_nodes(cpus):
    """A cluster on this machine, and that of its nodes where the command doesn't run."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": cpus})
    try:
        yield cluster, cluster.add_node(num_cpus=cpus)
    finally:
        cluster.shutdown()


def _kill(cluster, node):
    if not _workers(node.all_processes["raylet"][0].process.pid):
        raise InputError("The node that is to be killed has no worker. Try again.")
    cluster.remove_node(node, allow_graceful=False)


if __name__ == "__main__":
    cli.run(Config, main)
