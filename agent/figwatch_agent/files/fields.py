"""The words of the files: names, durations, shares, addresses, dates, paths and the names of secrets."""

import os
import re
from collections.abc import Callable
from enum import StrEnum
from fractions import Fraction
from typing import Any, TypeVar

from pydantic_core import core_schema
from pydantic_core.core_schema import CoreSchema

from figwatch_agent.durations import DAY, Duration, Instant, parse_duration, parse_instant
from figwatch_agent.files.diagnostics import did_you_mean, quoted
from figwatch_agent.files.document import SECRET_KEYS
from figwatch_agent.files.schema import Context, describe, placed, scalar, wrong
from figwatch_agent.model.secret import Secret

E = TypeVar("E", bound=StrEnum)

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,99}")
_URL = re.compile(r"https?://(?P<host>\[[0-9a-fA-F:.]+\]|[^\s/?#:@\[\]]+)(?::(?P<port>\d{1,5}))?(?:[/?#]\S*)?")
_USERINFO = re.compile(r"[a-z]+://[^/?#]*@")
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,12})?)%")
_ENVIRONMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

LONGEST: Duration = 400 * DAY
"""No duration in a file may be longer: a typo in a unit would ask for more memory than there is."""

HOW_TO_NAME = "name it instead: {env: NAME} or {file: PATH}"
HOW_TO_NAME_HEADER = "name it instead: {bearer: {env: NAME}} puts Bearer before it, {env: NAME} nothing"
STR = core_schema.str_schema()


def string(value: object, expected: str = "text") -> str:
    """Text, and nothing that YAML takes for something else."""
    if not isinstance(value, str):
        hint = "quote it" if isinstance(value, (int, float)) and "such as" not in expected else ""
        raise wrong(f"expected {expected}, found {describe(value)}", hint)
    return value


def _text(value: object) -> str:
    return string(value)


def _words(value: object) -> str:
    if not string(value).strip():
        raise wrong("expected text, found none")
    return string(value)


def _name(value: object) -> str:
    text = string(value, "a name")
    if not _NAME.fullmatch(text):
        raise wrong(f"{quoted(text)} is not a name", "a name has letters, digits, - _ and ., and begins with a letter")
    return text


def _duration(value: object) -> Duration:
    text = string(value, "a duration such as 200ms, 5m or 30d")
    try:
        duration = parse_duration(text[:40])
    except ValueError:
        raise wrong(
            f"{quoted(text)} is not a duration", "write whole numbers with units, such as 200ms, 5m, 1h30m or 30d"
        ) from None
    if not 0 < duration <= LONGEST:
        raise wrong(f"{quoted(text)} is not between 1ms and 400d")
    return duration


def percent(text: str) -> Fraction | None:
    """The exact ratio of a text such as ``99.9%``; None if it is no percentage."""
    found = _PERCENT.fullmatch(text)
    return Fraction(found[1]) / 100 if found else None


def _share(value: object) -> Fraction:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        ratio = Fraction(repr(value))
        meant = ratio * 100 if 0 < ratio <= 1 else ratio
        hint = (
            f"write it as a percentage: {_plain_number(meant)}%"
            if 0 < meant <= 100
            else "write a percentage such as 99.9%"
        )
        raise wrong(f"expected a percentage, found {describe(value)}", hint)
    text = string(value, "a percentage such as 99.9%")
    ratio_or_none = percent(text)
    if ratio_or_none is None:
        raise wrong(f"{quoted(text)} is not a percentage", "write a number and %, such as 99.9%")
    return ratio_or_none


def _plain_number(number: Fraction) -> str:
    return f"{float(number):.10f}".rstrip("0").rstrip(".")


def _url(value: object) -> str:
    text = string(value, "a URL")
    if _USERINFO.match(text):
        raise wrong("a URL must not hold a name or password", "send them in a header: {env: NAME} or {file: PATH}")
    found = _URL.fullmatch(text)
    if found is None:
        raise wrong(f"{quoted(text)} is not a URL", "write http://HOST:PORT/PATH or https://HOST/PATH")
    if found["port"] is not None and not 0 < int(found["port"]) < 65536:
        raise wrong(f"{quoted(text)} names port {found['port']}, and ports end at 65535")
    return text


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise wrong(f"expected true or false, found {describe(value)}")
    return value


def _date(value: object) -> str:
    text = string(value, "a date such as 2026-12-31")
    try:
        if _DATE.fullmatch(text) and parse_instant(text + "T00:00:00Z") is not None:
            return text
    except ValueError:
        pass
    raise wrong(f"{quoted(text)} is not a date", "write YYYY-MM-DD, such as 2026-12-31")


def _instant(value: object) -> Instant:
    text = string(value, "an instant such as 2026-12-24T18:00:00Z")
    try:
        return parse_instant(text)
    except (ValueError, OverflowError):
        raise wrong(
            f"{quoted(text)} is not an instant", "write a date, a time and an offset: 2026-12-24T18:00:00Z"
        ) from None


