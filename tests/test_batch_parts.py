"""The list of a batch's jobs, and what a worker does with them."""

import pathlib
from unittest import mock

import PIL.Image
import pytest
import tensorflow as tf

from export.workers import jobs
from export.workers import worker as workers
from export.workers.worker import TRIES, Weights, Worker
from ttsr_tf import InputError, devices, load


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
    with pytest.raises(InputError, match=r"refs: differing only in their ending: a. Rename"):
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


@pytest.fixture(scope="module")
def upscaler(tiny_weights):
    return load(tiny_weights)


@pytest.fixture
def worker(upscaler, tmp_path, monkeypatch, worker_sets):
    monkeypatch.setattr(workers, "load", lambda *_, **__: upscaler)  # its graphs are there
    return Worker(
        weights=Weights("of these", "tensorflow"), cpus=1, memory_gb=2.0, aside=str(tmp_path)
    )


@pytest.mark.parametrize(("cpus", "threads"), [(1, 2), (5, 5)])
def test_what_a_worker_computes_with(tiny_weights, worker_sets, cpus, threads):
    worker = Worker(
        weights=Weights(str(tiny_weights), "tensorflow"), cpus=cpus, memory_gb=2.0, aside="."
    )
    assert worker_sets == {
        "set_visible_devices": ([], "GPU"),
        "set_intra_op_parallelism_threads": (threads,),
        "set_inter_op_parallelism_threads": (threads,),
    }
    assert worker._upscaler.model.count_params() > 0
    with pytest.raises(InputError, match=r"No checkpoint at none"):
        Worker(weights=Weights("none", "tensorflow"), cpus=cpus, memory_gb=2.0, aside=".")


def test_a_worker_without_the_gpu_that_ray_gave(worker_sets):
    with pytest.raises(InputError, match="TensorFlow can't use the GPU that Ray gave"):
        Worker(weights=Weights("of these", "tensorflow"), cpus=1, memory_gb=2.0, aside=".", gpus=1)


@pytest.mark.parametrize(("gpus", "memory_gb", "expected"), [(0.5, 20, 4), (2, 20, 8), (1, 3, 3)])
def test_a_worker_with_a_gpu(monkeypatch, worker_sets, gpus, memory_gb, expected):
    grown = []
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [kind])
    monkeypatch.setattr(
        tf.config.experimental, "set_memory_growth", lambda *values: grown.append(values)
    )
    monkeypatch.setattr(devices, "gpu_memory", lambda: 10 * 2**30)
    monkeypatch.setattr(workers, "load", lambda *_, **__: None)
    worker = Worker(
        weights=Weights("c", "tensorflow"), cpus=1, memory_gb=memory_gb, aside=".", gpus=gpus
    )
    assert worker._memory_gb == pytest.approx(expected)  # of 10 GiB, what is left beside others
    assert grown == [("GPU", True)]
    assert "set_visible_devices" not in worker_sets


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


def test_what_is_there_is_left_alone_and_what_is_not_whole_is_aside(worker, tmp_path, rng):
    picture = PIL.Image.fromarray(rng.integers(256, size=(16, 12, 3), dtype="uint8"))
    picture.save(tmp_path / "lr.png")
    (tmp_path / "out").mkdir()
    job = {"lr": tmp_path / "lr.png", "ref": tmp_path / "lr.png", "output": tmp_path / "out/a.png"}
    job = {name: str(path) for name, path in job.items()}

    def write(path, lr, sr):
        assert pathlib.Path(path).parent == tmp_path
        assert path.endswith(".png")
        pathlib.Path(path).write_bytes(b"large")
        assert not list((tmp_path / "out").iterdir())

    with mock.patch.object(workers, "write", write):
        assert worker(job)["reason"] == ""
    assert [path.read_bytes() for path in (tmp_path / "out").iterdir()] == [b"large"]
    with mock.patch.object(worker, "_enlarge", side_effect=AssertionError):
        assert worker(job)["reason"] == ""
