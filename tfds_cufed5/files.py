"""The files of a folder and of the archives in it, read in place."""

import errno
import functools
import lzma
import os
import re
import shutil
import tarfile
import zipfile
import zlib
from typing import NamedTuple

from absl import logging

from tfds_cufed5.errors import InputError

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
_NO_SPACE = errno.ENOSPC, errno.EDQUOT, errno.EFBIG
_ABSOLUTE = re.compile(r"[A-Za-z]:|[/\\]")


class File(NamedTuple):
    """A file on the disk, or a member of an archive.

    Attributes:
        path: relative to the folder, as if each archive were a folder of its name.
        shown: what messages call it.
        source: the file, or the archive that holds it.
        member: its name in a zip.
        start, size: where it lies in a tar, bytes.
    """

    path: str
    shown: str
    source: str
    member: str | None = None
    start: int | None = None
    size: int | None = None

    def read(self):
        """Its bytes.

        Raises:
            OSError: it is damaged, or encrypted.
        """
        if self.member is not None:
            return _read_from_zip(self.source, self.member)
        with open(self.source, "rb") as file:
            if self.start is None:
                return file.read()
            file.seek(self.start)
            return file.read(self.size)


def listed(folder, scratch):
    """The pictures below a folder, also those in its archives, without the systems' junk.

    Args:
        folder: path.
        scratch: folder for the unpacked form of compressed tars, in which no file can be found
            without reading all before it.

    Returns:
        A list of `File`, and a list of what is wrong with archives, one string for each.

    Raises:
        InputError: an archive with absolute names, or names that lead out of it; a full disk.
    """
    _opened_zip.cache_clear()
    files, damaged = [], []
    for path in _walked(folder):
        relative = os.path.relpath(path, folder).replace(os.sep, "/")
        if _is_junk(relative):
            continue
        if _is_picture(relative):
            files.append(File(relative, path, path))
        elif (members := _members(path, scratch)) is not None:
            _refuse_unsafe(path, members)
            folders = _parts(_without_ending(relative))
            files += [
                file._replace(path="/".join([*folders, *_parts(file.path)]))
                for file in members
                if _is_picture(file.path) and not _is_junk(file.path)
            ]
        elif relative.lower().endswith(ARCHIVES):
            damaged.append(f"{path} is no whole archive: download it again")
    return files, damaged


def _walked(folder):
    seen = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        # A link to a folder above would be followed for ever.
        folders[:] = sorted(f for f in folders if not _is_junk(f))
        if (real := os.path.realpath(place)) in seen:
            folders.clear()
            continue
        seen.add(real)
        yield from (os.path.join(place, name) for name in sorted(names))


def _is_picture(path):
    return path.lower().endswith(PICTURES)


def _is_junk(path):
    return any(part == "__MACOSX" or part.startswith(".") for part in _parts(path))


def _parts(path):
    # Archives made on Windows may hold backslashes; "./" is how tar begins its names.
    return [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]


def _without_ending(name):
    ending = next((e for e in sorted(ARCHIVES, key=len)[::-1] if name.lower().endswith(e)), "")
    return name[: len(name) - len(ending)]


def _members(path, scratch):
    """The files in an archive with their own names as `path`, or None if it is none."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                infos = [info for info in archive.infolist() if not info.is_dir()]
            return [_member(path, i.filename, path, member=i.filename) for i in infos]
        if tarfile.is_tarfile(path):
            plain = _uncompressed(path, scratch)
            with tarfile.open(plain, "r:") as archive:
                infos = [info for info in archive if info.isreg()]
            return [_member(path, i.name, plain, start=i.offset_data, size=i.size) for i in infos]
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise InputError(
                f"{scratch} has no space for {path}, unpacked ({error.strerror}). Free some, or "
                "set TMPDIR to another folder."
            ) from None
    except (EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, tarfile.TarError):
        pass  # cut off, or damaged: no archive
    return None


def _member(archive, name, source, **where):
    return File(name, f"{archive}:{name.removeprefix('./')}", source, **where)


def _refuse_unsafe(path, members):
    unsafe = [m.path for m in members if _ABSOLUTE.match(m.path) or ".." in _parts(m.path)]
    if unsafe:
        raise InputError(
            f"{path} is refused: {len(unsafe)} of its names are absolute or lead out of it, such "
            f"as {', '.join(unsafe[:5])}. Get another copy, or unpack and inspect it yourself."
        )


def _uncompressed(path, scratch):
    try:
        with tarfile.open(path, "r:"):
            return path
    except tarfile.TarError:
        pass
    logging.info("%s is compressed: unpacking it to %s", path, scratch)
    plain = os.path.join(scratch, f"{len(os.listdir(scratch))}.tar")
    with tarfile.open(path, "r:*") as archive, open(plain, "wb") as file:
        archive.fileobj.seek(0)
        shutil.copyfileobj(archive.fileobj, file)
    return plain


def _read_from_zip(path, member):
    try:
        return _opened_zip(path).read(member)
    # What the standard library raises for damaged data and for encryption.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise OSError(str(error)) from None


@functools.lru_cache(maxsize=8)
def _opened_zip(path):
    # Kept open, since its table of contents is read at every opening.
    return zipfile.ZipFile(path)