def _path(value: object, context: Context) -> str:
    text = string(value, "a path")
    if not text.strip() or "\0" in text:
        raise wrong("expected a path, found none")
    return os.path.join(context.get("folder", ""), os.path.expanduser(text))


def _secret(value: object, context: Context) -> Secret:
    if not isinstance(value, dict):
        raise wrong("a secret must not stand in the file", HOW_TO_NAME)
    if len(value) != 1 or not isinstance(value.get("env", value.get("file")), str):
        raise wrong("a secret is named by exactly one of env and file", HOW_TO_NAME)
    if "file" in value:
        return Secret(file=_path(value["file"], context))
    if not _ENVIRONMENT.fullmatch(value["env"]):
        raise wrong(
            "env takes the name of an environment variable", "a name has letters, digits and _, such as PAGERDUTY_KEY"
        )
    return Secret(env=value["env"])


def _url_or_secret(value: object, context: Context) -> str | Secret:
    return _secret(value, context) if isinstance(value, dict) else _url(value)


def _header(value: object, context: Context) -> str | Secret:
    if isinstance(value, dict) and "bearer" in value:
        if len(value) != 1:
            raise wrong("bearer stands alone", "write {bearer: {env: NAME}} or {bearer: {file: PATH}}")
        named = _secret(value["bearer"], context)
        return Secret(env=named.env, file=named.file, prefix="Bearer ")
    return _text_or_secret(value, context)


def _text_or_secret(value: object, context: Context) -> str | Secret:
    return _secret(value, context) if isinstance(value, dict) else string(value)


def headers(values: dict[str, str | Secret]) -> tuple[tuple[str, str | Secret], ...]:
    """HTTP headers; those that carry credentials must be named, not written out."""
    for name, value in values.items():
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):
            raise wrong(f"{quoted(name)} is not the name of a header")
        if isinstance(value, str) and name.lower() in SECRET_KEYS:
            raise wrong(f"the header {name} holds a secret, which must not stand in the file", HOW_TO_NAME_HEADER)
        if isinstance(value, str) and re.search(r"[\r\n\0]", value):
            raise wrong(f"the header {name} must be one line")
    return tuple(sorted(values.items()))


def choice(kind: type[E]) -> CoreSchema:
    """One word of a closed set."""
    words = [member.value for member in kind]
    return scalar(_chooser(words, kind), core_schema.literal_schema(words))


def word(*words: str) -> CoreSchema:
    """The same for a set that has no type of its own."""
    return scalar(_chooser(words, str), core_schema.literal_schema(list(words)))


def _chooser(words: list[str] | tuple[str, ...], become: Callable[[str], Any]) -> Callable[[Any], Any]:
    expected = f"one of {', '.join(words)}"

    def parse(value: object) -> Any:
        text = string(value, expected)
        if text not in words:
            raise wrong(f"{quoted(text)} is not {expected}", did_you_mean(text, words, "known values"))
        return become(text)

    return parse


def whole(least: int, most: int) -> CoreSchema:
    """A whole number within bounds."""

    def parse(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise wrong(f"expected a whole number, found {describe(value)}")
        if not least <= value <= most:
            raise wrong(f"{value} is not between {least} and {most}")
        return value

    return scalar(parse, core_schema.int_schema(ge=least, le=most))


_SECRET_FORM = core_schema.typed_dict_schema(
    {
        "env": core_schema.typed_dict_field(STR, required=False),
        "file": core_schema.typed_dict_field(STR, required=False),
    },
    extra_behavior="forbid",
)

TEXT = scalar(_text, STR)
WORDS = scalar(_words, core_schema.str_schema(min_length=1))
NAME = scalar(_name, core_schema.str_schema(pattern=f"^{_NAME.pattern}$"))
DURATION = scalar(_duration, core_schema.str_schema(pattern=r"^([0-9]+(ms|s|m|h|d|w))+$"))
SHARE = scalar(_share, core_schema.str_schema(pattern=f"^{_PERCENT.pattern}$"))
URL = scalar(_url, core_schema.str_schema(pattern="^https?://"))
FLAG = scalar(_flag, core_schema.bool_schema())
DATE = scalar(_date, core_schema.str_schema(pattern=f"^{_DATE.pattern}$"))
INSTANT = scalar(_instant, STR)
PATH = placed(_path, STR)
SECRET = placed(_secret, _SECRET_FORM)
URL_OR_SECRET = placed(_url_or_secret, core_schema.union_schema([STR, _SECRET_FORM]))
_BEARER_FORM = core_schema.typed_dict_schema(
    {"bearer": core_schema.typed_dict_field(_SECRET_FORM, required=True)}, extra_behavior="forbid"
)
HEADER = placed(_header, core_schema.union_schema([STR, _SECRET_FORM, _BEARER_FORM]))
TEXT_OR_SECRET = placed(_text_or_secret, core_schema.union_schema([STR, _SECRET_FORM]))
