"""Names of a package that are imported when they are first asked for."""

import importlib


def names(package, homes):
    """`__getattr__` and `__dir__` for a package's module.

    Args:
        package: its name.
        homes: dict from a name to the module in the package that defines it; None where the name
            is a module itself.
    """

    def get(name):
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        home = homes[name]
        if home is None:
            return importlib.import_module(f"{package}.{name}")
        return getattr(importlib.import_module(f"{package}.{home}"), name)

    return get, lambda: sorted(homes)
