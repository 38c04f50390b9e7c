"""A batch in this process: its planner, its jobs and a worker, without Ray."""

import contextlib
import csv

import numpy as np
import PIL.Image
import pytest

pytest.importorskip("ray.data", reason="NOT TESTED: needs the extra `ray`")
from export import BatchConfig, upscale_batch
from export.workers import pool, worker
from ttsr_tf import InputError, load
from ttsr_tf.images import files
from ttsr_tf.inference import UpscaleConfig, upscale_files

CORRUPT = "cut.png", "text.jpg"


@pytest.fixture(scope="module")
def upscaler(tiny_weights):
    return load(tiny_weights)


class Cluster:
    """Ray's, of two machines, one of which was lost; `done` are the jobs that reached a worker."""

    def __init__(self):
        self.done = []

    def nodes(self):
        resources = {"CPU": 2.0, "memory": 3 * 2**30}
        lost = {"CPU": 1.0, "memory": 2**30}
        return [{"Alive": True, "Resources": resources}, {"Alive": False, "Resources": lost}]

    @contextlib.contextmanager
    def connected(self, address):
        yield self

    def results(self, ray, jobs, pool, *, weights, aside):
        own = worker.Worker(
            weights=weights,
            cpus=pool.cpus,
            memory_gb=pool.memory_gb,
            aside=aside,
        )
        for job in jobs:
            self.done.append(job)
            yield own(job._asdict())


@pytest.fixture
def cluster(monkeypatch, upscaler, worker_sets):
    stand_in = Cluster()
    monkeypatch.setattr(pool, "connected", stand_in.connected)
    monkeypatch.setattr(pool, "results", stand_in.results)
    monkeypatch.setattr(worker, "load", lambda *_, **__: upscaler)  # its graphs are there
    return stand_in


@pytest.fixture
def place(tmp_path, rng, monkeypatch):
    ref = rng.integers(256, size=(41, 50, 3), dtype=np.uint8)
    PIL.Image.fromarray(ref).save(tmp_path / "ref.jpg")
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def pictures(place, rng):
    """Writes small pictures to `place`/in."""

    def write(names, size=(14, 18, 3)):
        for name in names:
            picture = PIL.Image.fromarray(rng.integers(256, size=size, dtype=np.uint8))
            picture.save(place / "in" / name)

    return write


@pytest.fixture
def batch(place, cluster, tiny_weights):
    """Does a batch in `place`."""

    def run(**given):
        config = BatchConfig(checkpoint=tiny_weights, output=place / "out", **given)
        return upscale_batch(config)

    return run


