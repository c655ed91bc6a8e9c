"""Canonical JSON of model values: the same value gives the same bytes, in every process.

Dataclasses become objects with their members in declared order and the class name as ``"type"``; Fractions are texts
such as ``"999/1000"``, arrays and bytes are base64. Decoding is driven by the annotations of the class asked for.
"""

import base64
import json
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from fractions import Fraction
from functools import lru_cache, partial
from typing import Any, TypeVar

import numpy as np

from figwatch_agent.model.batch import SeriesTable

T = TypeVar("T")
Reader = Callable[[Any], Any]


def encode(value: object) -> str:
    """Canonical JSON of a model value."""
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def decode(kind: type[T], text: str | bytes) -> T:
    """The value of class ``kind`` that ``encode`` wrote. Raises ValueError or TypeError on anything else."""
    return from_plain(kind, json.loads(text))


def from_plain(kind: type[T], raw: object) -> T:
    """The value of class ``kind`` of which ``plain`` made ``raw``; arrays may stand in it as they are."""
    wanted: Any = kind
    result: T = _reader(wanted)(raw)
    return result


def plain(value: object) -> Any:
    """The same as ``encode`` without the last step: dicts, lists, texts and numbers."""
    return _plain(value)


def _plain(value: object) -> object:
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (str, float)):
        return value
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, np.ndarray):
        return base64.b64encode(np.ascontiguousarray(value).tobytes()).decode("ascii")
    if isinstance(value, frozenset):
        return sorted(_plain(item) for item in value)  # type: ignore[type-var]  # members are texts or enums
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if is_dataclass(value):
        body: dict[str, object] = {"type": type(value).__name__}
        kind: Any = type(value)
        for name in _names(kind):
            body[name] = _plain(getattr(value, name))
        return body
    raise TypeError(f"{type(value).__name__} has no canonical form")


@lru_cache(maxsize=256)
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


@lru_cache(maxsize=256)
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


@lru_cache(maxsize=1024)
def _reader(kind: Any) -> Reader:
    """What makes a value of a kind; found once, so that thousands of series are read at the pace of their members."""
    kind = _meant(kind)
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return partial(_union, typing.get_args(kind))
    if origin is tuple:
        return _tuple(typing.get_args(kind))
    if origin is frozenset:
        return partial(_frozenset, _reader(typing.get_args(kind)[0]))
    if origin is np.ndarray:
        return partial(_array, _dtype(kind))
    if kind is Fraction:
        return _fraction
    if kind is bytes:
        return base64.b64decode
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    if isinstance(kind, type) and is_dataclass(kind):
        return partial(_object, kind)
    return _same


def _meant(kind: Any) -> Any:
    """The kind itself where a type alias stands for it, as NumPy 2.5 calls its arrays on Python 3.12 and later."""
    origin = typing.get_origin(kind)
    value = getattr(kind if origin is None else origin, "__value__", None)
    if value is None:
        return kind
    return _meant(value if origin is None else value[typing.get_args(kind)])


def _same(raw: Any) -> Any:
    return raw


def _fraction(raw: str) -> Fraction:
    numerator, denominator = raw.split("/")
    return Fraction(int(numerator), int(denominator))


def _array(dtype: Any, raw: Any) -> Any:
    return raw if isinstance(raw, np.ndarray) else np.frombuffer(base64.b64decode(raw), dtype=dtype)


def _frozenset(read: Reader, raw: list[Any]) -> Any:
    return frozenset(map(read, raw))


@lru_cache(maxsize=256)
def _members(kind: type) -> tuple[tuple[str, Reader], ...]:
    hints = _hints(kind)
    return tuple((name, _reader(hints[name])) for name in _names(kind))


def _object(kind: type, raw: Mapping[str, Any]) -> Any:
    # A member that was added later is missing in what was stored before, and takes its default.
    members = {name: read(raw[name]) for name, read in _members(kind) if name in raw}
    if kind is SeriesTable:
        return SeriesTable(members["series"], members["families"])
    return kind(**members)


def _tuple(arguments: tuple[Any, ...]) -> Reader:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        read = _reader(arguments[0])
        return tuple if read is _same else lambda raw: tuple(map(read, raw))
    reads = tuple(_reader(kind) for kind in arguments)
    return lambda raw: tuple(read(item) for read, item in zip(reads, raw, strict=True))


def _union(arguments: tuple[Any, ...], raw: Any) -> Any:
    if raw is None:
        return None
    rest = [kind for kind in arguments if kind is not type(None)]
    if isinstance(raw, Mapping) and "type" in raw:
        for kind in rest:
            if isinstance(kind, type) and kind.__name__ == raw["type"]:
                return _reader(kind)(raw)
        raise ValueError(
            f"{raw['type']!r} is none of {', '.join(getattr(kind, '__name__', str(kind)) for kind in rest)}"
        )
    plain_kinds = [kind for kind in rest if not (isinstance(kind, type) and is_dataclass(kind))]
    return _reader(plain_kinds[0])(raw)


def _dtype(kind: Any) -> Any:
    return typing.get_args(typing.get_args(kind)[1])[0]
