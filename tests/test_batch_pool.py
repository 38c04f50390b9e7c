"""How many workers a batch has, and how Ray is asked for them."""

import signal
import socket
import time
import types

import pytest

pytest.importorskip("ray.data", reason="NOT TESTED: needs the extra `ray`")
import ray.data
import ray.exceptions

from export.workers import pool
from export.workers.jobs import Job
from export.workers.worker import Weights, Worker
from ttsr_tf import InputError

GIB = 2**30


def _nodes(*cpus):
    return [{"CPU": float(n), "memory": n * GIB} for n in cpus]


def test_one_machine_is_used_wholly():
    assert pool.planned(_nodes(16), 100) == (4, 4, 4, 4.0, 0)
    assert pool.planned(_nodes(16), 3) == (3, 4, 4, 4.0, 0)
    assert pool.planned(_nodes(1), 100) == (1, 1, 1, 1.0, 0)
    assert pool.planned(_nodes(16), 100, cpus=8, memory_gb=0.5) == (2, 8, 8, 0.5, 0)


@pytest.mark.parametrize("cpus", [(2, 2), (1, 1), (8, 8, 8), (6, 10, 9)])
def test_the_workers_of_a_lost_node_fit_on_the_others(cpus):
    planned = pool.planned([*_nodes(*cpus), {"memory": GIB}], 100)
    for lost in range(len(cpus)):
        left = cpus[:lost] + cpus[lost + 1 :]
        places = [n // planned.reserved for n in left]
        assert sum(places) >= planned.size
        assert all(p * planned.memory_gb <= n for p, n in zip(places, left, strict=True))


def test_no_node_is_large_enough():
    with pytest.raises(InputError, match="`worker_cpus`=9: the largest node has 8 CPUs"):
        pool.planned(_nodes(4, 8), 100, cpus=9)


def test_what_answers_is_no_cluster(monkeypatch):
    monkeypatch.setattr(ray, "init", lambda *_, **__: time.sleep(2))  # the real one: for minutes
    monkeypatch.setattr(pool, "_JOINED_WITHIN", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with (
            pytest.raises(InputError, match=f"answers at `ray_address`={address} is no Ray"),
            pool.connected(address),
        ):
            pass


def test_a_cluster_of_this_machine_alone(monkeypatch):
    begun, before = [], signal.getsignal(signal.SIGTERM)

    def init(*given, **options):
        begun.append((given, options["include_dashboard"]))
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # Ray sets its own

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray, "shutdown", lambda: begun.append("shutdown"))
    with pytest.raises(ZeroDivisionError), pool.connected(None):
        assert begun == [(("local",), False)]
        assert signal.getsignal(signal.SIGTERM) is before
        raise ZeroDivisionError
    assert begun[1:] == ["shutdown"]


def test_ray_does_not_start(monkeypatch):
    def init(*_, **__):
        raise SystemExit("no such interface\nand more")

    monkeypatch.setattr(ray, "init", init)
    message = r"Can't start with Ray at this machine: SystemExit: no such interface Its logs"
    with pytest.raises(InputError, match=message), pool.connected(None):
        pass


class Data:
    """Ray's data set; `rows` are what workers give, an exception is raised."""

    def __init__(self, monkeypatch, rows):
        self.rows, self.context = rows, types.SimpleNamespace()
        monkeypatch.setattr(ray.data, "from_items", self.from_items)
        monkeypatch.setattr(ray.data.DataContext, "get_current", lambda: self.context)

    def from_items(self, items, override_num_blocks):
        self.items, self.blocks = items, override_num_blocks
        return self

    def map(self, worker, **options):
        self.worker, self.options = worker, options
        return self

    def iter_rows(self):
        for row in self.rows:
            if isinstance(row, Exception):
                raise row
            yield row


def test_one_picture_at_a_time_goes_to_a_worker(monkeypatch):
    rows = [{"reason": ""}, {"reason": "none"}]
    data = Data(monkeypatch, rows)
    jobs = [Job("a", "r", "o"), Job("b", "r", "p")]
    planned = pool.Pool(3, 2, 1.0, 4.5, 0.5)
    weights = Weights("c", "e", "fast")
    assert list(pool.results(ray, jobs, planned, weights=weights, aside="d")) == rows
    assert data.items == [job._asdict() for job in jobs]
    assert (data.blocks, data.worker) == (2, Worker)
    assert data.context.execution_no_progress_timeout_s == -1  # a picture may take very long
    options = data.options
    assert options["fn_constructor_kwargs"] == {
        "weights": weights,
        "cpus": 2,
        "memory_gb": 4.5,
        "aside": "d",
        "gpus": 0.5,
    }
    assert (options["num_cpus"], options["num_gpus"]) == (1.0, 0.5)
    actors = options["compute"]
    assert (actors.min_size, actors.max_size, actors.max_tasks_in_flight_per_actor) == (3, 3, 1)


def test_workers_that_cant_go_on(monkeypatch):
    error = ray.exceptions.RayError("a stack\nThe node has no such file.\n")
    Data(monkeypatch, [{"reason": ""}, error])
    jobs, weights = [Job("a", "r", "o")], Weights("", "")
    found = pool.results(ray, jobs, pool.Pool(1, 1, 1, 1), weights=weights, aside="")
    assert next(found) == {"reason": ""}
    with pytest.raises(InputError, match=r"The workers can't go on: The node has no such file\. "):
        next(found)


@pytest.mark.parametrize(("gpus", "size"), [(0, 10), (1, 3), (2, 1), (0.5, 6), (0.1, 8)])
def test_workers_are_as_many_as_have_a_gpu(gpus, size):
    nodes = [{**node, "GPU": n} for node, n in zip(_nodes(8, 8), (1.0, 2.0), strict=True)]
    planned = pool.planned([*nodes, *_nodes(4)], 100, cpus=2, gpus=gpus)
    assert (planned.size, planned.gpus) == (size, gpus)


def test_gpus_that_ray_does_not_know():
    nodes = [{**_nodes(8)[0], "GPU": 1.0}, *_nodes(8)]
    with pytest.raises(InputError, match="`num_gpus`=2: Ray knows no machine with as many"):
        pool.planned(nodes, 100, gpus=2)
    with pytest.raises(InputError, match=r"`num_gpus`=0\.5: Ray knows no machine"):
        pool.planned(_nodes(8), 100, gpus=0.5)
