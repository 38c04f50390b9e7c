"""matplotlib, for the benchmarks that draw."""

from ttsr_tf.errors import InputError


def pyplot():
    """The module.

    Raises:
        InputError: it isn't installed.
    """
    try:
        from matplotlib import pyplot as module
    except ImportError:
        raise InputError("A plot needs matplotlib: pip install -e '.[benchmarks]'") from None
    return module
