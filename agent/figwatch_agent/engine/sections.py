"""Saved sections, and columns of arrays moved to where their keys stand now."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.engine.forms import Columns
from figwatch_agent.engine.packing import unpack
from figwatch_agent.engine.saving import Parts

T = TypeVar("T")
Integers = NDArray[np.int64]

ABSENT = -1


def section(parts: Parts, name: str, kind: type[T]) -> T | None:
    """A section as it stands in the store; None where there is none. StoreError where it cannot be read."""
    data = parts.written.get(name)
    return None if data is None else unpack(kind, data, name)


def places(parts: Parts, saved: str, now: tuple[str, Sequence[str]]) -> tuple[Integers, Integers]:
    """(old positions, new positions) of the keys that both the saved columns and those of now have."""
    name, keys = now
    if saved == name and saved in parts.written:
        same = np.arange(len(keys), dtype=np.int64)
        return same, same
    columns = section(parts, saved, Columns)
    old = {key: place for place, key in enumerate(columns.keys)} if columns is not None else {}
    pairs = [(old[key], place) for place, key in enumerate(keys) if key in old]
    return np.array([a for a, _ in pairs], dtype=np.int64), np.array([b for _, b in pairs], dtype=np.int64)


def moved(values: Integers, at: tuple[Integers, Integers], into: Integers) -> Integers:
    """A copy of ``into`` with the values at their new positions."""
    found = into.copy()
    found[at[1]] = values[at[0]]
    return found
