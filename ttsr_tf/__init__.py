"""Reference-based image super-resolution for TensorFlow and Keras."""

import importlib

__version__ = "0.1.0"
__all__ = ["TTSR", "InputError", "load"]

_HOME = {"InputError": "errors", "TTSR": "model", "load": "checkpoints"}


def __getattr__(name):
    # Loaded on first use, so that a command's `--help` does not wait for TensorFlow.
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