def test_a_folder(place, pictures, batch, cluster, tiny_weights, capsys, tmp_path_factory):
    pictures(["a.png", "b.bmp"])
    pictures(["grey, transparent.png"], (13, 20, 2))
    (place / "in/notes.txt").write_text("no picture")
    expected = tmp_path_factory.mktemp("expected")
    upscale_files(UpscaleConfig(lr="in", ref=["ref.jpg"], checkpoint=tiny_weights, output=expected))
    whole = (place / "in/a.png").read_bytes()
    (place / "in/cut.png").write_bytes(whole[: len(whole) // 2])
    (place / "in/text.jpg").write_text("hello")
    capsys.readouterr()

    result = batch(input="in", ref="ref.jpg")
    assert result.pictures == 5
    good = [str(place / "out" / name) for name in ("a.png", "b.png", "grey, transparent.png")]
    assert result.outputs == good
    assert result.failures_file == str(place / "out/failures.csv")
    said = capsys.readouterr().out
    assert said.startswith("5 pictures, 0 of them done before.\n1 workers, each with CPUs: 2, ")
    assert "memory: 3.0 GiB" in said
    assert "picture 5/5, failed 2" in said
    assert said.endswith(f"3 pictures written to {place / 'out'}.\n")
    failures = _rows(place / "out/failures.csv")
    assert [row["picture"] for row in failures] == [str(place / f"in/{n}") for n in CORRUPT]
    assert {row["reference"] for row in failures} == {str(place / "ref.jpg")}
    assert "cut.png can't be read" in failures[0]["reason"]
    assert "text.jpg is not a picture" in failures[1]["reason"]
    (place / "out/failures.csv").rename(place / "failures.csv")
    assert _contents(place / "out") == _contents(expected)

    (place / "failures.csv").rename(place / "out/failures.csv")
    (place / "out/a.png").unlink()
    for name in CORRUPT:
        (place / "in" / name).unlink()
    before = {path: path.stat().st_mtime_ns for path in (place / "out").glob("*.png")}
    cluster.done.clear()
    result = batch(input="in", ref="ref.jpg")
    assert (result.outputs, result.failures, result.pictures) == (good[:1], [], 3)
    assert [job.output for job in cluster.done] == good[:1]
    said = capsys.readouterr().out
    assert "3 pictures, 2 of them done before." in said
    assert "picture 3/3" in said
    assert _contents(place / "out") == _contents(expected)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_list_of_pairs(place, pictures, batch, upscaler, capsys):
    pictures(["a.png", "b.png"])
    pictures(["dot.png"], (1, 1, 3))
    pictures(["ref.webp"], (32, 20, 3))
    lines = [
        "\ufefflr,ref,output",  # as spreadsheets write it
        "a.png,../ref.jpg,",
        "a.png,ref.webp,other.bmp",
        "b.png,none.png,",
        "dot.png,../ref.jpg,",
    ]
    (place / "in/list.csv").write_text("\n".join(lines), encoding="utf-8")
    result = batch(pairs="in/list.csv", memory_gb=2, worker_cpus=1)
    assert "2 workers, each with CPUs: 1, memory: 2.0 GiB." in capsys.readouterr().out
    reasons = [row["reason"] for row in _rows(place / "out/failures.csv")]
    assert reasons == [failure[2] for failure in result.failures]
    assert reasons[0] == f"{place / 'in/none.png'} is not a file. Check the path."
    assert "`lr` is 1×1 pixels, at least 3×3 are needed" in reasons[1]
    lr = files.read(place / "in/a.png").rgb
    for name, ref in (("a.png", "ref.jpg"), ("other.bmp", "in/ref.webp")):
        sr = upscaler.upscale(lr, files.read(place / ref).rgb)
        np.testing.assert_array_equal(files.read(place / "out" / name).rgb, sr)
    assert len(list((place / "out").iterdir())) == 3


def test_a_shared_reference_that_is_too_small(place, pictures, batch, cluster):
    pictures(["a.png"])
    pictures(["small.png"], (11, 30, 3))
    too_small = r"`ref`=in/small\.png is 30×11 pixels, at least 12×12 are needed"
    with pytest.raises(InputError, match=too_small):
        batch(input="in/a.png", ref="in/small.png")
    assert not cluster.done
    assert not list((place / "out").iterdir())


def test_interrupted(place, pictures, batch, cluster, monkeypatch):
    pictures(["a.png", "b.png", "c.png"])
    (place / "in/a.png").write_text("hello")
    results = cluster.results

    def interrupted(*given, **options):
        rest = results(*given, **options)
        yield next(rest)
        yield next(rest)
        raise KeyboardInterrupt

    monkeypatch.setattr(pool, "results", interrupted)
    with pytest.raises(KeyboardInterrupt):
        batch(input="in", ref="ref.jpg")
    assert sorted(path.name for path in (place / "out").iterdir()) == ["b.png", "failures.csv"]
    assert len(_rows(place / "out/failures.csv")) == 1

    # What a run doesn't come to is told as before: Ray isn't there, or it is stopped at once.
    def at_once(*_, **options):
        raise KeyboardInterrupt
        yield

    before = _rows(place / "out/failures.csv")
    monkeypatch.setattr(pool, "results", at_once)
    with pytest.raises(KeyboardInterrupt):
        batch(input="in", ref="ref.jpg")
    assert _rows(place / "out/failures.csv") == before
    PIL.Image.new("RGB", (20, 14)).save(place / "in/a.png")
    monkeypatch.setattr(pool, "results", results)
    assert batch(input="in", ref="ref.jpg").failures == []
    assert not (place / "out/failures.csv").exists()


def _contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))
