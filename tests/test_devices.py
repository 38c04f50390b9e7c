"""Which gradient of a convolution is chosen, and whether TensorFlow agrees about its kernels."""

import os
import subprocess
import sys

import pytest

from ttsr_tf import devices


@pytest.mark.parametrize(
    ("cpu_flags", "switch", "expected"),
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
def test_where_onednn_is_used(cpu_flags, switch, expected):
    assert devices.uses_onednn(cpu_flags, switch) is expected


@pytest.mark.parametrize("switch", ["", "0", "1"])
def test_tensorflow_agrees(switch):
    """It says so when it starts, where it may."""
    environment = {"TF_CPP_MIN_LOG_LEVEL": "0", "TF_ENABLE_ONEDNN_OPTS": switch}
    code = "from ttsr_tf import devices; print(devices.has_fast_convolution_gradient())"
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    on = "oneDNN custom operations are on" in result.stderr
    assert result.stdout.strip() == str(on)


def test_a_gpu_that_is_of_no_use_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(devices, "_NVIDIA_DRIVER", str(tmp_path / "version"))
    said = "I0000 hello\nW0000 Cannot dlopen some GPU libraries: libcudnn.so.9\n"
    line = f"On the CPU, {os.cpu_count()} processors."
    assert devices.described(said) == line
    (tmp_path / "version").write_text("NVRM version: 570")
    assert devices.described(said).splitlines() == [
        f"{line} The GPU that is there can't be used by TensorFlow:",
        "W0000 Cannot dlopen some GPU libraries: libcudnn.so.9",
    ]
