"""The data set as built: its splits, its bytes, what is left out, with Beam and without."""

import logging
import pathlib
import shutil
import sys

import numpy as np
import PIL.Image
import pytest
import tensorflow_datasets as tfds
from absl import app

import tfds_cufed5
from tfds_cufed5.errors import InputError
from tfds_cufed5.tfds_cufed5_dataset_builder import FEATURES

ROOT = pathlib.Path(__file__).parent.parent
DUMMY = ROOT / "tfds_cufed5/dummy_data"


class TfdsCufed5Test(tfds.testing.DatasetBuilderTestCase):
    """What TFDS asks of every builder."""

    DATASET_CLASS = tfds_cufed5.Builder
    SPLITS = {"train": 3, "test": 2}  # noqa: RUF012

    def _assertAsDataset(self, builder):
        # TFDS's own check takes all splits to have the same features.
        for split, count in self.SPLITS.items():
            examples = list(tfds.as_numpy(builder.as_dataset(split=split)))
            self.assertLen(examples, count)
            for example in examples:
                self.assertCountEqual(example, FEATURES[split])


def built(data_dir, manual_dir, config=None):
    builder = tfds_cufed5.Builder(data_dir=data_dir, config=config)
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(manual_dir=manual_dir)
    )
    return builder


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tfds")
    built(folder, DUMMY)
    return folder


def stored(data_dir):
    """The files that a built set holds, as bytes, by their names in dummy_data."""
    raw = tfds.decode.SkipDecoding()
    pairs = tfds.load(
        "tfds_cufed5", split="train", data_dir=data_dir, decoders={"input": raw, "ref": raw}
    )
    groups = tfds.load(
        "tfds_cufed5", split="test", data_dir=data_dir, decoders={"hr": raw, "refs": raw}
    )
    found = {}
    for pair in pairs.as_numpy_iterator():
        name = pair["name"].decode()
        found |= {f"train/{kind}/{name}": pair[kind] for kind in ("input", "ref")}
    for group in groups.as_numpy_iterator():
        pictures, name = [group["hr"], *group["refs"]], group["name"].decode()
        found |= {f"test/CUFED5/{name}_{k}.png": content for k, content in enumerate(pictures)}
    return found


def test_files_are_stored_as_they_came(data_dir):
    files = [path for path in DUMMY.rglob("*") if path.is_file()]
    assert len(files) == 18
    assert stored(data_dir) == {str(p.relative_to(DUMMY)): p.read_bytes() for p in files}


def test_splits_have_their_own_features(data_dir):
    splits = tfds.load("tfds_cufed5", data_dir=data_dir)
    for split, names in FEATURES.items():
        assert sorted(splits[split].element_spec) == sorted(names)
    builder = tfds.builder("tfds_cufed5", data_dir=data_dir)
    (last,) = builder.as_dataset(split="train[-1:]")
    assert sorted(last) == ["input", "name", "ref"]
    chosen = tfds.decode.PartialDecoding({"name": True, "refs": True})
    (first,) = builder.as_dataset(split="test[:1]", decoders=chosen)
    assert sorted(first) == ["name", "refs"]
    assert sorted(builder.as_dataset(split="train+test").element_spec) == [
        *("hr", "input", "name", "ref", "refs")
    ]


def test_supervised_pairs_are_what_helps_and_what_is_wanted(data_dir):
    splits = tfds.load("tfds_cufed5", data_dir=data_dir, as_supervised=True)
    plain = tfds.load("tfds_cufed5", data_dir=data_dir)
    for (ref, hr), example in zip(splits["train"], plain["train"], strict=True):
        np.testing.assert_array_equal(ref, example["ref"])
        np.testing.assert_array_equal(hr, example["input"])
    for (refs, hr), example in zip(splits["test"], plain["test"], strict=True):
        np.testing.assert_array_equal(hr, example["hr"])
        for a, b in zip(refs, example["refs"], strict=True):
            np.testing.assert_array_equal(a, b)
    with pytest.raises(InputError, match="wants `train` or `test`"):
        tfds.load("tfds_cufed5", split="train+test", data_dir=data_dir, as_supervised=True)


def test_examples_are_drawn(data_dir):
    """Of each split, the picture that is named."""
    matplotlib = pytest.importorskip(
        "matplotlib", reason="NOT TESTED: needs the extra `benchmarks`"
    )
    matplotlib.use("agg")
    builder = tfds.builder("tfds_cufed5", data_dir=data_dir)
    for split, key in (("train", "input"), ("train", "ref"), ("test", "hr")):
        data = builder.as_dataset(split=split)
        figure = tfds.show_examples(data, builder.info, rows=1, cols=2, image_key=key)
        for axes, example in zip(figure.axes, data, strict=False):
            np.testing.assert_array_equal(axes.images[0].get_array(), example[key])


