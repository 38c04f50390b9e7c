"""What a batch does: which picture with which reference goes where."""

import collections
import csv
import glob
import os
from typing import NamedTuple

from ttsr_tf.errors import InputError, first_of
from ttsr_tf.images import files


class Job(NamedTuple):
    """Absolute file names, since workers have other working folders.

    Attributes:
        lr: the small picture.
        ref: its reference, which may be missing.
        output: the large picture.
    """

    lr: str
    ref: str
    output: str


def of_pictures(given: str, ref: str, output: str) -> list[Job]:
    """Every picture with one reference, or with the one of its name.

    Args:
        given: a folder, a picture or a pattern such as `frames/*.png`.
        ref: a picture for all of them; or a folder, where a.jpg serves a.png.
        output: folder; a.bmp becomes a.png there.

    Returns:
        A list of `Job`, by name.

    Raises:
        InputError: no pictures, no such reference, several references or several pictures of one
            name, or an input would be overwritten.
    """
    if not os.path.exists(ref):
        raise InputError(f"`ref`={ref} is neither a picture nor a folder. Check the path.")
    lr_paths = _found(given)
    refs = _by_stem(files.listed(ref)) if os.path.isdir(ref) else None
    jobs = []
    for lr in lr_paths:
        stem = _stem(lr)
        own = [ref] if refs is None else refs.get(stem, [os.path.join(ref, f"{stem}.*")])
        if len(own) > 1:
            raise InputError(f"{lr} has several references: {first_of(own)}. Leave one of them.")
        jobs.append(_job(lr, own[0], os.path.join(output, f"{stem}.png")))
    return _checked(jobs)


def of_list(path: str, output: str) -> list[Job]:
    """The jobs of a CSV file with the columns lr, ref and, if wanted, output.

    Args:
        path: the CSV file; pictures are given from its folder on. `output` is the name of a file.
        output: folder; without a name of its own, a.bmp becomes a.png there.

    Returns:
        A list of `Job`, in the file's order.

    Raises:
        InputError: no such file, columns or pictures; an empty field, a name that is none or not a
            picture's, two of one name, or an input would be overwritten.
    """
    folder = os.path.dirname(path)
    jobs = []
    for line, row in _rows(path):
        if not row["lr"] or not row["ref"]:
            raise InputError(f"{path}, line {line}: lr and ref must be given.")
        name = row.get("output") or f"{_stem(row['lr'])}.png"
        if os.path.basename(name) != name or not files.is_picture(name):
            raise InputError(
                f"{path}, line {line}: {name} must be the name of a picture, without a folder, "
                f"ending in one of {', '.join(files.EXTENSIONS)}."
            )
        lr, ref = (os.path.join(folder, row[key]) for key in ("lr", "ref"))
        jobs.append(_job(lr, ref, os.path.join(output, name)))
    if not jobs:
        raise InputError(f"{path} lists no pictures. Add lines of lr and ref.")
    return _checked(jobs)


def _found(given):
    if os.path.exists(given):
        return files.listed(given)
    paths = sorted(filter(files.is_picture, glob.glob(given, recursive=True)))
    if not paths:
        raise InputError(
            f"`input`={given} is no folder and matches no pictures "
            f"({', '.join(files.EXTENSIONS)}). Check the path."
        )
    return paths


def _rows(path):
    """Line numbers and rows of the list."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:  # spreadsheets write the mark
            reader = csv.DictReader(file, restval="")
            columns = reader.fieldnames or []
            if not {"lr", "ref"} <= set(columns) <= {"lr", "ref", "output"}:
                raise InputError(
                    f"{path} must have the columns lr, ref and, if wanted, output in its first "
                    f"line, got {', '.join(columns) or 'nothing'}."
                )
            return [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise InputError(f"Can't read {path} ({error.strerror}). Check the path.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not CSV in UTF-8 ({error}).") from None


def _by_stem(paths):
    named = collections.defaultdict(list)
    for path in paths:
        named[_stem(path)].append(path)
    return named


def _stem(path):
    return os.path.splitext(os.path.basename(path))[0]


def _job(*paths):
    return Job(*map(os.path.abspath, paths))


def _checked(jobs):
    first = {}
    for job in jobs:
        other = first.setdefault(job.output, job)
        if other is not job:
            raise InputError(
                f"{other.lr} and {job.lr} would both be written to {job.output}. Rename one, or "
                "name the outputs in a list, `pairs`."
            )
    inputs = {os.path.realpath(path) for job in jobs for path in (job.lr, job.ref)}
    for output in first:
        if os.path.realpath(output) in inputs:
            raise InputError(f"{output} is an input and an output. Choose another `output`.")
    return jobs
