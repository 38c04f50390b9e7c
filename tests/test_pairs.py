import io
import os
import re
import struct
import zlib

import numpy as np
import PIL.Image
import pytest

from ttsr_tf.data import pairing, pairs
from ttsr_tf.data.pairs import Pairs
from ttsr_tf.data.sets import Stored
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
    return pairs.load("folder", str(folder), crop_size=crop_size, **options)


@pytest.mark.parametrize("inside", ["", "train"])
@pytest.mark.parametrize("cache_gb", [4, 0])
def test_folder(folder, inside, cache_gb):
    train, validation = _load(folder / inside, cache_gb=cache_gb)
    assert (len(train), len(validation)) == (4, 8)
    assert train.names == [f"{i:02}" for i in range(8, 12)]
    for i, pair in enumerate([validation[0], train[1]]):
        for kind, picture in zip(("input", "ref"), pair, strict=True):
            with PIL.Image.open(folder / f"train/{kind}/{9 * i:02}.png") as image:
                np.testing.assert_array_equal(picture, image)


def test_partners_may_end_otherwise(folder):
    path = folder / "train/ref/09.png"
    with PIL.Image.open(path) as image:
        image.save(path.with_suffix(".bmp"))
        pixels = np.asarray(image)
    with pytest.raises(InputError, match=r"ref: differing only in their ending: 09\. Rename\."):
        _load(folder)
    path.unlink()
    train, _ = _load(folder)
    np.testing.assert_array_equal(train[1][1], pixels)


def test_the_cache_is_memory(folder):
    cached, _ = _load(folder)
    not_cached, _ = _load(folder, cache_gb=0)
    (folder / "train/input/08.png").unlink()
    assert cached[0][0].shape == (36, 40, 3)
    with pytest.raises(InputError, match=r"08\.png is not a file"):
        not_cached[0]
    assert "08.png is not a file" in str(not_cached.failure)


def test_half_a_picture_is_found_first_also_without_a_cache(folder):
    path = folder / "train/input/10.png"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match=r"10\.png can't be read .* `skip_corrupt` goes on"):
        _load(folder, cache_gb=0)


def test_references_that_are_too_small_are_named(folder):
    for name, size in (("02", (40, 11)), ("09", (3, 40))):
        PIL.Image.new("RGB", size).save(folder / f"train/ref/{name}.png")
    with pytest.raises(InputError, match=r"2 references are .* 12 pixels: 02 \(40×11\), 09 \(3×40"):
        _load(folder)


