"""Ray: the machine or the cluster, how many workers it holds, and a batch's way through them."""

import concurrent.futures
import contextlib
import logging
import signal
import threading
from collections.abc import Iterator
from typing import NamedTuple

from ttsr_tf import cli
from ttsr_tf.errors import InputError

from .jobs import Job
from .worker import Weights, Worker

_MOST_BLOCKS = 5_000  # of pictures that go to a worker together; Ray is slow with more of them
_JOINED_WITHIN = 60  # seconds


class Pool(NamedTuple):
    """Workers of a batch.

    Attributes:
        size: how many.
        cpus: what each computes with.
        reserved: the CPUs that Ray sets aside for each.
        memory_gb: what each may take, GiB.
        gpus: that each computes with, or the part of one.
    """

    size: int
    cpus: int
    reserved: float
    memory_gb: float
    gpus: float = 0


@contextlib.contextmanager
def connected(address: str | None) -> Iterator:
    """Within it, Ray's functions go to a cluster; without an address, to one of this machine alone.

    Yields:
        The module `ray`.

    Raises:
        InputError: Ray doesn't start, or what answers at the address is something else.
    """
    import ray.data  # slow, and needless where all is done

    terminated = signal.getsignal(signal.SIGTERM)
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    options = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    try:
        with cli.stderr_kept():  # it would print how quiet it was told to be
            if address:
                _join(ray, address, options)
            else:  # in this thread, since Ray's processes end with the one that started them
                ray.init("local", include_dashboard=False, **options)
    except concurrent.futures.TimeoutError:
        raise InputError(
            f"What answers at `ray_address`={address} is no Ray cluster; its port is often 6379."
        ) from None
    except (Exception, SystemExit) as error:  # Ray raises of all kinds
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(
            f"Can't start with Ray at {address or 'this machine'}: {reason} Its logs are in "
            "/tmp/ray/session_latest/logs."
        ) from None
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, terminated)  # Ray has set its own
    try:
        yield ray
    finally:
        ray.shutdown()


def planned(
    nodes: list[dict],
    pictures: int,
    *,
    cpus: int | None = None,
    memory_gb: float | None = None,
    gpus: float = 0,
) -> Pool:
    """How many workers, and what each takes.

    Args:
        nodes: list of the resources of each node, dicts with CPU, GPU if any, and memory (bytes).
        pictures: how many there are to do.
        cpus: what a worker computes with; by default half of the smallest node's, from 2 to 4.
        memory_gb: what it may take, GiB; by default its share of the node.
        gpus: that a worker computes with, or the part of one.

    Returns:
        A `Pool`.

    Raises:
        InputError: no node has as many CPUs or GPUs.
    """
    nodes = [node for node in nodes if node.get("CPU", 0) >= 1]
    if gpus:
        nodes = [node for node in nodes if node.get("GPU", 0) >= gpus]
        if not nodes:
            raise InputError(
                f"`num_gpus`={gpus:g}: Ray knows no machine with as many. Leave it, or start the "
                "cluster's machines with ray start --num-gpus=NUMBER."
            )
    largest = int(max((node["CPU"] for node in nodes), default=0))
    if not nodes or (cpus or 1) > largest:
        raise InputError(
            f"`worker_cpus`={cpus or 1}: the largest node has {largest} CPUs. Give fewer."
        )
    smallest = int(min(node["CPU"] for node in nodes))
    cpus = cpus or min(4, smallest, max(2, smallest // 2))
    size = sum(_workers_of(node, cpus, gpus) for node in nodes)
    # The workers of a lost node must find a place on the others, or what they did is never done.
    reserved = cpus / 2 if len(nodes) > 1 else cpus
    share = min(
        node["memory"] / (node["CPU"] // reserved) for node in nodes if node["CPU"] >= reserved
    )
    return Pool(min(size, pictures), cpus, reserved, memory_gb or share / 2**30, gpus)


def _workers_of(node, cpus, gpus):
    by_cpus = int(node["CPU"] // cpus)
    return min(by_cpus, int(node["GPU"] / gpus + 1e-6)) if gpus else by_cpus


def results(ray, jobs: list[Job], pool: Pool, *, weights: Weights, aside: str) -> Iterator[dict]:
    """Does the jobs.

    Args:
        ray: the module, connected.
        jobs: list of `Job`.
        pool: a `Pool`.
        weights: `Weights`.
        aside: folder beside the outputs for what is not whole yet.

    Yields:
        What `Worker` returns of every job, as they are done.

    Raises:
        InputError: workers can't start.
    """
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_no_progress_timeout_s = -1  # a large picture may take very long
    data = ray.data.from_items(
        [job._asdict() for job in jobs], override_num_blocks=min(len(jobs), _MOST_BLOCKS)
    ).map(
        Worker,
        fn_constructor_kwargs={
            "weights": weights,
            "cpus": pool.cpus,
            "memory_gb": pool.memory_gb,
            "aside": aside,
            "gpus": pool.gpus,
        },
        # One picture each: what waits for a lost worker is not given to another.
        compute=ray.data.ActorPoolStrategy(size=pool.size, max_tasks_in_flight_per_actor=1),
        num_cpus=pool.reserved,
        num_gpus=pool.gpus,
    )
    try:
        yield from data.iter_rows()
    except ray.exceptions.RayError as error:
        reason = str(error).strip().splitlines()[-1]
        raise InputError(
            f"The workers can't go on: {reason} All nodes need this package, and the files under "
            "the same names."
        ) from None


def _join(ray, address, options):
    """Ray would knock for minutes at a port that isn't a cluster's, and can't be interrupted."""
    done = concurrent.futures.Future()

    def join():
        try:
            ray.init(address, **options)
            done.set_result(None)
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=join, daemon=True).start()
    done.result(_JOINED_WITHIN)
