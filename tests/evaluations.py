"""Two groups of pictures to evaluate on, and what an evaluation leaves."""

import csv

import numpy as np
import PIL.Image
import pytest


@pytest.fixture
def place(tmp_path, small_checkpoint, rng):
    (tmp_path / "groups").mkdir()
    for i, size in enumerate(((50, 71), (57, 60))):
        for k in range(6):
            small = rng.integers(256, size=(9, 11, 3), dtype=np.uint8)
            picture = PIL.Image.fromarray(small).resize((size[1], size[0] + k), 3)
            noise = rng.integers(-9, 10, (size[0] + k, size[1], 3))
            picture = np.uint8(np.clip(np.int32(picture) + noise, 0, 255))
            PIL.Image.fromarray(picture).save(tmp_path / f"groups/{i:03}_{k}.png")
    return tmp_path


@pytest.fixture
def values(place):
    def given(**changed):
        named = {
            "checkpoint": place / "model.safetensors",
            "data_dir": place / "groups",
            "output_dir": place / "out",
        }
        return {**named, **changed}

    return given


def rows(place):
    with open(place / "out/results.csv") as file:
        return list(csv.DictReader(file))
