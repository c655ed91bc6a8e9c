"""Every key that the grammar of the files knows, as dotted paths, for comparison with what the docs say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class Key(NamedTuple):
    """One key: whether it must be given, and what the grammar says about it."""

    required: bool
    about: str


def keys(schema: Any, shared: Mapping[str, Any] | None = None) -> dict[str, Key]:
    """Dotted path -> key. ``[]`` is a member of a list, ``NAME`` a word of one's own.

    Pieces in ``shared`` are not entered: they stand in many places and are documented once.
    """
    return dict(_walk(schema, "", shared or {}))


def _walk(schema: Any, path: str, shared: Mapping[str, Any]) -> Iterator[tuple[str, Key]]:
    if path and any(_same(schema, piece) for piece in shared.values()):
        return
    kind = schema["type"]
    if kind == "typed-dict":
        for name, field in schema["fields"].items():
            inner = f"{path}.{name}" if path else name
            about = field["schema"]["metadata"]["pydantic_js_updates"]["description"]
            yield inner, Key(field["required"], about)
            yield from _walk(field["schema"], inner, shared)
    elif kind == "tagged-union":
        for choice in schema["choices"].values():
            yield from _walk(choice, path, shared)
    elif kind == "list":
        yield from _walk(schema["items_schema"], f"{path}[]", shared)
    elif kind == "dict":
        yield from _walk(schema["values_schema"], f"{path}.NAME", shared)
    elif kind in ("function-after", "function-before"):
        yield from _walk(schema["schema"], path, shared)


def _same(schema: Any, piece: Any) -> bool:
    """A piece is copied where a key documents it; what is inside stays the same object."""
    inside = "choices" if piece["type"] == "tagged-union" else "schema"
    return bool(schema["type"] == piece["type"] and schema.get(inside) is piece[inside])
