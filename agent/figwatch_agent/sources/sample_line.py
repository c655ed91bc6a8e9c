"""One sample line of the Prometheus and OpenMetrics text formats, taken apart."""

import re
from typing import Final

from figwatch_agent.model.batch import Series

_NAME = rb"[a-zA-Z_:][a-zA-Z0-9_:]*+"
_QUOTED = rb'"[^"\\]*+(?:\\.[^"\\]*+)*"'
_LABELS = rb'\{[^"{}]*+(?:' + _QUOTED + rb'[^"{}]*+)*\}'
_KEY = rb"(?P<key>" + _NAME + rb"(?:[ \t]*+" + _LABELS + rb"|(?![ \t]*+" + _LABELS + rb"))|" + _LABELS + rb")"

# Possessive where one character repeats, and what follows a group that repeats is never how it goes on: a hostile line
# costs one pass and the way back, never a search. Groups are not possessive: Python 3.11.2, which Debian 12 ships, and
# others before 3.11.5 then miss what matches.
SAMPLE: Final = re.compile(
    _KEY + rb"(?:(?<=\})[ \t]*+|[ \t]++)"
    rb"(?P<value>[^ \t#]++)"
    rb"(?:[ \t]++[-+0-9.eE]++)?"  # a timestamp; the scrape's own time counts
    rb"(?:[ \t]++#[ \t]*+\{.*+)?"  # an exemplar
)
"""A whole line: ``key`` is the raw text of the series, ``value`` the raw text of its value."""

DATED: Final = re.compile(
    _KEY + rb"(?:(?<=\})[ \t]*+|[ \t]++)"
    rb"(?P<value>[^ \t#]++)"
    rb"[ \t]++(?P<stamp>[-+0-9.eE]++)"
    rb"(?:[ \t]++#[ \t]*+\{.*+)?"
)
"""The same where a timestamp must stand: a line of a history."""

_NAME_OF_KEY = re.compile(_NAME)
_TERM = re.compile(
    rb"[ \t]*+(?:(?P<name>[a-zA-Z_][a-zA-Z0-9_]*+)|(?P<quoted>" + _QUOTED + rb"))"
    rb"[ \t]*+(?:=[ \t]*+(?P<value>" + _QUOTED + rb"))?[ \t]*+(?:,[ \t]*+|\Z)"
)
_PLAIN_LABEL = rb'[a-zA-Z_][a-zA-Z0-9_]*+="[^"\\]*+"'
_PLAIN = re.compile(_PLAIN_LABEL + rb"(?:," + _PLAIN_LABEL + rb")*,?")  # how nearly all labels are written
_PLAIN_PAIR = re.compile(r'([a-zA-Z0-9_]+)="([^"]*)"')
_ESCAPE = re.compile(r'\\[\\n"]')
_MEANING = {"\\\\": "\\", "\\n": "\n", '\\"': '"'}


def metric_name(key: bytes) -> str | None:
    """The metric's name, where it stands before the labels (None: it is quoted among them)."""
    found = _NAME_OF_KEY.match(key)
    return found[0].decode("ascii") if found else None


def parse_series(key: bytes) -> Series:
    """The series that a raw text such as ``up{job="chat"}`` names.

    Raises ValueError, saying what is wrong, where labels are malformed, reserved or given twice.
    """
    name = metric_name(key)
    start = key.find(b"{")
    if start < 0:
        return Series(name=name or "", labels=())
    body = key[start + 1 : -1].strip(b" \t")
    if name is not None and b"__" not in body and _PLAIN.fullmatch(body):
        pairs = _PLAIN_PAIR.findall(_decoded(body))
        if len(dict(pairs)) == len(pairs):
            return Series(name=name, labels=tuple(sorted(pairs)))
    return _series_in_full(name, body)


def _series_in_full(name: str | None, body: bytes) -> Series:
    labels: dict[str, str] = {}
    for label, value in _terms(body):
        if value is None:
            if name is not None:
                raise ValueError(f"the metric {name!r} is named a second time, as {label!r}")
            name = label
        elif label in labels:
            raise ValueError(f"the label {label!r} is given twice")
        elif label.startswith("__"):
            raise ValueError(f"the label {label!r} is reserved")
        else:
            labels[label] = value
    if not name:
        raise ValueError("the sample has no metric name")
    return Series(name=name, labels=tuple(sorted(labels.items())))


def _terms(body: bytes) -> list[tuple[str, str | None]]:
    terms: list[tuple[str, str | None]] = []
    at = 0
    while at < len(body):
        term = _TERM.match(body, at)
        if term is None or (term["name"] is not None and term["value"] is None):
            raise ValueError(f"labels are malformed from {body[at : at + 40].decode('utf-8', 'replace')!r}")
        name = term["name"].decode("ascii") if term["name"] is not None else _unquoted(term["quoted"])
        terms.append((name, None if term["value"] is None else _unquoted(term["value"])))
        at = term.end()
    return terms


def _unquoted(raw: bytes) -> str:
    text = _decoded(raw[1:-1])
    return _ESCAPE.sub(lambda found: _MEANING[found[0]], text) if "\\" in text else text


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("a label is not UTF-8") from None