def test_references_of_any_size_come_in_order(data_dir):
    for example in tfds.load("tfds_cufed5", split="test", data_dir=data_dir):
        for level, ref in enumerate(example["refs"], start=1):
            with PIL.Image.open(
                DUMMY / f"test/CUFED5/{example['name'].numpy().decode()}_{level}.png"
            ) as image:
                np.testing.assert_array_equal(ref, image)
        assert level == 5


def test_is_readable_where_the_builder_is_not_imported(data_dir):
    builder = tfds.builder_from_directory(data_dir / "tfds_cufed5/strict/1.0.0")
    for example in tfds.as_numpy(builder.as_dataset(split="train")):
        assert min(example["input"].shape[:2]) >= 10
        # What a split lacks is one black pixel.
        np.testing.assert_array_equal(example["hr"], np.zeros([1, 1, 3]))
        assert not list(example["refs"])


def test_a_failed_build_leaves_nothing(tmp_path):
    manual_dir = tmp_path / "data"
    manual_dir.mkdir()
    for folder in (tmp_path / "none", manual_dir, DUMMY / "train/input/a.png"):
        with pytest.raises(InputError, match="DIR/train/input") as error:
            built(tmp_path / "tfds", folder)
        given, *_ = str(error.value).splitlines()
        assert str(folder) in given
        assert given.endswith(" --manual_dir must be a folder with CUFED5's files.")
    (manual_dir / "000_0.png").write_bytes((DUMMY / "test/CUFED5/000_0.png").read_bytes())
    with pytest.raises(InputError, match="lacks 000_1"):
        built(tmp_path / "tfds", manual_dir)
    assert not list(tmp_path.glob("tfds/**/1.0.0*"))
    with pytest.raises(ValueError, match="BuilderConfig lenient not found"):
        built(tmp_path / "tfds", manual_dir, "lenient")


def test_examples_that_get_lost_are_an_error(tmp_path, monkeypatch):
    generate = tfds_cufed5.Builder._generate_examples
    monkeypatch.setattr(
        tfds_cufed5.Builder,
        "_generate_examples",
        lambda self, split, examples: generate(self, split, examples[1:]),
    )
    with pytest.raises(InputError, match="train was built with 2 of its 3 examples"):
        built(tmp_path, DUMMY)
    assert not list(tmp_path.glob("**/1.0.0*"))


@pytest.fixture
def bad(tmp_path):
    """A copy of the dummy data with half a training set and a reference too few."""
    place = tmp_path / "bad"
    shutil.copytree(DUMMY, place)
    shutil.rmtree(place / "train/input")
    (place / "test/CUFED5/000_3.png").unlink()
    return place


def test_a_strict_build_names_what_is_bad(tmp_path, bad):
    with pytest.raises(InputError) as error:
        built(tmp_path / "tfds", bad)
    said, first, second, mend = str(error.value).splitlines()
    assert said == "Some of the files can't be used (2):"
    assert first == f"  {bad}/train/ref has 3 pictures of `ref`, but there is no `input`"
    assert second == f"  {bad}/test/CUFED5 lacks 000_3"
    assert mend.startswith("Mend them, or leave them out: tfds build")
    assert not list(tmp_path.glob("tfds/**/1.0.0*"))


def test_skip_bad_leaves_out_what_is_bad(tmp_path, bad, caplog):
    caplog.set_level(logging.INFO, logger="absl")
    builder = built(tmp_path / "tfds", bad, "skip_bad")
    assert "Left out, since they can't be used (2):" in caplog.text
    assert list(builder.info.splits) == ["test"]
    (example,) = tfds.load("tfds_cufed5/skip_bad", split="test", data_dir=tmp_path / "tfds")
    assert example["name"] == b"001"


def test_with_beam_the_files_are_the_same(tmp_path, data_dir):
    options = pytest.importorskip("apache_beam.options.pipeline_options")
    builder = tfds_cufed5.Builder(data_dir=tmp_path)
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(
            manual_dir=DUMMY,
            beam_runner="DirectRunner",
            beam_options=options.PipelineOptions(direct_running_mode="in_memory"),
        )
    )
    assert builder._with_beam
    assert stored(tmp_path) == stored(data_dir)


def test_tfds_build_would_end_without_a_traceback(tmp_path, monkeypatch):
    """What does that is there only once something was wrong, and only once."""
    monkeypatch.setattr(app, "EXCEPTION_HANDLERS", [])
    for _ in range(2):
        builder = tfds_cufed5.Builder(data_dir=tmp_path)
        (tmp_path / "empty").mkdir(exist_ok=True)
        config = tfds.download.DownloadConfig(manual_dir=tmp_path / "empty")
        with pytest.raises(InputError):
            builder.download_and_prepare(download_config=config)
    (handler,) = app.EXCEPTION_HANDLERS
    monkeypatch.setattr(sys, "tracebacklimit", 7, raising=False)
    assert handler.wants(InputError("bad"))
    assert not handler.wants(ValueError("bad"))
    handler.handle(InputError("bad"))
    assert sys.tracebacklimit == 0
