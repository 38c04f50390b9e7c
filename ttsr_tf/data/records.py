"""TFRecord files by place: which bytes are a record's, without TensorFlow and without keeping them.

A record is its length, uint64 little-endian, that number's checksum, its bytes and theirs; a
checksum has four bytes (tensorflow/core/lib/io/record_writer.h).
"""

import os
import struct
from typing import NamedTuple

from ttsr_tf.errors import InputError

_LENGTH, _CHECKSUM = struct.Struct("<Q"), 4


class Record(NamedTuple):
    """A record's file, where its bytes start, and how many there are."""

    path: str
    start: int
    length: int

    def read(self):
        """Its bytes.

        Raises:
            InputError: the file isn't there, or not any more as it was.
        """
        try:
            with open(self.path, "rb") as file:
                file.seek(self.start)
                content = file.read(self.length)
        except OSError as error:
            raise InputError(f"Can't read {self.path} ({error.strerror}). Is it there?") from None
        if len(content) < self.length:
            raise _cut_off(self.path)
        return content


def found(path):
    """The records of a file, a list of `Record`; raises InputError if it ends within one."""
    records, size = [], os.path.getsize(path)
    with open(path, "rb") as file:
        while head := file.read(_LENGTH.size + _CHECKSUM):
            length = _LENGTH.unpack(head[: _LENGTH.size])[0] if len(head) > _LENGTH.size else size
            records.append(Record(path, file.tell(), length))
            if file.seek(length + _CHECKSUM, os.SEEK_CUR) > size:
                raise _cut_off(path)
    return records


def _cut_off(path):
    return InputError(f"{path} ends within a record. Is the file whole? Build the set again.")
