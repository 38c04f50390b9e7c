"""`export.serve` under load: the time beside the bare model's, mixed requests, a killed replica.

python benchmarks/serve.py [--checkpoint=ttsr.safetensors | --small_network] [--num_replicas=1]

By TF Serving's stub and REST in turn; every answer is compared with the bare model's. Memory is
the proportional share (PSS) of all of the server's processes.
"""

import collections
import concurrent.futures
import contextlib
import dataclasses
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from ttsr_tf import cli

cli.start_tensorflow(prefer_onednn=False)  # before others import it loudly

# isort: split
import numpy as np
import psutil
import tensorflow as tf
from serving_client import Client

from ttsr_tf import TTSR
from ttsr_tf.configuration import Configuration, integer, string, switch
from ttsr_tf.export.graph.session import Session
from ttsr_tf.weights import checkpoints
from ttsr_tf.weights.initial import initialise

AT_ONCE = 4
PORTS = {"port": 8510, "rest_api_port": 8511, "metrics_port": 8512}
SIZES = (
    (40, 40, 160, 160),
    (12, 47, 50, 90),
    (33, 21, 101, 64),
    (25, 30, 160, 120),
    (48, 9, 40, 40),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(Configuration):
    """What is served, and asked."""

    checkpoint: str | None = string(None, "Default: random weights, the paper's size.")
    small_network: bool = switch(False, "Instead of one of the paper's size.")
    requests: int = integer(200, "Of mixed sizes.", lower_bound=10)
    same_size: int = integer(40, "Requests of 40×40.", lower_bound=10)
    num_replicas: int = integer(1, "Of the server.", lower_bound=1)


def main(config):
    tf.get_logger().setLevel("ERROR")  # it would call the loader that servers use deprecated
    with tempfile.TemporaryDirectory() as folder:
        models = _exported(config, folder)
        pairs = [_pair(seed, size) for seed, size in enumerate(SIZES)]
        session = Session(os.path.join(models, "1"))
        expected = [session.run("serving_default", **pair)["sr"] for pair in pairs]
        with session, _server(models, config.num_replicas) as server:
            client = Client(PORTS["port"], PORTS["rest_api_port"], pairs=pairs, expected=expected)
            print("| 40×40, reference 160×160 | p50, s | p95, s | a second |\n|---|---|---|---|")
            # In turn, so that what else the machine does slows both.
            bare, served = zip(
                *(
                    (
                        _seconds(lambda: session.run("serving_default", **pairs[0])),
                        _seconds(lambda: client.send(0)),
                    )
                    for _ in range(config.same_size)
                ),
                strict=True,
            )
            _row("bare model", bare, sum(bare))
            _row("served", served, sum(served))
            start = time.perf_counter()
            with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
                sent = range(config.same_size)
                served = list(pool.map(lambda _: _seconds(lambda: client.send(0)), sent))
            _row(f"served, {AT_ONCE} at a time", served, time.perf_counter() - start)
            _mixed(server, client, config.requests)
            _killed(server, client, config.same_size)


def _exported(config, folder):
    checkpoint = config.checkpoint
    if not checkpoint:
        model = TTSR((1, 1, 1, 1), 4) if config.small_network else TTSR()
        model.build()
        initialise(model, 0)
        checkpoint = os.path.join(folder, "model.safetensors")
        checkpoints.save(model, checkpoint)
    models = os.path.join(folder, "ttsr")
    flags = f"--checkpoint={checkpoint}", f"--output_dir={models}"
    command = [sys.executable, "-m", "ttsr_tf.export.saved_model", *flags, "--noverify"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return models


@contextlib.contextmanager
def _server(models, num_replicas):
    flags = [f"--{name}={port}" for name, port in PORTS.items()]
    flags += [f"--model_base_path={models}", f"--num_replicas={num_replicas}"]
    command = [sys.executable, "-m", "ttsr_tf.export.serve", *flags]
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        lines = process.stdout.readline(), process.stdout.readline()
        if not lines[-1].startswith("Serving"):
            raise SystemExit("".join(lines))
        print(f"Started in {time.monotonic() - start:.0f} s.\n")
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.communicate()


def _pair(seed, size):
    height, width, ref_height, ref_width = size
    rng = np.random.default_rng(seed)
    sizes = {"lr": (height, width), "ref": (ref_height, ref_width)}
    return {
        name: rng.integers(256, size=(1, *size, 3), dtype=np.uint8) for name, size in sizes.items()
    }


def _seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def _row(name, each, whole):
    p95 = statistics.quantiles(each, n=20)[-1]
    rate = len(each) / whole
    print(f"| {name} | {statistics.median(each):.3f} | {p95:.3f} | {rate:.2f} |", flush=True)


def _mixed(server, client, count):
    print(f"\n{count} requests of mixed sizes, {AT_ONCE} at a time, every seventh broken:\n")
    print("| requests | server's memory, MiB |\n|---|---|")
    ended, reasons = collections.Counter(), collections.Counter()
    step = max(1, count // 4)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        print(f"| 0 | {_memory(server)} |", flush=True)
        for start in range(0, count, step):
            numbers = range(start, min(start + step, count))
            ended.update(pool.map(client.send, [i for i in numbers if i % 7]))
            reasons.update(pool.map(client.send_broken, [i // 7 for i in numbers if not i % 7]))
            print(f"| {numbers[-1] + 1} | {_memory(server)} |", flush=True)
    print(f"\nGood ones: {dict(ended)}. Broken ones:\n")
    for reason, count in sorted(reasons.items()):
        print(f"- {count} × {reason}")


def _memory(server):
    family = [server, *server.children(recursive=True)]
    return f"{sum(process.memory_full_info().pss for process in family) / 2**20:.0f}"


def _killed(server, client, count):
    replicas = [
        p for p in server.children(recursive=True) if p.name().startswith("ray::ServeReplica")
    ]
    killed = threading.Timer(3, replicas[0].kill)
    killed.start()
    start, ended, longest = time.monotonic(), collections.Counter(), 0
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        last = start
        for result in pool.map(client.send, range(count)):
            ended[result] += 1
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
    killed.cancel()  # they may all have been answered before
    print(
        f"\n{count} requests, {AT_ONCE} at a time, a replica killed (-9) after 3 s: "
        f"{dict(ended)}; longest time without an answer {longest:.0f} s."
    )


if __name__ == "__main__":
    cli.run(Config, main)
