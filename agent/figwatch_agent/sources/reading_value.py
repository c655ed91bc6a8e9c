"""What a gateway's answer says, reduced to the members that count, in one canonical text."""

import json
from collections.abc import Sequence
from typing import Any, Final, NoReturn

MAX_VALUE: Final = 64 * 1024
"""Bytes; a reading travels with every tick and every intent, so it has to be small."""


def reading_value(body: bytes, fields: Sequence[str]) -> str:
    """Canonical JSON of the named members of a JSON answer; dots go deeper, numbers count into lists.

    Without fields the whole answer counts. Two answers that agree in these members give the same text, in whatever
    order and spacing they were written. Raises ValueError, saying what is missing, for people.
    """
    try:
        answer = json.loads(body, parse_constant=_refuse)
        chosen = {field: _member(answer, field) for field in fields} if fields else answer
        text = json.dumps(chosen, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
        size = len(text.encode())
    except json.JSONDecodeError as error:
        raise ValueError(f"the answer is not JSON: {error}") from None
    except (UnicodeError, RecursionError):
        raise ValueError("the answer is JSON that cannot be kept: broken characters, or nested too deeply") from None
    if size > MAX_VALUE:
        raise ValueError(f"what counts of the answer has {size} bytes, more than {MAX_VALUE}: name fewer fields")
    return text


def _member(answer: Any, field: str) -> Any:
    value = answer
    for part in field.split("."):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isascii() and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            raise ValueError(f"the answer has no member {field!r}")
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")
