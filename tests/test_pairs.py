import io
import re

import numpy as np
import PIL.Image
import pytest

from ttsr_tf.data import pair_files, pairs
from ttsr_tf.data.pairs import Pairs
from ttsr_tf.errors import InputError


@pytest.fixture
def folder(tmp_path, rng):
    for kind, height in (("input", 36), ("ref", 20)):
        (tmp_path / "train" / kind).mkdir(parents=True)
        for i in range(12):
            pixels = rng.integers(256, size=(height, 40, 3), dtype=np.uint8)
            PIL.Image.fromarray(pixels).save(tmp_path / "train" / kind / f"{i:02}.png")
    return tmp_path


def _load(folder, crop_size=32, **options):
    return pairs.load("folder", str(folder), crop_size, **options)


@pytest.mark.parametrize("cache_gb", [4, 0])
def test_folder(folder, cache_gb):
    train, held_out = _load(folder, cache_gb=cache_gb)
    assert (len(train), len(held_out)) == (4, 8)
    assert train.names == [f"{i:02}.png" for i in range(8, 12)]
    for i, pair in enumerate([held_out[0], train[1]]):
        for kind, picture in zip(("input", "ref"), pair, strict=True):
            with PIL.Image.open(folder / f"train/{kind}/{9 * i:02}.png") as image:
                np.testing.assert_array_equal(picture, image)


def test_the_cache_is_memory(folder):
    cached, _ = _load(folder)
    not_cached, _ = _load(folder, cache_gb=0)
    (folder / "train/input/08.png").unlink()
    assert cached[0][0].shape == (36, 40, 3)
    with pytest.raises(InputError, match=r"08\.png is not a file"):
        not_cached[0]
    assert "08.png is not a file" in str(not_cached.failure)


def test_corrupt_pictures_are_named_or_left_out(folder, capsys):
    (folder / "train/ref/09.png").write_bytes(b"no picture")
    whole = (folder / "train/input/10.png").read_bytes()
    (folder / "train/input/10.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"09\.png is not a picture .* --skip_corrupt goes on"):
        _load(folder)
    train, _ = _load(folder, skip_corrupt=True)
    assert train.names == ["08.png", "11.png"]
    assert re.search(r"Left out: 1 pairs\. .*09\.png is", text := capsys.readouterr().out)
    assert re.search(r"Left out: 1 pairs\. .*10\.png can't be read", text)


def test_a_picture_that_breaks_later_is_replaced_by_the_next(folder):
    train, _ = _load(folder, cache_gb=0, skip_corrupt=True)
    (folder / "train/ref/11.png").write_bytes(b"no picture")
    np.testing.assert_array_equal(train[3][0], train[0][0])
    assert train.skipped == {"11.png"}
    with pytest.raises(InputError, match="None of the pairs"):
        Pairs(["a", "b"], _fail, substitute=True)[0]


def _fail(_):
    raise InputError("gone")


def test_bad_folders(folder):
    with pytest.raises(InputError, match="--dataset=folder needs --data_dir"):
        _load("")
    with pytest.raises(InputError, match=r"12 .* smaller than --crop_size=40: 00\.png \(40×36\)"):
        _load(folder, crop_size=40)
    (folder / "train/ref/03.png").unlink()
    with pytest.raises(InputError, match=r"1 pictures without .*, input/03\.png\. Add"):
        _load(folder)
    with pytest.raises(InputError, match=r"input is missing: pairs are input/NAME"):
        _load(folder / "train/ref")
    for path in (folder / "train").glob("*/0*.png"):
        path.unlink()
    with pytest.raises(InputError, match="2 pairs were found, at least 9 are needed"):
        _load(folder)
    with pytest.raises(InputError, match="must be sample, folder or tfds_cufed5, got 'disk'"):
        pairs.load("disk")


def test_encoded_bytes_are_read_like_files(rng):
    pixels = rng.integers(256, size=(5, 7, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, "PNG")
    file = pair_files.File("input/x.png", buffer.getvalue())
    np.testing.assert_array_equal(pair_files.decoded(file), pixels)
    assert pair_files.size(file) == (5, 7)
    with pytest.raises(InputError, match=r"input/x\.png can't be read"):
        pair_files.decoded(pair_files.File("input/x.png", buffer.getvalue()[:60]))


def test_the_sample():
    train, held_out = pairs.load("sample", crop_size=48, seed=2)
    assert (len(train), len(held_out)) == (128, 8)
    assert [x.shape for x in (*train[127], *held_out[7])] == [(48, 48, 3)] * 4
