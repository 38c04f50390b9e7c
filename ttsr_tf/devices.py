"""What is computed on: its name, speed, memory; which gradient of a convolution is the faster."""

import functools
import os
import re
import subprocess
import time

import tensorflow as tf

from ttsr_tf import processor

_NVIDIA_DRIVER = "/proc/driver/nvidia/version"  # there where a GPU of theirs is

_FOR_BFLOAT16 = {"avx512_bf16", "amx_bf16"}
_AMPERE = (8, 0)  # the first NVIDIA GPUs with bfloat16 and TensorFloat-32, by compute capability


def described(said):
    """A sentence on what is computed on, and why not on a GPU that is there.

    Args:
        said: what TensorFlow printed at its start, as `cli.start_tensorflow` gives it.
    """
    if gpus := tf.config.get_visible_devices("GPU"):
        details = map(tf.config.experimental.get_device_details, gpus)
        named = [found.get("device_name", "a GPU") for found in details]
        return f"On {len(gpus)} of {', '.join(sorted(set(named)))}."
    line = f"On the CPU, {os.cpu_count()} processors."
    if not os.path.exists(_NVIDIA_DRIVER):
        return line
    reasons = [text for text in said.splitlines() if re.search("cuda|libcu|gpu", text, re.I)]
    return "\n".join([f"{line} The GPU that is there can't be used by TensorFlow:", *reasons])


@functools.cache
def flops_per_second():
    """The speed of a matrix product, the best of three."""
    on_gpu = _has_gpu()
    side = 4096 if on_gpu else 1024  # a GPU would only be begun with
    x = tf.ones([side, side])
    return max(2 * side**3 / _seconds(lambda: tf.reduce_sum(x @ x).numpy()) for _ in range(3))


def gpu_memory():
    """Bytes that TensorFlow may still take of the GPU that it computes on; of unlike ones, as if it
    were the smallest. None without one, or where no `nvidia-smi` tells: Apple's share the host's.
    """
    if not _has_gpu():
        return None
    query = "nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"
    try:
        told = subprocess.run(query, capture_output=True, text=True, check=True, timeout=60)
        total = 2**20 * min(map(int, told.stdout.split()))
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return max(total - tf.config.experimental.get_memory_info("GPU:0")["current"], 0)


def _seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


@functools.cache  # TensorFlow, too, decides once in a process
def has_fast_convolution_gradient():
    """Whether TensorFlow's own gradient of a convolution is the faster one here.

    It is on GPUs, and on CPUs where oneDNN computes it with AVX-512; else `layers.convolved` is.
    """
    if _has_gpu():
        return True
    return processor.uses_onednn() and processor.has_avx512()


@functools.cache
def has_slow_convolution_of_one_picture():
    """Whether convolutions are oneDNN's without AVX-512, see `layers.convolved`."""
    return processor.uses_onednn() and not has_fast_convolution_gradient()


def has_fast_bfloat16():
    """Whether convolutions in bfloat16 take less time than in float32."""
    if _has_gpu():
        return all(_are_from_ampere_on())
    return bool(processor.flags() & _FOR_BFLOAT16) and processor.uses_onednn()


def has_tensor_float_32():
    """Whether TensorFlow multiplies float32 matrices in TensorFloat-32, of 10 bits of fraction."""
    enabled = tf.config.experimental.tensor_float_32_execution_enabled()
    return enabled and any(_are_from_ampere_on())


def _has_gpu():
    return bool(tf.config.get_visible_devices("GPU"))


def _are_from_ampere_on():
    """Of each GPU."""
    details = map(tf.config.experimental.get_device_details, tf.config.get_visible_devices("GPU"))
    return [found.get("compute_capability", (0,)) >= _AMPERE for found in details]
