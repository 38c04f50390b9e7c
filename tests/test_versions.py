"""Numbered folders of models."""

import os
import pathlib

import pytest

from export.package import versions
from ttsr_tf import InputError


def test_versions(tmp_path):
    for name in ("1", "7", ".export-x", "notes"):
        (tmp_path / name).mkdir()
    assert versions.numbers(str(tmp_path)) == {1, 7}
    with versions.aside(str(tmp_path)) as folder:
        pathlib.Path(folder).mkdir()
        assert versions.publish(folder, str(tmp_path)) == str(tmp_path / "8")
    assert os.stat(tmp_path / "8").st_mode & 0o055 == 0o055  # servers run as others
    with pytest.raises(ZeroDivisionError), versions.aside(str(tmp_path)) as folder:
        pathlib.Path(folder).mkdir()
        raise ZeroDivisionError
    assert sorted(path.name for path in tmp_path.iterdir()) == [".export-x", "1", "7", "8", "notes"]


def test_another_export_was_faster(tmp_path, monkeypatch):
    (tmp_path / "written").mkdir()
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "file").touch()
    listings = iter([[], ["1"]])
    monkeypatch.setattr(versions.os, "listdir", lambda folder: next(listings))
    assert versions.publish(str(tmp_path / "written"), str(tmp_path)) == str(tmp_path / "2")


def test_no_folder(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(InputError, match="Choose another `output_dir`"),
        versions.aside(str(tmp_path / "file")),
    ):
        pass
