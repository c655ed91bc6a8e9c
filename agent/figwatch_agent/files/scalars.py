"""What an unquoted word in YAML means here: the few forms every reader agrees on. The rest must be quoted."""

import re
from fractions import Fraction
from typing import NamedTuple

DIGITS = 15
"""Longest number taken: beyond it a float no longer gives its digits back."""

_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_SURPRISING_WORDS = frozenset(("y", "yes", "n", "no", "on", "off", "true", "false", "null"))
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_OTHER_BASE = re.compile(r"[-+]?0(?:b[01_]+|o[0-7_]+|x[0-9a-fA-F_]+|[0-9_]+)")
_OTHER_NUMBER = re.compile(
    r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)


class Surprise(NamedTuple):
    """A word that YAML readers disagree about."""

    message: str
    hint: str


def resolve(text: str) -> str | int | float | bool | Surprise | None:
    """The value of an unquoted scalar. Dates and times stay text."""
    if text in _WORDS:
        return _WORDS[text]
    if text.lower() in _SURPRISING_WORDS:
        return Surprise(f"`{text}` is true, false or nothing to some YAML readers and text to others", _word_hint(text))
    if text[0] not in "-+.0123456789":
        return text
    return _number(text)


def _word_hint(text: str) -> str:
    word = text.lower()
    meant = {"null": "null", "y": "true", "yes": "true", "on": "true", "true": "true"}.get(word, "false")
    return f'write {meant}, or "{text}" in quotes if text is meant'


def _number(text: str) -> str | int | float | Surprise:
    if _INTEGER.fullmatch(text) or _DECIMAL.fullmatch(text):
        if len(text) > DIGITS:
            return Surprise(
                f"a number of more than {DIGITS} digits cannot be kept exactly", "quote it if text is meant"
            )
        return int(text) if "." not in text else _decimal(text)
    if _SEXAGESIMAL.fullmatch(text):
        return Surprise(
            f"`{text}` is a number in base 60 to some YAML readers",
            f'write a duration such as 90s, or "{text}" in quotes',
        )
    if _OTHER_BASE.fullmatch(text):
        return Surprise(f"`{text}` is an octal, hexadecimal or binary number to some YAML readers", _quote_hint(text))
    if _OTHER_NUMBER.fullmatch(text):
        return Surprise(f"`{text}` is a number to some YAML readers and text to others", _quote_hint(text))
    return text


def _quote_hint(text: str) -> str:
    return f'write the number with digits and a point only, or "{text}" in quotes if text is meant'


def _decimal(text: str) -> float | Surprise:
    value = float(text)
    if Fraction(repr(value)) != Fraction(text):
        return Surprise("this number cannot be kept exactly", "quote it if text is meant")
    return value