def test_corrupt_pictures_are_named_or_left_out(folder, capsys):
    (folder / "train/ref/09.png").write_bytes(b"no picture")
    whole = (folder / "train/input/10.png").read_bytes()
    (folder / "train/input/10.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"09\.png is not a picture .* `skip_corrupt` goes on"):
        _load(folder)
    train, _ = _load(folder, skip_corrupt=True)
    assert train.names == ["08", "11"]
    said = capsys.readouterr().out
    assert re.search(r"Left out: 2 pairs\. .*09\.png is .*10\.png can't be read", said)


def test_a_picture_that_is_far_too_large_is_left_out(folder, capsys):
    """Beyond 179 megapixels Pillow raises an error of its own, before there are any pixels."""
    sizes = struct.pack(">IIBBBBB", 16384, 16384, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", sizes), (b"IDAT", b"")]
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    ]
    (folder / "train/input/09.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    for cache_gb in 4, 0:
        with pytest.raises(InputError, match=r"09\.png is too large.* `skip_corrupt` goes on"):
            _load(folder, cache_gb=cache_gb)
        train, _ = _load(folder, cache_gb=cache_gb, skip_corrupt=True)
        assert train.names == ["08", "10", "11"]
        assert re.search(r"Left out: 1 pairs\. .*09\.png is too large", capsys.readouterr().out)


def test_a_picture_that_breaks_later_is_replaced_by_the_next(folder):
    train, _ = _load(folder, cache_gb=0, skip_corrupt=True)
    (folder / "train/ref/11.png").write_bytes(b"no picture")
    np.testing.assert_array_equal(train[3][0], train[0][0])
    assert train.skipped == {"11"}
    with pytest.raises(InputError, match="None of the pairs"):
        Pairs(["a", "b"], _fail, substitute=True)[0]


def _fail(_):
    raise InputError("gone")


def test_bad_folders(folder):
    with pytest.raises(InputError, match=r"12 .* than `crop_size`=40: 00 \(40×36\)"):
        _load(folder, crop_size=40)
    (folder / "train/ref/03.png").unlink()
    for use in _load, lambda place: pairs.check("folder", str(place)):
        with pytest.raises(InputError, match="`dataset`=folder needs `data_dir`, the folder of"):
            use("")
        with pytest.raises(InputError, match=r"1 pictures without .*, input/03\.png\. Add"):
            use(folder)
        with pytest.raises(InputError, match=r"input is missing: pairs are input/NAME and ref/N"):
            use(folder / "train/ref")
        with pytest.raises(InputError, match=r"`data_dir`=.*none is not a folder"):
            use(folder / "none")
    for path in (folder / "train").glob("*/0*.png"):
        path.unlink()
    for use in _load, lambda place: pairs.check("folder", str(place)):
        with pytest.raises(InputError, match="2 pairs were found, at least 9 are needed"):
            use(folder)


def test_bad_data_sets(folder, monkeypatch):
    for use in pairs.load, pairs.check:
        with pytest.raises(InputError, match="must be sample, folder or tfds_cufed5, got 'disk'"):
            use("disk")
        with pytest.raises(
            InputError, match="`data_dir` goes with `dataset`=folder or tfds_cufed5"
        ):
            use("sample", str(folder))
        with pytest.raises(InputError, match="with its training pairs isn't built in"):
            use("tfds_cufed5", str(folder))
    pairs.check("sample")
    pairs.check("folder", str(folder))
    monkeypatch.setitem(__import__("sys").modules, "skimage", None)
    with pytest.raises(InputError, match=r"needs scikit-image: pip install 'ttsr-tf\[sample\]'\."):
        pairs.check("sample")


def test_unpaired_of_both_sides_are_named(folder):
    (folder / "train/ref/03.png").unlink()
    (folder / "train/input/05.png").unlink()
    os.rename(folder / "train/ref/07.png", folder / "train/ref/7.jpg")
    wanted = "4 pictures without a partner of the same name, input/03.png, ref/05.png, "
    with pytest.raises(InputError, match=re.escape(f"{wanted}input/07.png, ref/7.jpg.")):
        pairing.partners(str(folder / "train"))


def test_encoded_bytes_are_read_like_files(rng, tmp_path):
    pixels = rng.integers(256, size=(5, 7, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, "PNG")
    (tmp_path / "x.png").write_bytes(buffer.getvalue())
    for file in (buffer.getvalue, str(tmp_path / "x.png")):
        picture = Stored("input/x.png", file)
        np.testing.assert_array_equal(picture.read(), pixels)
        assert picture.size() == (5, 7)
    half = Stored("input/x.png", lambda: buffer.getvalue()[:60])
    with pytest.raises(InputError, match=r"input/x\.png can't be read"):
        half.read()
    for read in Stored.read, Stored.size:
        with pytest.raises(InputError, match=r"^input/x\.png is not a picture that can be read"):
            read(Stored("input/x.png", lambda: b"text"))
        with pytest.raises(InputError, match=r"/y\.png is not a file"):
            read(Stored("y.png", str(tmp_path / "y.png")))


def test_the_sample():
    train, validation = pairs.load("sample", crop_size=48, seed=2)
    assert (len(train), len(validation)) == (128, 8)
    assert [x.shape for x in (*train[127], *validation[7])] == [(48, 48, 3)] * 4
