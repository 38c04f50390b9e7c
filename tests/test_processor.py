"""Which kernels TensorFlow has, and whether it agrees about that."""

import os
import subprocess
import sys

import pytest

from ttsr_tf import processor

SWITCH = "TF_ENABLE_ONEDNN_OPTS"


@pytest.mark.parametrize(
    ("flags", "switch", "expected"),
    [
        ({"avx2", "avx512_vnni"}, "", True),
        ({"avx2", "avx_vnni"}, "", True),
        ({"avx2", "avx512f"}, "", False),  # the first CPUs with AVX-512, without its products
        (set(), "", False),  # not Linux
        ({"avx512_vnni"}, "0", False),
        ({"avx512_vnni"}, "False", False),
        ({"avx2"}, "1", True),
        ({"avx2"}, "TRUE", True),
        ({"avx512_vnni"}, "off", True),  # TensorFlow can't read it, and goes by the CPU
        ({"avx2"}, "on", False),
    ],
)
def test_where_onednn_is_used(monkeypatch, flags, switch, expected):
    monkeypatch.setattr(processor, "flags", lambda: flags)
    monkeypatch.setenv(SWITCH, switch)
    assert processor.uses_onednn() is expected


@pytest.mark.parametrize(
    ("flags", "before", "after"),
    [
        ({"sse4_2", "avx2"}, None, "1"),
        ({"sse4_2", "avx2"}, "0", "0"),  # whoever says something is obeyed
        ({"sse4_2"}, None, None),
        (set(), None, None),
    ],
)
def test_where_onednn_is_preferred(monkeypatch, flags, before, after):
    monkeypatch.setattr(processor, "flags", lambda: flags)
    monkeypatch.setenv(SWITCH, before or "")  # so that it is put back, whatever is set below
    if before is None:
        monkeypatch.delenv(SWITCH)
    processor.prefer_onednn()
    assert os.environ.get(SWITCH) == after


@pytest.mark.parametrize("prefer", [True, False])
@pytest.mark.parametrize("switch", ["", "0", "1"])
def test_tensorflow_agrees(switch, prefer):
    """It says so when it starts, where it may."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "0", "CUDA_VISIBLE_DEVICES": ""}
    environment.pop(SWITCH, None)
    if switch:
        environment[SWITCH] = switch
    code = f"""
from ttsr_tf import cli, processor
said = cli.start_tensorflow(prefer_onednn={prefer})
print("oneDNN custom operations are on" in said, processor.uses_onednn())
"""
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    told, thought = result.stdout.split()
    assert told == thought
    if switch or (prefer and "avx2" in processor.flags()):
        assert told == str(switch != "0")
