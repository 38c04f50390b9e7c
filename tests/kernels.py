"""The forms that layers take with some kernels of TensorFlow, whatever computes here."""

import pytest

from ttsr_tf import devices

# Whether TensorFlow's own gradient is fast, and whether a convolution of one picture is slow.
KERNELS = {"eigen": (False, False), "onednn": (False, True), "onednn_avx512": (True, False)}


@pytest.fixture
def kernels(monkeypatch):
    """Makes layers take the forms that are fast with the kernels of a name."""

    def set_to(name):
        own_gradient, slow_picture = KERNELS[name]
        monkeypatch.setattr(devices, "has_fast_convolution_gradient", lambda: own_gradient)
        monkeypatch.setattr(devices, "has_slow_convolution_of_one_picture", lambda: slow_picture)

    return set_to
