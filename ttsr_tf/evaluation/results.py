"""results.csv: a row for every picture and choice, which a second start goes on from."""

import csv
import io
import os
import statistics
from typing import NamedTuple

from ttsr_tf.errors import InputError
from ttsr_tf.files import written_aside

FILE = "results.csv"


class Row(NamedTuple):
    """The scores of one picture with one choice of references; PSNR in dB.

    Attributes:
        references: name of the choice.
        similarity: of the references, as `images.attention` has it, from the mean confidence.
        tiles: in how many the picture was done.
        reference_pictures: which were used.
        lpips, bicubic_lpips: None, and no columns of the file, without LPIPS in the protocol.
    """

    picture: str
    references: str
    psnr: float
    ssim: float
    bicubic_psnr: float
    bicubic_ssim: float
    similarity: float
    tiles: int
    reference_pictures: str
    lpips: float | None = None
    bicubic_lpips: float | None = None

    @property
    def gain(self):
        """PSNR above bicubic's; 0 where both are infinite."""
        return 0.0 if self.psnr == self.bicubic_psnr else self.psnr - self.bicubic_psnr


_TYPES = (str, str, *(float,) * 5, int, str, float, float)


class Results:
    """The rows of an output folder, each of which carries its protocol.

    Args:
        path: of results.csv, which need not exist.
        protocol: dict of str, the columns after the scores.

    Attributes:
        rows: list of `Row`.

    Raises:
        InputError: the file holds numbers of another protocol, or something else.
    """

    def __init__(self, path, protocol):
        self._path, self._protocol = path, protocol
        self.rows = read(path, protocol)
        self._measured = {(row.picture, row.references) for row in self.rows}
        with (
            written_aside(path) as aside,
            open(aside, "w", newline="", encoding="utf-8") as file,
        ):
            _writer(file).writerow([*_fields(protocol), *protocol])
            _writer(file).writerows(map(self._line, self.rows))

    def has(self, picture, references):
        return (picture, references) in self._measured

    def add(self, row):
        """Appends a row at once: what is written stays, whatever becomes of the process.

        Raises:
            InputError: the file can't be written.
        """
        try:
            with open(self._path, "a", newline="", encoding="utf-8") as file:
                _writer(file).writerow(self._line(row))
        except OSError as error:
            raise InputError(f"Can't write {self._path} ({error.strerror}).") from None
        self.rows.append(row)
        self._measured.add((row.picture, row.references))

    def _line(self, row):
        return [*row[: len(_fields(self._protocol))], *self._protocol.values()]


def read(path, protocol):
    """The rows of a file.

    Args:
        path: of results.csv, which need not exist.
        protocol: dict of str, which they must carry.

    Returns:
        A list of `Row`.

    Raises:
        InputError: the file holds numbers of another protocol, or something else.
    """
    if not os.path.exists(path):
        return []
    with open(path, "rb") as file:
        # A process that is killed may leave half a line, even half a letter.
        whole = file.read().rpartition(b"\n")[0].decode(errors="replace")
    header, *lines = list(csv.reader(io.StringIO(whole))) or [None]
    if header is None:
        return []
    fields = _fields(protocol)
    if header != [*fields, *protocol]:
        raise InputError(
            f"{path} is of another version of ttsr-tf, or of another choice of `lpips`. Choose "
            "another `output_dir`."
        )
    rows = []
    for number, line in enumerate(lines, 2):
        scores, stated = line[: len(fields)], line[len(fields) :]
        try:
            types = _TYPES[: len(fields)]
            rows.append(Row(*(kind(x) for kind, x in zip(types, scores, strict=True))))
            pairs = list(zip(protocol.items(), stated, strict=True))
        except ValueError:
            raise InputError(
                f"{path}, line {number} is damaged. Remove it; it is measured again."
            ) from None
        for (name, value), other in pairs:
            if value != other:
                raise InputError(
                    f"{path} holds numbers with {name} {other!r}, this run is with {value!r}. "
                    "Choose another `output_dir`."
                )
    return rows


def _fields(protocol):
    """The row's columns under a protocol."""
    return Row._fields if "lpips_network" in protocol else Row._fields[:-2]


def _writer(file):
    return csv.writer(file, lineterminator="\n")


def means(rows):
    """Mean scores: a dict of floats, `psnr`, `ssim`, `bicubic_psnr`, `bicubic_ssim`, `similarity`
    and, where it was measured, `lpips`, `bicubic_lpips`.

    Args:
        rows: list of `Row` of one protocol, not empty.
    """
    names = ["psnr", "ssim", "bicubic_psnr", "bicubic_ssim", "similarity"]
    if rows[0].lpips is not None:
        names += ["lpips", "bicubic_lpips"]
    return {name: statistics.fmean(getattr(row, name) for row in rows) for name in names}
