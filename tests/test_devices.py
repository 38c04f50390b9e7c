"""What is found out of CPUs and GPUs."""

import os
import time

import numpy as np
import pytest

from ttsr_tf import devices, processor
from ttsr_tf.inference import memory


@pytest.mark.parametrize(
    ("cpu_flags", "switch", "own_gradient", "slow_picture"),
    [
        ({"avx2", "avx512bw", "avx512_vnni"}, "", True, False),
        ({"avx2", "avx_vnni"}, "", False, True),  # oneDNN's without AVX-512
        ({"avx2"}, "1", False, True),
        ({"avx2"}, "", False, False),  # Eigen's
        ({"avx2", "avx512bw", "avx512_vnni"}, "0", False, False),
    ],
)
def test_which_forms_of_a_convolution_are_fast(
    monkeypatch, cpu_flags, switch, own_gradient, slow_picture
):
    monkeypatch.setattr(processor, "flags", lambda: cpu_flags)
    monkeypatch.setattr(devices.tf.config, "get_visible_devices", lambda _: [])
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", switch)
    # Without what was found out before.
    own = devices.has_fast_convolution_gradient.__wrapped__
    monkeypatch.setattr(devices, "has_fast_convolution_gradient", own)
    slow = devices.has_slow_convolution_of_one_picture.__wrapped__
    assert own() is own_gradient
    assert slow() is slow_picture
    monkeypatch.setattr(devices.tf.config, "get_visible_devices", lambda _: ["GPU:0"])
    assert own()
    assert not slow()


@pytest.mark.parametrize(
    ("cpu_flags", "switch", "expected"),
    [
        ({"avx512_vnni", "avx512_bf16"}, "", True),
        ({"avx512_vnni", "amx_tile", "amx_bf16"}, "", True),
        ({"avx512_vnni"}, "", False),
        ({"avx512_vnni", "avx512_bf16"}, "0", False),  # without oneDNN
        (set(), "1", False),
    ],
)
def test_where_bfloat16_is_fast(monkeypatch, cpu_flags, switch, expected):
    monkeypatch.setattr(processor, "flags", lambda: cpu_flags)
    monkeypatch.setattr(devices.tf.config, "get_visible_devices", lambda _: [])
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", switch)
    assert devices.has_fast_bfloat16() is expected


@pytest.mark.parametrize(("capability", "expected"), [((8, 6), True), ((7, 5), False)])
def test_which_gpus_have_bfloat16_and_tensor_float_32(monkeypatch, capability, expected):
    monkeypatch.setattr(devices.tf.config, "get_visible_devices", lambda _: ["GPU:0"])
    monkeypatch.setattr(
        devices.tf.config.experimental,
        "get_device_details",
        lambda _: {"compute_capability": capability},
    )
    assert devices.has_fast_bfloat16() is expected
    assert devices.has_tensor_float_32() is expected


def test_no_tensor_float_32_where_it_is_off_or_no_gpu_is(monkeypatch):
    experimental = devices.tf.config.experimental
    assert devices.has_tensor_float_32() == bool(devices.tf.config.get_visible_devices("GPU"))
    monkeypatch.setattr(devices, "_are_from_ampere_on", lambda: [True])
    assert devices.has_tensor_float_32()
    monkeypatch.setattr(experimental, "tensor_float_32_execution_enabled", lambda: False)
    assert not devices.has_tensor_float_32()


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


@pytest.fixture
def gpu(monkeypatch, tmp_path):
    """As if TensorFlow saw a GPU; `gpu(text)` is what the driver's program prints of its memory."""
    visible = devices.tf.config.get_visible_devices
    monkeypatch.setattr(
        devices.tf.config,
        "get_visible_devices",
        lambda kind=None: ["GPU"] if kind == "GPU" else visible(kind),
    )
    used = {"current": 3 * 2**30, "peak": 5 * 2**30}
    monkeypatch.setattr(devices.tf.config.experimental, "get_memory_info", {"GPU:0": used}.get)
    monkeypatch.setenv("PATH", str(tmp_path))

    def prints(text):
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\necho '{text}'\n")
        program.chmod(0o755)

    return prints


def test_the_memory_of_the_smallest_gpu_less_what_is_used(gpu):
    assert devices.gpu_memory() is None  # no such program
    gpu("24564\n16384")
    assert devices.gpu_memory() == (16384 - 3 * 1024) * 2**20
    gpu("2048")
    assert devices.gpu_memory() == 0
    gpu("[N/A]")  # of memory that is the host's, too
    assert devices.gpu_memory() is None


def test_a_gpu_bounds_the_tiles(gpu):
    gpu("4096")
    assert memory.allowed() == memory.TENSORFLOW.fixed + 0.8 * 2**30
    assert memory.allowed(9) == 9 * 2**30
    gpu(str(2**40))
    assert memory.allowed() < memory.TENSORFLOW.fixed + 0.8 * 2**40  # the host's is the less


def test_without_a_gpu_the_host_s_memory_is_judged():
    assert devices.gpu_memory() is None


def test_speed_is_that_of_a_product():
    x = np.ones([1024, 1024], np.float32)
    start = time.perf_counter()
    x @ x
    alone = 2 * 1024**3 / (time.perf_counter() - start)
    assert alone / 20 < devices.flops_per_second() < alone * 20
