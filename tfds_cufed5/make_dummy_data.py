"""Writes `dummy_data`, noise in the layout of CUFED5, for the tests: python -m …make_dummy_data."""

import pathlib

import numpy as np
import PIL.Image

FOLDER = pathlib.Path(__file__).parent / "dummy_data"
SIZES = {"a.png": ((12, 10), (12, 10)), "b.jpg": ((12, 10), (7, 9)), "c.png": ((10, 12), (5, 4))}
GROUPS = 2


def main():
    rng = np.random.default_rng(5)
    for name, sizes in SIZES.items():
        for kind, size in zip(("input", "ref"), sizes, strict=True):
            _write(FOLDER / "train" / kind / name, rng, size)
    for group in range(GROUPS):
        for level in range(6):
            # No two references of a group are of the same size.
            _write(FOLDER / f"test/CUFED5/{group:03d}_{level}.png", rng, (9 + level, 14 - group))


def _write(path, rng, size):
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(rng.integers(256, size=(*size, 3), dtype=np.uint8)).save(path)


if __name__ == "__main__":
    main()
