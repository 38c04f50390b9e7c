"""Reference-based image super-resolution for TensorFlow and Keras."""

import lazy_loader

from ttsr_tf import registration as _registration  # noqa: F401

__version__ = "0.2.0.dev0"

# The names of __init__.pyi, imported on first use: `--help` does not wait for TensorFlow.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
