"""results.csv: a row for every picture and choice, which a second start goes on from."""

import csv
import io
import os
import statistics
from typing import NamedTuple

from ttsr_tf.errors import InputError
from ttsr_tf.files import written_aside


class Row(NamedTuple):
    """The scores of one picture with one choice of references; PSNR in dB.

    Attributes:
        references: name of the choice.
        similarity: mean confidence of the match.
        tiles: in how many the picture was done.
        reference_pictures: which were used.
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

    @property
    def gain(self):
        """PSNR above bicubic's; 0 where both are infinite."""
        return 0.0 if self.psnr == self.bicubic_psnr else self.psnr - self.bicubic_psnr


_TYPES = Row.__annotations__.values()


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
        self.rows = self._read() if os.path.exists(path) else []
        with (
            written_aside(path) as aside,
            open(aside, "w", newline="", encoding="utf-8") as file,
        ):
            _writer(file).writerow([*Row._fields, *protocol])
            _writer(file).writerows(map(self._line, self.rows))

    def has(self, picture, references):
        return any((row.picture, row.references) == (picture, references) for row in self.rows)

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

    def _line(self, row):
        return [*row, *self._protocol.values()]

    def _read(self):
        with open(self._path, "rb") as file:
            # A process that is killed may leave half a line, even half a letter.
            whole = file.read().rpartition(b"\n")[0].decode(errors="replace")
        header, *lines = list(csv.reader(io.StringIO(whole))) or [None]
        if header is None:
            return []
        if header != [*Row._fields, *self._protocol]:
            raise InputError(
                f"{self._path} is not of this version of ttsr_tf.evaluate. Choose another folder."
            )
        rows = []
        for number, line in enumerate(lines, 2):
            scores, protocol = line[: len(Row._fields)], line[len(Row._fields) :]
            try:
                rows.append(Row(*(kind(x) for kind, x in zip(_TYPES, scores, strict=True))))
                pairs = list(zip(self._protocol.items(), protocol, strict=True))
            except ValueError:
                raise InputError(
                    f"{self._path}, line {number} is damaged. Remove it; it is measured again."
                ) from None
            self._check_protocol(pairs)
        return rows

    def _check_protocol(self, pairs):
        for (name, value), other in pairs:
            if value != other:
                raise InputError(
                    f"{self._path} holds numbers with {name} {other!r}, this run is with {value!r}."
                    " Choose another --output_dir."
                )


def _writer(file):
    return csv.writer(file, lineterminator="\n")


def means(rows):
    """Mean scores: a dict of floats, `psnr`, `ssim`, `bicubic_psnr`, `bicubic_ssim`, `similarity`.

    Args:
        rows: list of `Row`, not empty.
    """
    names = ("psnr", "ssim", "bicubic_psnr", "bicubic_ssim", "similarity")
    return {name: statistics.fmean(getattr(row, name) for row in rows) for name in names}
