"""Takes out of an answer what a stranger need not know: hosts, addresses, paths and URLs of the inside.

It works on the text of an answer as it leaves, in whatever form: JSON, HTML, plain text. What is to be hidden is known
from the settings; a URL of which they say nothing is hidden as well.
"""

import html
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from figwatch_agent.model.plan import ExecCall, HttpCall
from figwatch_agent.model.secret import Secret
from figwatch_agent.model.settings import Scrape, Settings

HIDDEN: Final = "(hidden)"

MOST_KEPT: Final = 16
"""Answers that are kept as strangers see them: a page stays the same for a tick, and a hundred words of the inside are
looked for in 100 kB in 5 ms."""

LONGEST_KEPT: Final = 256 * 1024
"""Characters; a longer one is a document that nobody asks for twice."""

_BREAK: Final = "<wbr>"
"""Pages let paths break after these marks, wherever a column is narrow."""
_BREAKS_AFTER: Final = "/-_."

_PUBLIC: Final = ("http://www.w3.org/", "https://json-schema.org/", "https://spec.openapis.org/")
"""Names of formats, which are written as URLs."""

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*\Z")
_REST: Final = re.compile(rf"(?:{_BREAK}|(?!%20)[^\s\"'<>\\`])*")
_TAIL: Final = ").,;:!?]}"
"""Ends a sentence, not a URL."""


class Redaction:
    """Made once from the settings. Without them it hides URLs alone."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._labels: dict[str, str] = {}
        self._own: tuple[str, ...] = _PUBLIC
        words: dict[str, str] = {}
        if settings is not None:
            self._own += tuple(filter(None, (settings.web.external_url, settings.runbook_url)))
            self._labels = dict(_labels(settings))
            words = {word: self._labels.get(word, HIDDEN) for word in _private(settings)}
        own = " ".join(self._own)
        self._words = [
            (form, label)
            for word, label in sorted(words.items(), key=lambda item: len(item[0]), reverse=True)
            if word not in own
            for form in _forms(word)
        ]

        self._kept = lru_cache(maxsize=MOST_KEPT)(self._hidden)

    def text(self, text: str) -> str:
        """``text`` as a stranger may see it."""
        return self._kept(text) if len(text) <= LONGEST_KEPT else self._hidden(text)

    def _hidden(self, text: str) -> str:
        shown = "".join(self._without_urls(text)) if any(mark in text for mark in _MARKS) else text
        for word, label in self._words:
            if word in shown:
                shown = shown.replace(word, label)
        return shown

    def _without_urls(self, text: str) -> Iterator[str]:
        done = 0
        for found in _SLASHES.finditer(text):
            scheme = _SCHEME.search(text, max(found.start() - 20, done), found.start())
            if found.start() < done or scheme is None:
                continue
            rest = _REST.match(text, found.end())
            end = found.end() if rest is None else rest.end()
            url = text[scheme.start() : end].rstrip(_TAIL)
            yield text[done : scheme.start()]
            yield self._shown(url)
            done = scheme.start() + len(url)
        yield text[done:]

    def _shown(self, url: str) -> str:
        plain = unquote(html.unescape(url.replace(_BREAK, "")))
        if plain.startswith(self._own):
            return url
        return self._labels.get(plain) or self._labels.get(_host(plain)[0]) or HIDDEN


_MARKS: Final = ("://", f":/{_BREAK}/{_BREAK}", "%3A//", "%3A%2F%2F")
"""What stands behind the scheme of a URL: in text, in a breakable text, in a link."""

_SLASHES: Final = re.compile("|".join(_MARKS))


def _labels(settings: Settings) -> Iterator[tuple[str, str]]:
    """What scrape targets are called instead of their URLs, by URL and by address."""
    if isinstance(settings.source, Scrape):
        for number, target in reversed(list(enumerate(settings.source.targets, start=1))):
            yield target, f"scrape target {number}"
            yield _host(target)[0], f"scrape target {number}"


def _private(settings: Settings) -> Iterator[str]:
    """Hosts with their ports, hosts that have a dot, and paths. A bare word such as ``legacy`` is no secret."""
    folder = os.path.dirname(os.path.abspath(settings.path))
    if folder.count("/") > 1:  # where slo/ and runbooks/ stand; a folder of one name could be a route's
        yield folder
    inside: Mapping[str, object] = {
        each.name: getattr(settings, each.name) for each in fields(settings) if each.name not in ("web", "runbook_url")
    }
    for text in (*_texts(inside), *_texts((settings.web.tokens, settings.web.tls))):
        if "://" in text:
            address, name = _host(text)
            yield from (word for word in (address if ":" in address else "", name if "." in name else "") if word)
        elif "/" in text[:2] and len(text) > 3:
            yield text


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Secret):
        yield from filter(None, (value.file,))
    elif isinstance(value, HttpCall):  # its body names routes, which are no secret
        yield value.url
        yield from _texts(tuple(each for _, each in value.headers if isinstance(each, Secret)))
    elif isinstance(value, ExecCall):  # the same for its arguments, but the program is a path
        yield from (value.argv[0], *(each for each in value.argv if "://" in each))
        yield from _texts(tuple(each for _, each in value.environment if isinstance(each, Secret)))
    elif isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, (tuple, frozenset)):
        for each in value:
            yield from _texts(each)
    elif is_dataclass(value):
        for each in fields(value):
            yield from _texts(getattr(value, each.name))


def _host(url: str) -> tuple[str, str]:
    """Address with its port, and name, of a URL."""
    try:
        parts = urlsplit(url)
        return parts.netloc.rpartition("@")[2], parts.hostname or ""
    except ValueError:
        return "", ""


def _forms(word: str) -> Iterator[str]:
    """A word as it stands in text, in JSON and in HTML, breakable or not."""
    escaped = html.escape(word)
    broken = re.sub(rf"([{re.escape(_BREAKS_AFTER)}])", rf"\1{_BREAK}", escaped)
    yield from dict.fromkeys((word, json.dumps(word)[1:-1], escaped, broken))
