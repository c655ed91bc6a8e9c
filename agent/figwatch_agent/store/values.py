"""Model values as the text a column holds."""

from typing import TypeVar

from figwatch_agent.errors import StoreError
from figwatch_agent.model.wire import decode, encode

T = TypeVar("T")


def to_text(value: object) -> str:
    """Canonical JSON.

    Raises StoreError where a text in it is not Unicode (a lone surrogate), which no file can hold.
    """
    text = encode(value)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise StoreError(
            f"{type(value).__name__} holds a text that is not Unicode ({error.reason}): send it as UTF-8"
        ) from error
    return text


def from_text(kind: type[T], text: str) -> T:
    """The value that ``to_text`` made. Raises StoreError where it cannot be read, naming its class."""
    try:
        return decode(kind, text)
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"a stored {kind.__name__} cannot be read ({error!r}): it was written by another version of figwatch, "
            "or by hand; start with a new state file, or go back to the version that wrote it"
        ) from error
