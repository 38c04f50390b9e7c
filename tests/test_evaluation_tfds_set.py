"""tfds_cufed5 as it is built, read without the package that built it."""

import json
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from conftest import ROOT

from tfds_cufed5.tfds_cufed5_dataset_builder import SKIP_BAD, Builder
from ttsr_tf.data import cufed5, folders, pairs, records
from ttsr_tf.errors import InputError

GROUPS = [f"test/CUFED5/{group}_{k}.png" for group in ("003", "001", "002") for k in range(6)]
PAIRS = [f"train/{kind}/{i:02}.png" for i in range(10) for kind in ("input", "ref")]

# TFDS's own, and that these are less than 126 groups.
pytestmark = pytest.mark.filterwarnings("ignore")


def built(tmp_path, names, config=None):
    for i, name in enumerate(names):
        path = tmp_path / "manual" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(i).integers(256, size=(12 + i, 14, 3), dtype=np.uint8)
        PIL.Image.fromarray(pixels).save(path)
    builder = Builder(data_dir=str(tmp_path / "data"), config=config)
    manual = tfds.download.DownloadConfig(manual_dir=str(tmp_path / "manual"))
    builder.download_and_prepare(download_config=manual)
    return str(tmp_path / "data")


def assert_same(cases, others):
    assert [case.name for case in cases] == [case.name for case in others]
    for case, other in zip(cases, others, strict=True):
        for one, two in zip((case.hr, *case.refs), (other.hr, *other.refs), strict=True):
            assert one.size() == two.size()
            np.testing.assert_array_equal(one.read(), two.read())


@pytest.mark.parametrize("config", [None, SKIP_BAD])
def test_gives_what_the_folder_gives(tmp_path, config):
    data_dir = built(tmp_path, [*GROUPS, *PAIRS], config)
    name = f"tfds_cufed5/{config.name if config else 'strict'}/1.0.0"
    found = cufed5.test_set(data_dir)
    assert_same(found.cases, folders.load("folder", str(tmp_path / "manual")).cases)
    assert [case.name for case in found.cases] == ["001", "002", "003"]
    assert [ref.name for ref in found.cases[0].refs] == [f"001_{k}" for k in range(1, 6)]
    assert found.outline == cufed5.outline(data_dir) == (name, 3, 5, False, "CUFED5")

    assert_same(cufed5.train_pairs(data_dir), folders.pairs(str(tmp_path / "manual")))
    train, validation = pairs.load("tfds_cufed5", data_dir, crop_size=12)
    assert (train.names, validation.names[0]) == (["08", "09"], "00")
    with PIL.Image.open(tmp_path / "manual/train/ref/09.png") as image:
        np.testing.assert_array_equal(train[1][1], image)


def info(splits):
    return json.dumps({"splits": [{"name": n, "shardLengths": c} for n, c in splits.items()]})


def test_where_it_is_built(tmp_path, monkeypatch):
    def put(place, splits):
        folder = tmp_path / place
        folder.mkdir(parents=True)
        (folder / "dataset_info.json").write_text(info(splits))
        return str(folder)

    given = str(tmp_path / "given")
    bad = put("given/tfds_cufed5/skip_bad/1.0.0", {"test": ["2", "3"], "train": ["7"]})
    assert cufed5.built(given, "test") == (bad, "tfds_cufed5/skip_bad/1.0.0", 5)
    put("given/tfds_cufed5/strict/1.2.0", {"train": ["4"]})
    strict = put("given/tfds_cufed5/strict/1.10.0", {"train": ["1", "3"], "test": []})
    assert cufed5.built(given, "train") == (strict, "tfds_cufed5/strict/1.10.0", 4)
    assert cufed5.built(given, "test").folder == bad

    at_home = put("home/tensorflow_datasets/tfds_cufed5/strict/1.0.0", {"test": ["1"]})
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TFDS_DATA_DIR", raising=False)
    assert cufed5.built(None, "test").folder == at_home
    assert cufed5.built("~/tensorflow_datasets", "test").folder == at_home
    monkeypatch.setenv("TFDS_DATA_DIR", given)
    assert cufed5.built(None, "train").folder == strict


def test_not_built(tmp_path):
    wanted = r"with its test pictures isn't built in .*data\. Build it: tfds build tfds_cufed5 "
    data_dir = str(tmp_path / "data")
    with pytest.raises(InputError, match=f"{wanted}--manual_dir=.* --data_dir={data_dir}$"):
        cufed5.test_set(data_dir)
    built(tmp_path, PAIRS[:2])
    assert cufed5.built(data_dir, "train").count == 1
    with pytest.raises(InputError, match=wanted):
        cufed5.outline(data_dir)
    with pytest.raises(InputError, match="1 pairs were found, at least 9 are needed"):
        pairs.check("tfds_cufed5", data_dir)
    path = tmp_path / "data/tfds_cufed5/strict/1.0.0/dataset_info.json"
    path.write_text(path.read_text()[:40])  # a build that was stopped
    with pytest.raises(InputError, match="with its training pairs isn't built in"):
        cufed5.train_pairs(data_dir)


def test_the_builder_is_not_imported(tmp_path):
    data_dir = built(tmp_path, GROUPS[:6])
    line = (
        "import sys; sys.modules['tfds_cufed5'] = None; from ttsr_tf.data import cufed5; "
        f"print([ref.size() for ref in cufed5.test_set({data_dir!r}).cases[0].refs])"
    )
    result = subprocess.run([sys.executable, "-c", line], cwd=ROOT, capture_output=True, text=True)
    assert result.stdout == f"{[(12 + k, 14) for k in range(1, 6)]}\n", result.stderr


def test_pairs_beyond_the_cache_stay_in_their_files(tmp_path):
    data_dir = built(tmp_path, PAIRS)
    kept, _ = pairs.load("tfds_cufed5", data_dir, crop_size=12)
    read_anew, _ = pairs.load("tfds_cufed5", data_dir, crop_size=12, cache_gb=0)
    for a, b in zip(kept[0], read_anew[0], strict=True):
        np.testing.assert_array_equal(a, b)
    (shard,) = (tmp_path / "data").rglob("*train.tfrecord*")
    shard.rename(tmp_path / "elsewhere")
    assert kept[0][0].ndim == 3
    with pytest.raises(InputError, match=r"Can't read .*tfrecord.* \(No such file"):
        read_anew[0]


def test_a_file_that_is_cut_off_is_named(tmp_path):
    path = tmp_path / "x.tfrecord"
    contents = [b"", b"one", bytes(300)]
    with tf.io.TFRecordWriter(str(path)) as writer:
        for content in contents:
            writer.write(content)
    assert [record.read() for record in records.found(str(path))] == contents
    whole = path.read_bytes()
    found = records.found(str(path))
    for left_out in (1, 100, 310):
        path.write_bytes(whole[:-left_out])
        with pytest.raises(InputError, match=r"x\.tfrecord ends within a record"):
            records.found(str(path))
    with pytest.raises(InputError, match="ends within a record"):
        found[2].read()


def test_another_format_is_told(tmp_path):
    data_dir = built(tmp_path, PAIRS)
    (about,) = (tmp_path / "data").rglob("dataset_info.json")
    about.write_text(about.read_text().replace('"tfrecord"', '"array_record"'))
    with pytest.raises(InputError, match=r"in the format array_record, .* --file_format=tfrecord"):
        cufed5.train_pairs(data_dir)
