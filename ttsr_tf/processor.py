"""The CPU, and which kernels TensorFlow has on it; asked before TensorFlow is there, too."""

import os
import re

_SWITCH = "TF_ENABLE_ONEDNN_OPTS"

# Any of these, and TensorFlow on Linux uses oneDNN's kernels unless it is told not to
# (tensorflow/core/util/util.cc); the names are those of /proc/cpuinfo.
_FOR_ONEDNN = {"avx512_vnni", "avx512_bf16", "avx_vnni", "amx_tile", "amx_int8", "amx_bf16"}


def flags():
    """A set of what the CPU can, as Linux names it; empty elsewhere."""
    try:
        with open("/proc/cpuinfo") as info:
            found = re.search(r"^flags\s*:(.*)$", info.read(), re.MULTILINE)
    except OSError:  # not Linux
        return set()
    return set(found[1].split()) if found else set()


def uses_onednn():
    """Whether TensorFlow's kernels are oneDNN's.

    The environment's TF_ENABLE_ONEDNN_OPTS says so; what TensorFlow can't read as a boolean leaves
    the choice to the CPU.
    """
    switch = os.environ.get(_SWITCH, "").lower()
    given = {"0": False, "false": False, "1": True, "true": True}.get(switch)
    return bool(flags() & _FOR_ONEDNN) if given is None else given


def has_avx512():
    """Whether oneDNN's kernels are those for AVX-512."""
    return "avx512bw" in flags()


def prefer_onednn():
    """Before TensorFlow is imported: oneDNN's kernels on CPUs with AVX2 that it wouldn't use them
    on, unless the environment says something. They are the faster ones, see `layers.convolved`.
    """
    if "avx2" in flags():
        os.environ.setdefault(_SWITCH, "1")
