"""The list of a batch's jobs, its pool of workers, and what a worker does with a bad picture."""

import socket
import sys
import time
from unittest import mock

import PIL.Image
import pytest
import ray
import tensorflow as tf
from export_fixtures import tiny_checkpoint

from export.workers import config, jobs, pool
from export.workers.worker import TRIES, Worker
from ttsr_tf import InputError

GIB = 2**30


@pytest.fixture
def place(tmp_path, monkeypatch):
    for folder, names in (("in", "a.png b.jpg sub/a.tif notes.txt"), ("refs", "a.jpg c.png")):
        for name in names.split():
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    (tmp_path / "ref.png").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_one_reference_for_all(place):
    found = jobs.of_pictures("in", "ref.png", "out")
    assert found == [
        (f"{place}/in/a.png", f"{place}/ref.png", f"{place}/out/a.png"),
        (f"{place}/in/b.jpg", f"{place}/ref.png", f"{place}/out/b.png"),
    ]
    assert jobs.of_pictures("in/[ab]*", "ref.png", "out") == found
    assert jobs.of_pictures("in/b.jpg", "ref.png", "out") == found[1:]


def test_a_reference_for_each(place):
    found = jobs.of_pictures("in", "refs", "out")
    assert [job.ref for job in found] == [f"{place}/refs/a.jpg", f"{place}/refs/b.*"]


def test_refused_pictures(place):
    (place / "refs/a.png").touch()
    with pytest.raises(InputError, match=r"in/a.png has several references: refs/a.jpg, refs/a."):
        jobs.of_pictures("in", "refs", "out")
    with pytest.raises(InputError, match=r"in/sub/a.tif would both be written to .*/out/a.png"):
        jobs.of_pictures("in/**", "ref.png", "out")
    with pytest.raises(InputError, match=r"in/a.png is an input and an output"):
        jobs.of_pictures("in", "ref.png", "in/sub/..")
    with pytest.raises(InputError, match=r"`input`=in/\*.gif is no folder and matches no pictures"):
        jobs.of_pictures("in/*.gif", "ref.png", "out")
    with pytest.raises(InputError, match=r"`ref`=none.png is neither a picture nor a folder"):
        jobs.of_pictures("in", "none.png", "out")


LISTS = {
    "columns": ("lr,reference\na.png,b.png", "columns lr, ref .* got lr, reference"),
    "nothing": ("", "got nothing"),
    "no rows": ("lr,ref\n", "lists no pictures"),
    "no reference": ("lr,ref\na.png,b.png\na.png\n", "line 3: lr and ref must be given"),
    "folder": ("lr,ref,output\na.png,b.png,c/d.png", "line 2: c/d.png must be the name"),
    "ending": ("lr,ref,output\na.png,b.png,d.gif", "line 2: d.gif must be the name"),
    "twice": ("lr,ref\na.png,b.png\nx/a.jpg,b.png", "a.png and .*x/a.jpg would both be written"),
    "binary": ("lr,ref\n\udcff,b", "list.csv is not CSV in UTF-8"),
}


@pytest.mark.parametrize("name", LISTS)
def test_refused_lists(place, name):
    text, message = LISTS[name]
    (place / "list.csv").write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(InputError, match=message):
        jobs.of_list("list.csv", "out")
    with pytest.raises(InputError, match=r"Can't read none\.csv"):
        jobs.of_list("none.csv", "out")


def _nodes(*cpus):
    return [{"CPU": float(n), "memory": n * GIB} for n in cpus]


def test_one_machine_is_used_wholly():
    assert pool.planned(_nodes(16), 100) == (4, 4, 4, 4.0)
    assert pool.planned(_nodes(16), 3) == (3, 4, 4, 4.0)
    assert pool.planned(_nodes(1), 100) == (1, 1, 1, 1.0)
    assert pool.planned(_nodes(16), 100, cpus=8, memory_gb=0.5) == (2, 8, 8, 0.5)


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


@pytest.mark.parametrize("address", ["ray://host:1", "host", ":6379", "localhost:99999"])
def test_addresses(address):
    with pytest.raises(InputError, match=f"`ray_address`={address} "):
        config.check_address(address)
    config.check_address("auto")


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


@pytest.mark.parametrize("module", ["ray", "pyarrow"])
def test_without_ray(place, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    PIL.Image.new("RGB", (12, 12)).save("ref.png")
    given = {"input": "in", "ref": "ref.png", "checkpoint": tiny_checkpoint(place)}
    message = rf"\(missing: {module}\): pip install 'ttsr-tf\[ray\]'"
    with pytest.raises(InputError, match=message):
        config.check(config.BatchConfig(**given, output="out"))


@pytest.fixture
def worker(tmp_path):
    tiny_checkpoint(tmp_path)
    with (  # TensorFlow runs already in this process
        mock.patch.object(tf.config, "set_visible_devices"),
        mock.patch.object(tf.config.threading, "set_intra_op_parallelism_threads"),
        mock.patch.object(tf.config.threading, "set_inter_op_parallelism_threads"),
    ):
        where = str(tmp_path)
        return Worker(checkpoint=where, cpus=1, memory_gb=2.0, aside=where)


def test_a_picture_that_brings_workers_down_is_given_up(worker, tmp_path):
    job = {name: str(tmp_path / f"{name}.png") for name in ("lr", "ref", "output")}
    with mock.patch.object(worker, "_enlarge", side_effect=KeyboardInterrupt):  # as a kill would
        for _ in range(TRIES):
            with pytest.raises(KeyboardInterrupt):
                worker(job)
        assert "lr.png was given up: 3 workers ended" in worker(job)["reason"]


def test_what_nobody_foresaw_fails_one_picture(worker, tmp_path):
    job = {name: str(tmp_path / f"{name}.png") for name in ("lr", "ref", "output")}
    with mock.patch.object(worker, "_enlarge", side_effect=MemoryError("no more\nof it")):
        assert worker(job) == {**job, "reason": "MemoryError: no more"}


def test_a_shared_reference_is_encoded_once(worker, tmp_path, rng):
    for name in ("lr", "ref", "other"):
        picture = PIL.Image.fromarray(rng.integers(256, size=(16, 12, 3), dtype="uint8"))
        picture.save(tmp_path / f"{name}.png")
    encode = worker._upscaler.encode_reference
    with mock.patch.object(worker._upscaler, "encode_reference", side_effect=encode) as encoded:
        for i, ref in enumerate(("ref", "ref", "other", "other")):
            paths = {"lr": tmp_path / "lr.png", "ref": tmp_path / f"{ref}.png"}
            job = {**paths, "output": tmp_path / f"{i}.png"}
            assert worker({name: str(path) for name, path in job.items()})["reason"] == ""
    assert encoded.call_count == 2
