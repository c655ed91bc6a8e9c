"""The file in which one worker process keeps its counts: others read it while it writes, and after it died.

    header   64 bytes: magic, and how many bytes are in use
    record   length of the record, length of its key, the key (JSON, padded to eight bytes), values
    ...

A record is written first and counted into "in use" afterwards, so whoever reads never sees half of one, wherever its
writer was killed. Every number is eight aligned bytes, stored and loaded in one piece. The worker holds a lock on its
file for as long as it lives: the lock, not a process id, tells the living from the dead.
"""

import fcntl
import json
import mmap
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from figwatch.cells import Definition

PREFIX: Final = "figwatch-"
SUFFIX: Final = ".cells"
_MAGIC: Final = int.from_bytes(b"figwatc1", "little")
_HEADER: Final = 64
_USED: Final = 1
"""Index of the header's second word: bytes in use."""
_SEGMENT: Final = 64 * 1024
"""Bytes a file grows by: some 150 series. Segments are mapped one by one, so that cells never move."""
_LENGTHS: Final = struct.Struct("=II")
_WORD: Final = 8


class Shape(NamedTuple):
    """What two workers must agree in for their numbers to be added up; helps may differ."""

    name: str
    kind: str
    labels: tuple[str, ...]
    bounds: tuple[float, ...]


def shape_of(definition: Definition) -> Shape:
    """The shape of a family."""
    return Shape(definition.name, definition.kind, definition.labels, definition.bounds)


class Entry(NamedTuple):
    """One series in a file."""

    definition: Definition
    shape: Shape
    labels: tuple[str, ...]
    created: float  # seconds since the epoch
    word: int  # index of the float sum in eight-byte words; the counts follow it


class Values(NamedTuple):
    """Where a series of one's own is written."""

    sums: "memoryview[float]"
    counts: "memoryview[int]"


