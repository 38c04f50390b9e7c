"""`python -m export.batch`, as a person runs it."""

import csv
import os
import signal
import subprocess
import sys
import time
import uuid

import numpy as np
import PIL.Image
import psutil
import pytest
from conftest import ROOT, ports_beyond_this_machine
from export_fixtures import tiny_checkpoint

from ttsr_tf import load
from ttsr_tf.images import files


@pytest.fixture
def place(tmp_path, rng):
    tiny_checkpoint(tmp_path)
    ref = rng.integers(256, size=(41, 50, 3), dtype=np.uint8)
    PIL.Image.fromarray(ref).save(tmp_path / "ref.jpg")
    (tmp_path / "in").mkdir()
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
def start(place):
    """Starts the command in `place`; nothing that it or Ray starts may be left in the end."""
    mark = uuid.uuid4().hex
    environment = {**os.environ, "TTSR_TEST": mark, "PYTHONPATH": str(ROOT)}

    def command(*flags):
        common = f"--checkpoint={place / 'model.safetensors'}", f"--output={place / 'out'}"
        return subprocess.Popen(
            [sys.executable, "-m", "export.batch", *common, *flags],
            cwd=place,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    yield command
    deadline = time.monotonic() + 20
    while left := [p for p in psutil.process_iter() if _environment(p).get("TTSR_TEST") == mark]:
        if time.monotonic() > deadline:
            for process in left:
                process.kill()
            raise AssertionError(f"left behind: {left}")
        time.sleep(0.2)


@pytest.fixture
def batch(start):
    """Runs the command: exit code, stdout, lines of stderr."""

    def run(*flags):
        process = start(*flags)
        stdout, stderr = process.communicate(timeout=200)
        return process.returncode, stdout, stderr.splitlines()

    return run


@pytest.fixture
def expected(place, run, tmp_path_factory):
    """A folder of what `ttsr_tf.upscale` makes of `place`/in."""

    def folder():
        output = tmp_path_factory.mktemp("expected")
        flags = f"--lr={place / 'in'}", f"--ref={place / 'ref.jpg'}", f"--output={output}"
        result = run("upscale", *flags, f"--checkpoint={place / 'model.safetensors'}")
        assert result.returncode == 0, result.stderr
        return _contents(output)

    return folder


def test_a_folder(place, pictures, batch, expected):
    pictures(["a.png", "b.bmp"])
    pictures(["grey, transparent.png"], (13, 20, 2))
    (place / "in/notes.txt").write_text("no picture")
    good = expected()
    whole = (place / "in/a.png").read_bytes()
    (place / "in/cut.png").write_bytes(whole[: len(whole) // 2])
    (place / "in/text.jpg").write_text("hello")
    flags = "--input=in", "--ref=ref.jpg"

    code, stdout, (error,) = batch(*flags)
    assert code == 1
    assert error.startswith(f"error: 2 of 5 pictures failed: see {place / 'out/failures.csv'}.")
    assert stdout.startswith("5 pictures, 0 of them done before.\n")
    assert "picture 5/5, failed 2" in stdout
    assert stdout.endswith(f"3 pictures written to {place / 'out'}.\n")
    failures = _rows(place / "out/failures.csv")
    assert [row["picture"] for row in failures] == [str(place / f"in/{n}") for n in CORRUPT]
    assert {row["reference"] for row in failures} == {str(place / "ref.jpg")}
    assert "cut.png can't be read" in failures[0]["reason"]
    assert "text.jpg is not a picture" in failures[1]["reason"]
    (place / "out/failures.csv").rename(place / "failures.csv")
    assert _contents(place / "out") == good

    (place / "failures.csv").rename(place / "out/failures.csv")
    for name in CORRUPT:
        (place / "in" / name).unlink()
    before = {path: path.stat().st_mtime_ns for path in (place / "out").glob("*.png")}
    code, stdout, stderr = batch(*flags)
    assert (code, stderr) == (0, [])
    assert "3 pictures, 3 of them done before.\n0 pictures written" in stdout
    assert {path: path.stat().st_mtime_ns for path in (place / "out").iterdir()} == before


CORRUPT = "cut.png", "text.jpg"


def test_a_list_of_pairs(place, pictures, batch):
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
    code, stdout, (error,) = batch("--pairs=in/list.csv", "--memory_gb=2")
    assert code == 1
    assert "memory: 2.0 GiB" in stdout
    assert "error: 2 of 4 pictures failed" in error
    reasons = [row["reason"] for row in _rows(place / "out/failures.csv")]
    assert reasons[0] == f"{place / 'in/none.png'} is not a file. Check the path."
    assert "`lr` is 1×1 pixels, at least 3×3 are needed" in reasons[1]
    upscaler, lr = load(place), files.read(place / "in/a.png").rgb
    for name, ref in (("a.png", "ref.jpg"), ("other.bmp", "in/ref.webp")):
        sr = upscaler.upscale(lr, files.read(place / ref).rgb)
        np.testing.assert_array_equal(files.read(place / "out" / name).rgb, sr)
    assert len(list((place / "out").iterdir())) == 3


def test_stopped_started_and_a_worker_killed(place, pictures, start, expected):
    pictures([f"{i:02}.png" for i in range(16)], (50, 50, 3))
    good = expected()
    flags = "--input=in/*.png", "--ref=ref.jpg", "--worker_cpus=1"  # two workers or more
    process = start(*flags)
    _wait(process, lambda: len(list((place / "out").glob("*.png"))) >= 2)
    for one in psutil.Process(process.pid).children(recursive=True):
        assert not ports_beyond_this_machine(one), one
    process.send_signal(signal.SIGTERM)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr.splitlines() == ["", "Stopped. The same command goes on."]
    done = len(list((place / "out").iterdir()))
    assert 2 <= done < 16
    assert set(_contents(place / "out").items()) <= set(good.items())

    process = start(*flags)
    _wait(process, lambda: len(list((place / "out").glob("*.png"))) >= done + 2)
    psutil.Process(_worker_of(process)).kill()
    stdout, stderr = process.communicate(timeout=200)
    assert (process.returncode, stderr) == (0, ""), stdout
    assert f"16 pictures, {done} of them done before." in stdout
    assert _contents(place / "out") == good


def test_a_shared_reference_that_is_too_small(place, pictures, batch):
    pictures(["a.png"])
    pictures(["small.png"], (11, 30, 3))
    code, stdout, (line,) = batch("--input=in/a.png", "--ref=in/small.png")
    assert code == 1
    assert line.startswith("error: --ref is 30×11 pixels, at least 12×12 are needed.")
    assert "workers" not in stdout
    assert not list((place / "out").iterdir())


def _worker_of(process):
    """A worker that has begun."""
    ray = psutil.Process(process.pid).children(recursive=True)
    return next(p.pid for p in ray if "MapWorker" in "".join(p.cmdline()))


def _wait(process, condition, seconds=150):
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _environment(process):
    try:
        return process.environ()
    except psutil.Error:
        return {}


def _contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))
