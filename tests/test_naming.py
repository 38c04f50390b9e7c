"""What --checkpoint means: the weights that come along, by name, and everything else."""

import shutil

import pytest

import ttsr_tf
from ttsr_tf.errors import InputError
from ttsr_tf.files import sha256
from ttsr_tf.weights import files, naming, tflite

SHIPPED, SUFFIX = naming._SHIPPED, tflite.SUFFIX


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A copy of the folder of weights that come along, to be spoilt."""
    copy = shutil.copytree(SHIPPED, tmp_path / "shipped")
    monkeypatch.setattr(naming, "_SHIPPED", copy)
    return copy


def test_what_comes_along():
    names = ttsr_tf.weights.names()
    assert naming.DEFAULT in names
    found = {path.name for path in SHIPPED.iterdir()} - {"SHA256SUMS", *(f"{n}.md" for n in names)}
    assert sorted(name.partition(".")[0] for name in found) == names
    assert all(name.endswith(tflite.SUFFIXES) for name in found)  # what serves both engines
    assert sum((SHIPPED / name).stat().st_size for name in found) <= 5e6
    for name in names:
        path = naming.path_of(name)
        assert files.read_header(path).model == "ttsr"
        assert sha256(path) in (SHIPPED / f"{name}.md").read_text()
    assert all(name in naming.MEANING for name in names)


def test_a_damaged_file_is_refused_by_name(shipped):
    path = shipped / f"ttsr-mini{SUFFIX}"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"^The weights ttsr-mini .* Install ttsr-tf again\.$"):
        ttsr_tf.load("ttsr-mini")


def test_other_weights_under_its_name_are_refused(shipped, tiny_weights):
    shutil.copy(tiny_weights, shipped / f"ttsr-mini{SUFFIX}")
    with pytest.raises(InputError, match=r"The weights ttsr-mini .* are not those of this release"):
        naming.path_of("ttsr-mini")


def test_missing_weights_are_named(shipped):
    (shipped / f"ttsr-mini{SUFFIX}").unlink()
    with pytest.raises(InputError, match=r"The weights ttsr-mini .* missing"):
        naming.path_of("ttsr-mini")


def test_a_folder_of_the_same_name(tmp_path, monkeypatch, tiny_weights):
    (tmp_path / "ttsr-mini").mkdir()
    shutil.copy(tiny_weights, tmp_path / "ttsr-mini")
    monkeypatch.chdir(tmp_path)
    assert naming.path_of("ttsr-mini") == str(SHIPPED / f"ttsr-mini{SUFFIX}")
    assert naming.path_of("./ttsr-mini") == "./ttsr-mini/model.safetensors"


def test_what_other_processes_are_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert naming.for_others("runs/mine") == str(tmp_path / "runs/mine")
    assert naming.for_others("ttsr-mini") == "ttsr-mini"
    assert naming.for_others("hf://a/b") == "hf://a/b"


def test_what_is_not_there_says_what_there_is(tmp_path):
    said = rf"No checkpoint at {tmp_path}/none\. Give a file, a run's folder, hf://OWNER/NAME or"
    with pytest.raises(InputError, match=said + f" one of .*{naming.DEFAULT}"):
        naming.path_of(tmp_path / "none")
