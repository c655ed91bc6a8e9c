"""The lines of a history, many at a time, each cut into a series' text, a value and a timestamp."""

import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

BLOCK: Final = 1024 * 1024
"""Bytes that are read at once: enough lines for numpy to pay, few enough for the processor's caches."""

_LONGEST_LINE: Final = 1024 * 1024
_EOF: Final = re.compile(rb"^# EOF[ \t\r]*$", re.MULTILINE)
_BLANK: Final = ord(" ")
_NEWLINE: Final = ord("\n")
_GZIP: Final = b"\x1f\x8b"

Places = NDArray[np.int64]
Progress = Callable[[int], None]


def unpacked(file: BinaryIO) -> BinaryIO:
    """The file as text; gzip is told by its first bytes, whatever the file is called."""
    packed = file.read(2) == _GZIP
    file.seek(0)
    return gzip.GzipFile(fileobj=file) if packed else file  # type: ignore[return-value]  # it reads like one


def blocks(file: BinaryIO, progress: Progress, broken: Callable[[int, str], Exception]) -> Iterator[bytes]:
    """Whole lines, about ``BLOCK`` bytes at a time. What ``broken`` makes of a line and a sentence is raised."""
    source = unpacked(file)
    rest, before = b"", 0
    while True:
        try:
            block = source.read(BLOCK)
        except (EOFError, OSError, zlib.error) as error:
            raise broken(1, f"the file cannot be unpacked from here on: {error}") from None
        progress(file.tell() - before)
        before = file.tell()
        if not block:
            if rest:
                yield rest
            return
        whole, newline, after = block.rpartition(b"\n")
        if newline:
            yield rest + whole + newline
            rest = after
        else:
            rest += after
        if len(rest) > _LONGEST_LINE + BLOCK:
            raise broken(1, f"a line is longer than {_LONGEST_LINE} bytes: this is no OpenMetrics text")


def end_of(block: bytes) -> int | None:
    """Where the line begins that ends a document."""
    found = _EOF.search(block) if b"#" in block else None
    return None if found is None else found.start()


class Lines:
    """The lines of a block, each cut at its last two blanks into a series' text, a value and a timestamp."""

    def __init__(self, block: bytes) -> None:
        self.text = block if not block or block.endswith(b"\n") else block + b"\n"
        characters = np.frombuffer(self.text, dtype=np.uint8)
        marks = np.flatnonzero(characters <= _BLANK)
        by_line = marks.reshape(-1, 3) if len(marks) % 3 == 0 else np.empty((0, 3), dtype=np.int64)
        regular = len(by_line) > 0 and b"#" not in self.text
        if regular and bool((characters[by_line] == (_BLANK, _BLANK, _NEWLINE)).all()):
            starts = np.concatenate([[0], by_line[:-1, 2] + 1])
            self.cuts = np.column_stack([starts, by_line])  # of a line: its start, two blanks, its end
        else:
            self.cuts = _cut(self.text)
        text = self.text
        self.keys = [text[start:end] for start, end in self.cuts[:, :2].tolist()]

    def __len__(self) -> int:
        return len(self.cuts)

    def __getitem__(self, index: int) -> bytes:
        return self.text[self.cuts[index, 0] : self.cuts[index, 3]]


def _cut(text: bytes) -> Places:
    """Lines of every kind: those without two blanks have an empty text of a series, value and timestamp."""
    cuts: list[tuple[int, int, int, int]] = []
    start = 0
    for line in text.split(b"\n")[:-1]:
        end = start + len(line)
        second = line.rfind(b" ")
        first = line.rfind(b" ", 0, max(second, 0))
        cuts.append((start, start + first, start + second, end) if first >= 0 else (start, start, end, end))
        start = end + 1
    return np.array(cuts, dtype=np.int64).reshape(-1, 4)
