"""Files of folders and archives, read in place."""

import pathlib
import resource
import shutil
import tarfile
import zipfile

import pytest

from tfds_cufed5 import files
from tfds_cufed5.errors import InputError

DUMMY = pathlib.Path(__file__).parent.parent / "tfds_cufed5/dummy_data"
ALL = {str(p.relative_to(DUMMY)): p.read_bytes() for p in DUMMY.rglob("*.*")}


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def listed(data, tmp_path):
    """Lists `data`; gives the content of the pictures by their paths, and the damaged archives."""
    (tmp_path / "scratch").mkdir()

    def read():
        found, damaged = files.listed(str(data), str(tmp_path / "scratch"))
        return {file.path: file.read() for file in found}, damaged

    return read


@pytest.mark.parametrize("form", ["zip", "tar", "gztar", "bztar", "xztar"])
def test_an_archive_is_like_a_folder_of_its_name(data, listed, form):
    shutil.make_archive(data / "some/thing", form, DUMMY)
    assert listed() == ({f"some/thing/{path}": content for path, content in ALL.items()}, [])


def test_archives_are_known_by_their_content(data, listed):
    for form in ("zip", "xztar"):
        pathlib.Path(shutil.make_archive(data / "x", form, DUMMY)).rename(data / form)
    assert sorted(listed()[0]) == sorted(
        f"{form}/{path}" for form in ("zip", "xztar") for path in ALL
    )


def test_what_is_unpacked_goes_to_scratch(data, listed, tmp_path):
    for form in ("zip", "tar"):
        shutil.make_archive(data / form, form, DUMMY)
    listed()
    assert not list((tmp_path / "scratch").iterdir())
    for form in ("bztar", "gztar"):
        shutil.make_archive(data / form, form, DUMMY)
    assert len(listed()[0]) == 4 * len(ALL)
    assert len(list((tmp_path / "scratch").iterdir())) == 2
    assert len(list(data.iterdir())) == 4


def test_links_are_followed_once(data, listed):
    (data / "linked").symlink_to(DUMMY)
    (data / "again").symlink_to(data)
    assert listed() == ({f"linked/{path}": content for path, content in ALL.items()}, [])


def test_junk_is_ignored(data, listed):
    junk = ["__MACOSX/train/._a.png", "train/input/._a.png", ".git/a.png", "Thumbs.db", ".DS_Store"]
    inside = data.parent / "inside"
    for folder in (data, inside):
        shutil.copytree(DUMMY, folder, dirs_exist_ok=True)
        for name in [*junk, "desktop.ini", "readme.txt"]:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(b"")
    shutil.make_archive(data / "z", "zip", inside)
    shutil.make_archive(data / "t", "tar", inside)
    expected = {f"{place}{path}": ALL[path] for place in ("", "z/", "t/") for path in ALL}
    assert listed() == (expected, [])


@pytest.mark.parametrize("form", ["zip", "tar", "gztar"])
def test_an_archive_cut_off(data, listed, form):
    archive = pathlib.Path(shutil.make_archive(data / "x", form, DUMMY))
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    assert listed() == ({}, [f"{archive} is no whole archive: download it again"])


@pytest.mark.parametrize("form", ["gztar", "bztar", "xztar"])
def test_an_archive_damaged_in_the_middle(data, listed, form):
    """In the unpacked form a byte is lost, or the rest can't be unpacked: no traceback."""
    archive = pathlib.Path(shutil.make_archive(data / "x", form, DUMMY))
    content = bytearray(archive.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(64)
    archive.write_bytes(content)
    assert listed() == ({}, [f"{archive} is no whole archive: download it again"])


def test_a_full_disk_is_no_damage(data, listed):
    archive = shutil.make_archive(data / "x", "xztar", DUMMY)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**10, before[1]))
    try:
        with pytest.raises(InputError, match=f"has no space for {archive}, unpacked .* set TMPDIR"):
            listed()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_damage_within_an_archive(data, tmp_path):
    noise = bytes(range(256)) * 40
    with zipfile.ZipFile(data / "x.zip", "w") as archive:
        archive.writestr("a.png", noise)
        archive.writestr("b.png", b"whole")
        archive.writestr("c.png", noise[1:], zipfile.ZIP_DEFLATED)
    content = bytearray((data / "x.zip").read_bytes())
    content[content.index(noise) + 500] ^= 1
    content[content.index(b"c.png") + 20] ^= 255
    (data / "x.zip").write_bytes(content)
    first, second, third = files.listed(str(data), str(tmp_path))[0]
    with pytest.raises(OSError, match="Bad CRC-32"):
        first.read()
    assert second.read() == b"whole"
    with pytest.raises(OSError, match=r"Error -3|Bad CRC"):
        third.read()
    assert first.shown == f"{data}/x.zip:a.png"


@pytest.mark.parametrize(
    "name", ["/etc/a.png", "../a.png", "a/../../b.png", "C:/a.png", "..\\a.png", "\\\\host\\a.png"]
)
def test_unsafe_members_are_refused(data, listed, name):
    with zipfile.ZipFile(data / "x.zip", "w") as archive:
        archive.writestr("a.png", b"")
        archive.writestr(name, b"")
    with pytest.raises(InputError) as error:
        listed()
    refusal = "is refused: 1 of its names are absolute or lead out of it, such as"
    assert str(error.value).startswith(f"{data}/x.zip {refusal} {name}.")
    (data / "x.zip").unlink()
    for form in ("", "gz"):
        with tarfile.open(data / "y", f"w:{form}") as archive:
            archive.addfile(tarfile.TarInfo(name))
        with pytest.raises(InputError) as error:
            listed()
        assert str(error.value).startswith(f"{data}/y {refusal} {name}.")