class OwnFile:
    """The file this process writes. Raises OSError where the disk is full or the folder cannot be written."""

    def __init__(self, folder: Path) -> None:
        """Make the file, locked for as long as this process lives."""
        self.name, self._lock = _create_locked(folder)
        # Opened once more: a mapping keeps a copy of its descriptor, and a forked child that still held one would keep
        # the lock of its dead parent.
        self._file = os.open(folder / self.name, os.O_RDWR | os.O_CLOEXEC)
        self._families: dict[Shape, int] = {}
        self._used = _HEADER
        self._base, self._map = 0, self._mapped(0, _SEGMENT)
        self._header = memoryview(self._map)[:_HEADER].cast("Q")
        self._header[_USED] = self._used
        self._header[0] = _MAGIC

    def add(self, definition: Definition, labels: tuple[str, ...], created: float) -> Values:
        """Room for one series, all zero."""
        key = [self._family(definition), created, labels]
        view = self._append(json.dumps(key, separators=(",", ":")).encode(), 1 + definition.size)
        return Values(view[:_WORD].cast("d"), view[_WORD:].cast("q"))

    def release(self) -> None:
        """Close the descriptors, not the lock itself: a parent that this process was forked from still holds that."""
        os.close(self._lock)
        os.close(self._file)

    def _family(self, definition: Definition) -> int:
        shape = shape_of(definition)
        if shape not in self._families:
            self._append(json.dumps(definition._asdict(), separators=(",", ":")).encode(), 0)
            self._families[shape] = len(self._families)
        return self._families[shape]

    def _append(self, key: bytes, words: int) -> "memoryview[int]":
        padded = key + b" " * (-len(key) % _WORD)
        length = _LENGTHS.size + len(padded) + words * _WORD
        start = self._room_for(length) - self._base
        _LENGTHS.pack_into(self._map, start, length, len(padded))
        values = start + _LENGTHS.size + len(padded)
        self._map[start + _LENGTHS.size : values] = padded
        self._used = self._base + start + length
        self._header[_USED] = self._used
        return memoryview(self._map)[values : start + length]

    def _room_for(self, length: int) -> int:
        """Where a record of `length` bytes begins; the rest of a segment that is too short becomes an empty record."""
        end = self._base + len(self._map)
        if length <= end - self._used:
            return self._used
        grown = self._mapped(end, -(-length // _SEGMENT) * _SEGMENT)
        if self._used < end:
            _LENGTHS.pack_into(self._map, self._used - self._base, end - self._used, 0)
        self._base, self._map = end, grown
        return end

    def _mapped(self, offset: int, size: int) -> mmap.mmap:
        # Written, not only made longer: a page that the disk has no room for would kill the process when it is used.
        written = os.pwrite(self._file, bytes(size), offset)
        if written != size:
            raise OSError(f"no room for {size} bytes more in {self.name}")
        return mmap.mmap(self._file, size, offset=offset)


def _create_locked(folder: Path) -> tuple[str, int]:
    while True:
        name = f"{PREFIX}{os.getpid()}-{os.urandom(8).hex()}{SUFFIX}"
        lock = os.open(folder / name, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        # Between these two lines somebody who cleans up may have taken the empty file for a dead worker's.
        if locks(lock) and os.fstat(lock).st_nlink:
            return name, lock
        os.close(lock)


def locks(file: int) -> bool:
    """Lock an open file without waiting; False if somebody holds it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


class CellFile:
    """Somebody's file, for reading. Raises OSError where it is gone, ValueError where it is damaged."""

    def __init__(self, path: Path) -> None:
        """Reads nothing before `refresh`."""
        self._path = path
        self._families: list[Definition] = []
        self._parsed = _HEADER
        self._words: memoryview[int] = memoryview(b"").cast("q")
        self._floats: memoryview[float] = memoryview(b"").cast("d")
        self.entries: list[Entry] = []
        self.label_sets: dict[Shape, set[tuple[str, ...]]] = {}

    def refresh(self) -> None:
        """Learn of the series that were added since."""
        if not len(self._words):
            self._map_anew()
        used = self._used()
        if used > len(self._words) * _WORD:
            self._map_anew()
        if used > len(self._words) * _WORD:
            raise ValueError(f"{self._path.name} says that {used} bytes are in use, and is shorter")
        for start, key in self._keys(used):
            self._learn(start, key)

    def read(self, entry: Entry) -> tuple[float, list[int]]:
        """The sum and the counts as they stand now."""
        first = entry.word + 1
        return self._floats[entry.word], self._words[first : first + entry.definition.size].tolist()

    def _used(self) -> int:
        """Bytes in use; nothing where its writer died before it had written the header, or is of another version."""
        if len(self._words) <= _USED or self._words[0] != _MAGIC:
            return 0
        return self._words[_USED]

    def _map_anew(self) -> None:
        file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(file).st_size // _WORD * _WORD
            view = memoryview(mmap.mmap(file, size, access=mmap.ACCESS_READ) if size else b"")
        finally:
            os.close(file)
        self._words, self._floats = view.cast("q"), view.cast("d")

    def _keys(self, used: int) -> Iterator[tuple[int, bytes]]:
        """Index of the first value's word, and key, of every record that was not read yet."""
        raw = self._words.cast("B")
        while self._parsed < used:
            length, size = _LENGTHS.unpack_from(raw, self._parsed)
            begin = self._parsed + _LENGTHS.size
            if length < _LENGTHS.size + size or length % _WORD or self._parsed + length > used:
                raise ValueError(f"{self._path.name} is damaged at byte {self._parsed}")
            self._parsed += length
            if size:
                yield (begin + size) // _WORD, bytes(raw[begin : begin + size])

    def _learn(self, word: int, key: bytes) -> None:
        value = json.loads(key)
        if isinstance(value, dict):
            self._families.append(definition_from(value))
            return
        family, created, labels = value
        definition = self._families[family]
        shape = shape_of(definition)
        self.entries.append(Entry(definition, shape, tuple(labels), created, word))
        self.label_sets.setdefault(shape, set()).add(tuple(labels))


def definition_from(value: dict[str, object]) -> Definition:
    """A definition as JSON keeps it: with lists for tuples."""
    return Definition(**{name: tuple(part) if isinstance(part, list) else part for name, part in value.items()})  # type: ignore[arg-type]  # what was written came from a definition
