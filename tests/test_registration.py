"""What Keras is told of the classes that its files may name."""

import importlib

import keras

from ttsr_tf import registration


def test_every_registered_class_is_named():
    for module in registration.CLASSES:
        importlib.import_module(module)
    prefix = f"{registration.PACKAGE}>"
    registered = keras.saving.get_custom_objects()
    found = {name: cls for name, cls in registered.items() if name.startswith(prefix)}
    named = {
        f"{prefix}{name}": getattr(importlib.import_module(module), name)
        for module, names in registration.CLASSES.items()
        for name in names
    }
    named |= {name: cls for name, cls in found.items() if cls.__module__ == "one_convolution"}
    assert found == named
