"""What people have of CUFED5: found, checked, and named where it can't be used."""

import logging
import pathlib
import shutil

import pytest

from tfds_cufed5 import manual_dir
from tfds_cufed5.errors import InputError

DUMMY = pathlib.Path(__file__).parent.parent / "tfds_cufed5/dummy_data"
FOLDERS = ("train/input", "train/ref", "test/CUFED5")
TRAIN = {
    name: [(DUMMY / "train" / kind / name).read_bytes() for kind in ("input", "ref")]
    for name in ("a.png", "b.jpg", "c.png")
}
TEST = {
    name: [(DUMMY / f"test/CUFED5/{name}_{level}.png").read_bytes() for level in range(6)]
    for name in ("000", "001")
}


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def contents(data, tmp_path):
    """Gives the files of all examples of a folder, `data` if not another, in a dict for each
    split."""
    (tmp_path / "scratch").mkdir()

    def read(folder=data, skip_bad=False):
        splits = manual_dir.examples(str(folder), str(tmp_path / "scratch"), skip_bad)
        return {
            split: {e.name: [file.read() for file in e.pictures] for e in examples}
            for split, examples in splits.items()
        }

    return read


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.INFO, logger="absl")
    return lambda: "\n".join(record.getMessage() for record in caplog.records)


@pytest.fixture
def whole(data):
    shutil.copytree(DUMMY, data, dirs_exist_ok=True)
    return data


@pytest.mark.parametrize(
    "places",
    [
        FOLDERS,
        ("input", "ref", "CUFED5"),
        ("CUFED_input", "CUFED_ref", "CUFED5"),
        ("CUFED/train/Input", "CUFED/train/REF", "."),
        ("a/train-input", "b/train-ref", "some folder/of mine"),
    ],
)
def test_layouts(data, contents, said, places):
    for folder, place in zip(FOLDERS, places, strict=True):
        shutil.copytree(DUMMY / folder, data / place, dirs_exist_ok=True)
    assert contents() == {"train": TRAIN, "test": TEST}
    assert f"train: 3 examples found in {data}/{places[0]} and {data}/{places[1]}" in said()
    assert "train: 3 examples, but 11871 were published" in said()
    assert "test: 2 examples, but 126 were published" in said()


def test_no_warning_where_the_counts_are_right(whole, contents, said, monkeypatch):
    monkeypatch.setattr(manual_dir, "PUBLISHED", {"train": 3, "test": 2})
    contents()
    assert "published" not in said()


@pytest.mark.parametrize("form", ["zip", "tar", "gztar"])
def test_archives(data, contents, said, form):
    shutil.make_archive(data / "everything", form, DUMMY)
    assert contents() == {"train": TRAIN, "test": TEST}
    assert f"test: 2 examples found in {data}/everything" in said()


def test_archives_by_their_content_or_by_their_name(data, contents):
    archive = shutil.make_archive(data / "x", "zip", DUMMY, "train/input")
    pathlib.Path(archive).rename(data / "1gN5IPZ")
    shutil.make_archive(data / "CUFED_ref", "tar", DUMMY / "train/ref")
    shutil.make_archive(data / "deep/CUFED5", "gztar", DUMMY / "test/CUFED5")
    assert contents() == {"train": TRAIN, "test": TEST}


@pytest.mark.parametrize(("split", "examples"), [("train", TRAIN), ("test", TEST)])
def test_one_split_alone(whole, contents, said, split, examples):
    other = {"train": "test", "test": "train"}[split]
    shutil.rmtree(whole / other)
    assert contents() == {split: examples}
    assert f"{other}: nothing found" in said()


def test_nothing_at_all(data, contents):
    (data / "cat.png").write_bytes(TRAIN["a.png"][0])
    with pytest.raises(InputError) as error:
        contents()
    message = str(error.value)
    assert message.startswith(f"No picture of CUFED5 was found in {data} (1 others).")
    for part in ("DIR/train/input", "1Fa1mopExA9YGG1RxrCZZn7QFTYXLx6ph", "--manual_dir=DIR"):
        assert part in message


def test_the_fuller_of_two_is_taken(whole, contents, said):
    shutil.copytree(DUMMY / "train", whole / "a/train")
    (whole / "a/train/input/b.jpg").unlink()
    (whole / "a/train/ref/b.jpg").unlink()
    assert contents()["train"] == TRAIN
    assert f"found again, and not used, in {whole}/a/train/input, {whole}/a/train/ref" in said()


def remove(path):
    path.unlink()


def cut(path):
    path.write_bytes(path.read_bytes()[:-30])


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("train/input/a.png", remove, "train/ref/a.png has no partner in {}/train/input"),
        ("train/ref/b.jpg", remove, "train/input/b.jpg has no partner in {}/train/ref"),
        ("train/ref/a.png", cut, "train/ref/a.png is damaged, or neither PNG nor JPEG"),
        ("train/input/c.png", empty, "train/input/c.png is damaged"),
        ("test/CUFED5/001_3.png", remove, "test/CUFED5 lacks 001_3"),
        ("test/CUFED5/000_0.png", remove, "test/CUFED5 lacks 000_0"),
        ("test/CUFED5/000_5.png", cut, "test/CUFED5/000_5.png is damaged"),
    ],
)
def test_bad_examples(whole, contents, said, name, damage, message):
    damage(whole / name)
    message = f"  {whole}/{message.format(whole)}"
    with pytest.raises(InputError) as error:
        contents()
    assert message in str(error.value)
    assert str(error.value).startswith("Some of the files can't be used (1):\n")
    assert "--config=skip_bad" in str(error.value)
    stem = pathlib.Path(name).stem.split("_")[0]
    left = contents(skip_bad=True)
    expected = {"train": TRAIN, "test": TEST}
    assert left == {
        split: {n: files for n, files in examples.items() if not n.startswith(stem)}
        for split, examples in expected.items()
    }
    assert f"Left out, since they can't be used (1):\n{message}" in said()


def test_every_bad_one_is_named_up_to_twenty(whole, contents):
    for i in range(22):
        (whole / f"train/ref/{i:02d}.png").write_bytes(TRAIN["a.png"][0])
    cut(whole / "test/CUFED5/000_1.png")
    with pytest.raises(InputError) as error:
        contents()
    first, *named, more, mend = str(error.value).splitlines()
    assert first == "Some of the files can't be used (23):"
    assert [line.split("/")[-3:] for line in named] == [
        [*f"train/ref/{i:02d}.png has no partner in {whole}/train/input".split("/")][-3:]
        for i in range(20)
    ]
    assert more == "  and 3 more"
    assert mend.startswith("Mend them, or leave them out: tfds build")


def test_half_a_training_set(whole, contents):
    shutil.rmtree(whole / "train/ref")
    with pytest.raises(InputError, match="input has 3 pictures of `input`, but there is no `ref`"):
        contents()
    assert contents(skip_bad=True) == {"test": TEST}
    shutil.rmtree(whole / "test")
    with pytest.raises(InputError, match=r"Nothing of CUFED5 in .* can be used"):
        contents(skip_bad=True)


@pytest.mark.parametrize("form", ["zip", "tar", "gztar"])
def test_an_archive_cut_off(data, contents, form):
    archive = pathlib.Path(shutil.make_archive(data / "train", form, DUMMY, "train"))
    size = archive.stat().st_size
    archive.write_bytes(archive.read_bytes()[: size // 2])
    shutil.copytree(DUMMY / "test", data / "test")
    with pytest.raises(InputError, match=rf"{archive} is no whole archive: download it again"):
        contents()
    assert contents(skip_bad=True) == {"test": TEST}
