"""State as bytes, with a checksum: arrays in as few bytes as their values need, everything else as canonical JSON.

A packed value begins with a mark and the version of the form, where JSON would begin with a brace, and a row of an
earlier version with a letter: both are still read.
"""

import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.errors import StoreError
from figwatch_agent.model.wire import decode, from_plain, plain

T = TypeVar("T")
Integers = NDArray[np.int64]
Words = NDArray[np.uint32]

VALUE: Final = b"\x00FV\x01"
ROW: Final = b"\x00FR\x01"
_SUM: Final = struct.Struct("<4sI")  # mark, checksum of what follows
_HEAD: Final = struct.Struct("<I")  # bytes of JSON
_ROW: Final = struct.Struct("<HII")  # bytes of the name, words, and those of them with a high word
_WORD: Final = 32
_MOST: Final = (1 << _WORD) - 1


@dataclass(frozen=True, slots=True, eq=False)
class PackedRow:
    """Counts of one boundary: low words of all columns, high words of the few that left 32 bits."""

    columns: str  # name of the section that holds their keys
    low: Words
    wide: Integers
    high: Integers

    def values(self) -> Integers:
        """The counts."""
        values = self.low.astype(np.int64)
        values[self.wide] += self.high << _WORD
        return values


def pack(value: object) -> bytes:
    """A dataclass of the state as bytes: the same value gives the same bytes."""
    members: dict[str, object] = {}
    arrays: dict[str, list[object]] = {}
    data: list[bytes] = []
    for field in fields(value):  # type: ignore[arg-type]  # a dataclass, as every form is
        member = getattr(value, field.name)
        if isinstance(member, np.ndarray):
            arrays[field.name], body = _narrowed(member)
            data.append(body)
        else:
            members[field.name] = plain(member)
    head = json.dumps([members, arrays], ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    return _sealed(VALUE, b"".join((_HEAD.pack(len(head)), head, *data)))


def unpack(kind: type[T], data: bytes, name: str) -> T:
    """The value that ``pack`` made, or an earlier version in JSON. StoreError, which gives its name, where neither."""
    try:
        if data[:1] == b"{":
            return decode(kind, data)
        body = _opened(VALUE, data)
        (size,) = _HEAD.unpack_from(body)
        at = _HEAD.size + size
        members, arrays = json.loads(bytes(body[_HEAD.size : at]))
        for member, form in arrays.items():
            members[member], at = _widened(form, body, at)
        return from_plain(kind, members)
    except (ValueError, KeyError, TypeError, IndexError, struct.error) as error:
        raise _damaged(name, error) from error


def pack_row(columns: str, values: Integers) -> bytes:
    """What the columns had counted at a boundary."""
    name, high = columns.encode(), values >> _WORD
    wide = np.flatnonzero(high)
    return _sealed(
        ROW,
        b"".join(
            (
                _ROW.pack(len(name), len(values), len(wide)),
                name,
                values.astype("<u4").tobytes(),  # wraps: the low words
                wide.astype("<u4").tobytes(),
                high[wide].astype("<i8").tobytes(),
            )
        ),
    )


def unpack_alike(many: Sequence[bytes], ring: str) -> tuple[list[tuple[str, list[int], Words]], list[int]]:
    """Rows of the same columns at once: (section of keys, which rows, words [row, column]), and which are none such.

    Left are rows of an earlier version and those with a count beyond 32 bits: ``unpack_row`` reads them. StoreError
    where a row is damaged.
    """
    heads: dict[bytes, list[int]] = {}
    others: list[int] = []
    for place, data in enumerate(many):
        if data[:1] == ROW[:1]:
            end = _SUM.size + _ROW.size + int.from_bytes(data[_SUM.size : _SUM.size + 2], "little")
            heads.setdefault(data[_SUM.size : end], []).append(place)
        else:
            others.append(place)
    found: list[tuple[str, list[int], Words]] = []
    for head, places in heads.items():
        first = unpack_row(many[places[0]], ring)
        if len(first.wide):
            others += places
            continue
        try:
            bodies = [_opened(ROW, many[place])[len(head) :] for place in places]
            words = np.frombuffer(b"".join(bodies), "<u4").reshape(len(places), len(first.low))
        except (ValueError, struct.error) as error:
            raise _damaged(f"a row of ring/{ring}", error) from error
        found.append((first.columns, places, words))
    return found, others


def unpack_row(data: bytes, ring: str) -> PackedRow:
    """The row that ``pack_row`` made, or an earlier version. StoreError where it is neither; ``ring`` says of what."""
    try:
        if data[:1] != ROW[:1]:
            name, _, counts = data.partition(b"\n")
            values = np.frombuffer(counts, dtype="<i8")
            high = values >> _WORD
            wide = np.flatnonzero(high)
            return PackedRow(name.decode(), values.astype(np.uint32), wide, high[wide])
        body = _opened(ROW, data)
        size, count, beyond = _ROW.unpack_from(body)
        at = _ROW.size + size
        low = np.frombuffer(body, "<u4", count, at)
        wide = np.frombuffer(body, "<u4", beyond, at + 4 * count).astype(np.int64)
        high = np.frombuffer(body, "<i8", beyond, at + 4 * (count + beyond))
        return PackedRow(bytes(body[_ROW.size : at]).decode(), low, wide, high)
    except (ValueError, struct.error) as error:
        raise _damaged(f"a row of ring/{ring}", error) from error


def _sealed(mark: bytes, body: bytes) -> bytes:
    return _SUM.pack(mark, zlib.crc32(body)) + body


def _opened(mark: bytes, data: bytes) -> memoryview:
    found, checksum = _SUM.unpack_from(data)
    if found != mark:
        raise ValueError(f"it begins with {found!r}, not {mark!r}")
    body = memoryview(data)[_SUM.size :]
    if zlib.crc32(body) != checksum:
        raise ValueError("its checksum differs")
    return body


def _damaged(name: str, error: Exception) -> StoreError:
    return StoreError(
        f"{name} of the saved state cannot be read ({error}): the file is damaged, or another version of figwatch "
        "wrote it; put a copy back, go back to the version that wrote it, or start with a new state file"
    )


def _narrowed(values: Integers) -> tuple[list[object], bytes]:
    """(what is to be known of an array, its bytes). Instants among nothings are counted from the first of them."""
    count = len(values)
    least, most = (int(values.min()), int(values.max())) if count else (0, 0)
    if least == most:
        return ["same", count, least], b""
    if least >= 0 and most <= _MOST:
        word = "<u1" if most < 1 << 8 else "<u2" if most < 1 << 16 else "<u4"
        return [word, count], values.astype(word).tobytes()
    rest = values != least
    first = int(values.min(where=rest, initial=most))
    if most - first < _MOST:
        words = np.where(rest, values - (first - 1), 0)
        return ["from", count, least, first - 1], words.astype("<u4").tobytes()
    return ["<i8", count], values.astype("<i8").tobytes()


def _widened(form: list[Any], body: memoryview, at: int) -> tuple[Integers, int]:
    """(the array, where the next one begins)."""
    kind, count = form[0], form[1]
    if kind == "same":
        return np.full(count, form[2], dtype=np.int64), at
    words = np.frombuffer(body, "<u4" if kind == "from" else kind, count, at)
    values = words.astype(np.int64)
    if kind == "from":
        values = np.where(words == 0, form[2], values + form[3])
    return values, at + words.nbytes
