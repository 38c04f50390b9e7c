"""What the door of batches sets for its process, and how it ends."""

import os
import signal

import PIL.Image
import pytest

pytest.importorskip("ray.data", reason="NOT TESTED: needs the extra `ray`")
from export import BatchConfig
from export import batch as door
from export.workers import run
from ttsr_tf import InputError


@pytest.fixture
def door_left(monkeypatch):
    """Afterwards nothing is left of what the door sets for its process."""
    for name in ("USAGE_STATS_ENABLED", "BACKEND_LOG_LEVEL", "ENABLE_WINDOWS_OR_OSX_CLUSTER"):
        monkeypatch.setenv(f"RAY_{name}", "")
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_pictures_that_failed_end_it(tmp_path, tiny_weights, monkeypatch, door_left):
    monkeypatch.chdir(tmp_path)
    PIL.Image.new("RGB", (12, 12)).save("a.png")
    config = BatchConfig(input="a.png", ref="a.png", checkpoint=tiny_weights, output="out")
    results = iter([["one"], []])

    def upscale(given):
        assert given == config
        assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
        assert os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] == "0"  # on loopback
        return run.BatchResult([], next(results), "out/failures.csv", 5)

    monkeypatch.setattr(run, "upscale_batch", upscale)
    with pytest.raises(InputError, match=r"^1 of 5 pictures failed: see out/failures.csv\."):
        door.main(config)
    door.main(config)
