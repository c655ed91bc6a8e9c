"""What canonical JSON holds is read by the annotations of a class, however these are spelled."""

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypeAliasType

from figwatch_agent.model.wire import decode, encode

Kind = TypeVar("Kind", bound=np.generic)
Array = TypeAliasType("Array", np.ndarray[tuple[Any, ...], np.dtype[Kind]], type_params=(Kind,))
"""As NumPy 2.5 spells its arrays on Python 3.12 and later."""
Counts = TypeAliasType("Counts", Array[np.int64])


@dataclass(frozen=True, slots=True)
class Spelled:
    by_numpy: NDArray[np.int32]
    by_parameter: Array[np.float64]
    by_name: Counts
    perhaps: Counts | None
    many: tuple[Counts, ...]


def test_arrays_come_back_however_their_kind_is_spelled() -> None:
    written = Spelled(
        by_numpy=np.array([1, -2], dtype=np.int32),
        by_parameter=np.array([0.5]),
        by_name=np.array([1 << 40]),
        perhaps=np.array([3]),
        many=(np.array([4]), np.array([5, 6])),
    )
    read = decode(Spelled, encode(written))
    assert read.by_numpy.dtype == np.dtype(np.int32)
    assert read.by_numpy.tolist() == [1, -2]
    assert read.by_parameter.dtype == np.dtype(np.float64)
    assert read.by_parameter.tolist() == [0.5]
    assert read.by_name.dtype == np.dtype(np.int64)
    assert read.by_name.tolist() == [1 << 40]
    assert read.perhaps is not None
    assert read.perhaps.tolist() == [3]
    assert [values.tolist() for values in read.many] == [[4], [5, 6]]
