"""`python -m export.batch` on Ray: stopped, started again, with a killed worker."""

import shutil
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
from server_process import quiet_environment

from ttsr_tf.inference import UpscaleConfig, upscale_files

pytestmark = pytest.mark.xdist_group("batch")


@pytest.fixture
def place(tmp_path, rng, tiny_weights):
    shutil.copy(tiny_weights, tmp_path)
    ref = rng.integers(256, size=(41, 50, 3), dtype=np.uint8)
    PIL.Image.fromarray(ref).save(tmp_path / "ref.jpg")
    (tmp_path / "in").mkdir()
    for i in range(12):
        picture = PIL.Image.fromarray(rng.integers(256, size=(50, 50, 3), dtype=np.uint8))
        picture.save(tmp_path / f"in/{i:02}.png")
    return tmp_path


@pytest.fixture
def start(place):
    """Starts the command in `place`; nothing that it or Ray starts may be left in the end."""
    mark = uuid.uuid4().hex
    environment = {**quiet_environment(), "TTSR_TEST": mark, "PYTHONPATH": str(ROOT)}

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
def expected(place, tmp_path_factory):
    """What `ttsr_tf.upscale` makes of `place`/in."""
    output = tmp_path_factory.mktemp("expected")
    files = {"lr": place / "in", "ref": [place / "ref.jpg"], "output": output}
    upscale_files(UpscaleConfig(checkpoint=place / "model.safetensors", **files))
    return _contents(output)


def test_stopped_started_and_a_worker_killed(place, start, expected):
    flags = "--input=in/*", "--ref=ref.jpg", "--worker_cpus=1"  # two workers or more
    process = start(*flags)
    _wait(process, lambda: len(list((place / "out").glob("*.png"))) >= 2)
    for one in psutil.Process(process.pid).children(recursive=True):
        assert not ports_beyond_this_machine(one), one
    process.send_signal(signal.SIGTERM)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr.splitlines() == ["", "Stopped. The same command goes on."]
    done = len(list((place / "out").iterdir()))
    assert 2 <= done < 12
    assert set(_contents(place / "out").items()) <= set(expected.items())

    (place / "in/text.jpg").write_text("hello")
    process = start(*flags)
    _wait(process, lambda: len(list((place / "out").glob("*.png"))) >= done + 2)
    psutil.Process(_worker_of(process)).kill()
    stdout, stderr = process.communicate(timeout=200)
    (error,) = stderr.splitlines()
    assert process.returncode == 1
    assert error.startswith(f"error: 1 of 13 pictures failed: see {place / 'out/failures.csv'}.")
    assert f"13 pictures, {done} of them done before." in stdout
    (place / "out/failures.csv").unlink()
    assert _contents(place / "out") == expected


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
