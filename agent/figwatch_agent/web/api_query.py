"""What a request asks for in its query, or everything that is wrong with it; what is not known is refused."""

from collections.abc import Awaitable, Callable, Mapping
from difflib import get_close_matches
from typing import Final, TypeVar

from aiohttp import web

from figwatch_agent.durations import DAY, Duration, Instant, parse_duration, parse_instant
from figwatch_agent.model.history import SPANS
from figwatch_agent.model.names import Stage
from figwatch_agent.web.answers import errors

T = TypeVar("T")

MOST: Final = 1000
"""Rows of one answer."""

MOST_PAGES: Final = 100_000
LONGEST_TEXT: Final = 100
LONGEST_ID: Final = 200
LONGEST_ROUTE: Final = 200
LONGEST_TIME: Final = 400 * DAY
LONGEST_SUBJECT: Final = 500

Handler = Callable[[web.Request], Awaitable[web.Response]]


class BadQuery(Exception):
    """The query cannot be read; ``problems`` names everything that is wrong with it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Query:
    """The parameters of one request. Read each that is known, then ``finish``."""

    def __init__(self, request: web.Request) -> None:
        self._given: Mapping[str, list[str]] = {name: request.query.getall(name) for name in request.query}
        self._known: list[str] = []
        self._problems: list[str] = []

    def whole(self, name: str, usual: int, most: int) -> int:
        """A whole number from 1 to ``most``."""
        given = self._one(name)
        if given is None:
            return usual
        plain = given.isascii() and given.isdigit() and len(given) < 10 and not given.startswith("0")
        if plain and int(given) <= most:
            return int(given)
        self._problems.append(f"{name} is a whole number from 1 to {most}, not {given[:40]!r}")
        return usual

    def word(self, name: str, words: Mapping[str, T]) -> T | None:
        """One of these words, as what it stands for."""
        given = self._one(name)
        if given is not None and given not in words:
            self._problems.append(f"{name} is one of {', '.join(words)}, not {given[:40]!r}")
        return None if given is None else words.get(given)

    def text(self, name: str, longest: int = LONGEST_TEXT) -> str | None:
        """A text of at most so many characters."""
        given = self._one(name)
        if given is not None and len(given) > longest:
            self._problems.append(f"{name} has {len(given)} characters; at most {longest} are taken")
        return given

    def needed(self, name: str, longest: int = LONGEST_TEXT) -> str:
        """A text that must be there; empty where it is not."""
        given = self.text(name, longest)
        if not given:
            self._problems.append(f"{name} is missing")
        return given or ""

    def instant(self, name: str) -> Instant | None:
        """ISO 8601 with its offset from UTC."""
        given = self._one(name)
        if given is None:
            return None
        try:
            return parse_instant(given)
        except (ValueError, OverflowError):
            self._problems.append(f"{name} is an instant such as 2026-11-22T14:05:00Z, not {given[:40]!r}")
            return None

    def lasting(self, name: str) -> Duration | None:
        """A length of time such as 1d."""
        given = self._one(name)
        if given is None:
            return None
        try:
            found = parse_duration(given[:40])
        except ValueError:
            found = 0
        if not 0 < found <= LONGEST_TIME:
            self._problems.append(f"{name} is a duration such as 1d, not {given[:40]!r}")
        return found

    def finish(self) -> None:
        """Raise BadQuery where anything was wrong, or was not asked for at all."""
        for name in self._given:
            if name not in self._known:
                near = get_close_matches(name[:40], self._known, n=1)
                there = f"there are {', '.join(self._known)}" if self._known else "there are none here"
                self._problems.append(
                    f"unknown parameter {name[:40]!r}: {f'did you mean {near[0]}?' if near else there}"
                )
        if self._problems:
            raise BadQuery(self._problems)

    def _one(self, name: str) -> str | None:
        self._known.append(name)
        given = self._given.get(name, [])
        if len(given) > 1:
            self._problems.append(f"{name} is given {len(given)} times")
        return given[0] if given else None


STAGES: Final[Mapping[str, Stage]] = {stage.value: stage for stage in Stage}
SPAN_WORDS: Final[Mapping[str, str]] = {name: name for name in SPANS}


def checked(handler: Handler) -> Handler:
    """``handler``, whose BadQuery is answered with 400."""

    async def answer(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except BadQuery as bad:
            return errors(400, bad.problems)

    return answer


def nothing_asked(request: web.Request) -> None:
    """Raise BadQuery for any parameter."""
    Query(request).finish()
