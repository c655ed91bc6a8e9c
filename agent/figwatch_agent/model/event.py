"""What people and other systems tell of: deployments, samples of data, and figures that nobody can scrape.

One rule for every way in (command line, CSV, API, webhook): `read_event` takes texts and gives an Event, or everything
that is wrong with them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from fractions import Fraction
from hashlib import sha256
from typing import Final

from figwatch_agent.durations import DAY, MINUTE, Duration, Instant, format_instant, parse_instant

AHEAD: Final[Duration] = MINUTE
"""How far a clock elsewhere may be ahead of ours."""

FARTHEST: Final[Duration] = 4000 * DAY
"""Nothing older is taken: a year with a wrong digit would be kept and never seen."""

LONGEST_ID: Final = 200
LONGEST_TEXT: Final = 200
LONGEST_NUMBER: Final = 30
"""Characters."""

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_WHOLE = re.compile(r"[0-9]+")


class EventKind(StrEnum):
    """What may be told of. The last five are named as the measures that are made of them."""

    DEPLOYMENT = "deployment"  # a version went out, or did not
    CONSISTENCY = "consistency"  # records of both stores were compared
    LAG = "lag"  # how far one store was behind the other
    SATISFACTION = "satisfaction"
    DELIVERY_SPEED = "delivery_speed"
    INFRASTRUCTURE_COST = "infrastructure_cost"
    DEVELOPER_PRODUCTIVITY = "developer_productivity"
    TIME_TO_MARKET = "time_to_market"


SUCCESS: Final = "success"
FAILURE: Final = "failure"
STATUSES: Final = (SUCCESS, FAILURE)
"""How a deployment ended."""

BROUGHT: Final = (
    EventKind.SATISFACTION,
    EventKind.DELIVERY_SPEED,
    EventKind.INFRASTRUCTURE_COST,
    EventKind.DEVELOPER_PRODUCTIVITY,
    EventKind.TIME_TO_MARKET,
)
"""Kinds of which each event is one figure, `value`."""


class EventInvalid(ValueError):
    """The texts are no event; ``problems`` are (field, what is wrong with it), all of them."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field}: {problem}" if field else problem for field, problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that was told. The same key twice is one event."""

    id: str
    kind: EventKind
    at: Instant  # when it happened
    recorded_at: Instant  # when it was taken
    actor: str
    fields: tuple[tuple[str, str], ...] = ()  # as given, sorted by name

    @property
    def key(self) -> str:
        """What makes it one: kind and id; of a deployment also the service and how it ended."""
        if self.kind is EventKind.DEPLOYMENT:
            return f"{self.kind.value}/{self.service}/{self.get('status') or SUCCESS}/{self.id}"
        return f"{self.kind.value}/{self.id}"

    @property
    def service(self) -> str:
        """The service it is about; "" where it is about all."""
        return self.get("service")

    def get(self, field: str) -> str:
        """The text of a field; "" where it was not given."""
        return next((text for name, text in self.fields if name == field), "")

    def number(self, field: str) -> Fraction | None:
        """The exact figure of a field; None where it was not given."""
        text = self.get(field)
        return Fraction(text) if text else None


def _number(text: str) -> str:
    return "" if _fits(_NUMBER, text) else "is a number such as 12 or 4.25"


def _positive(text: str) -> str:
    return "" if _fits(_NUMBER, text) and Fraction(text) >= 0 else "is a number of at least 0, such as 12 or 0.5"


def _whole(text: str) -> str:
    return "" if _fits(_WHOLE, text) else "is a whole number"


def _status(text: str) -> str:
    return "" if text in STATUSES else f"is one of {', '.join(STATUSES)}"


def _text(text: str) -> str:
    return ""


def _fits(form: re.Pattern[str], text: str) -> bool:
    return len(text) <= LONGEST_NUMBER and form.fullmatch(text) is not None and text.isascii()


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a kind of event."""

    meaning: str
    problem: Callable[[str], str]  # what is wrong with a text; "" where nothing is
    required: bool = False


_COMMON: Final[Mapping[str, Field]] = {
    "service": Field("the service it is about; every one where it is left out", _text),
    "note": Field("for people", _text),
}
_FIGURE: Final[Mapping[str, Field]] = {
    "value": Field("the figure", _number, required=True),
    "unit": Field("of the figure, such as days or EUR; every figure of a criterion has the same", _text),
    **_COMMON,
}

FIELDS: Final[Mapping[EventKind, Mapping[str, Field]]] = {
    EventKind.DEPLOYMENT: {
        "service": Field("the service that was deployed", _text, required=True),
        "version": Field("what was deployed", _text),
        "status": Field(f"{' or '.join(STATUSES)}; {SUCCESS} where it is left out", _status),
        "environment": Field("where to", _text),
        "note": _COMMON["note"],
    },
    EventKind.CONSISTENCY: {
        "checked": Field("records that were compared", _whole, required=True),
        "mismatched": Field("of those, records that are missing or differ", _whole, required=True),
        **_COMMON,
    },
    EventKind.LAG: {"seconds": Field("how far the copy is behind", _positive, required=True), **_COMMON},
    **dict.fromkeys(BROUGHT, _FIGURE),
}
"""What each kind of event has to say."""


def read_kind(text: str) -> EventKind:
    """The kind of this name. Raises EventInvalid with the nearest one."""
    kinds = [kind.value for kind in EventKind]
    if text in kinds:
        return EventKind(text)
    near = get_close_matches(text[:40], kinds, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(kinds)}"
    raise EventInvalid([("kind", f"unknown kind {text[:40]!r}: {hint}")])


def read_event(
    kind: str,
    fields: Mapping[str, str],
    *,
    id_: str,
    at: str | Instant,
    actor: str,
    now: Instant,
) -> Event:
    """An event in texts. Raises EventInvalid with all problems at once."""
    known = read_kind(kind)
    problems = _problems(known, fields)
    happened = at if isinstance(at, int) else _instant(at, problems)
    if happened is not None and not now - FARTHEST <= happened <= now + AHEAD:
        when = "in the future" if happened > now else "too long ago"
        problems.append(("at", f"{format_instant(_shown(happened))} is {when}"))
    if not 0 < len(id_) <= LONGEST_ID or not id_.isprintable():
        problems.append(("id", f"an id has 1 to {LONGEST_ID} printable characters"))
    if problems or happened is None:
        raise EventInvalid(problems)
    given = tuple(sorted((name, text) for name, text in fields.items() if text))
    return Event(id=id_, kind=known, at=happened, recorded_at=now, actor=actor, fields=given)


def exact(text: str) -> Fraction:
    """A number as it is written in events. Raises ValueError for anything else."""
    problem = _number(text)
    if problem:
        raise ValueError(f"{text[:40]!r} is wrong: it {problem}")
    return Fraction(text)


def content_id(kind: str, at: str, fields: Mapping[str, str]) -> str:
    """An id for an event that was given none: the same event read twice has the same."""
    told = [kind, at, *(f"{name}={text}" for name, text in sorted(fields.items()) if text)]
    return "sha256:" + sha256("\x1f".join(told).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _problems(kind: EventKind, fields: Mapping[str, str]) -> list[tuple[str, str]]:
    known = FIELDS[kind]
    problems = [(name, _unknown(name, kind)) for name in fields if name not in known]
    for name, field in known.items():
        text = fields.get(name, "")
        if not text:
            if field.required:
                problems.append((name, f"a {kind.value} needs it: {field.meaning}"))
            continue
        problem = field.problem(text)
        if len(text) > LONGEST_TEXT or not text.isprintable():
            problem = f"is one line of at most {LONGEST_TEXT} printable characters"
        if problem:
            problems.append((name, f"{text[:40]!r} is wrong: it {problem}"))
    if kind is EventKind.CONSISTENCY and not problems and int(fields["mismatched"]) > int(fields["checked"]):
        problems.append(("mismatched", "more records differ than were compared"))
    return problems


def _unknown(name: str, kind: EventKind) -> str:
    near = get_close_matches(name[:40], FIELDS[kind], n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(FIELDS[kind])}"
    return f"a {kind.value} has no {name[:40]!r}: {hint}"


def _instant(text: str, problems: list[tuple[str, str]]) -> Instant | None:
    try:
        return parse_instant(text)
    except (ValueError, OverflowError):
        problems.append(("at", f"{text[:40]!r} is no instant with its offset, such as 2026-11-22T12:00:00Z"))
        return None


def _shown(at: Instant) -> Instant:
    """Within what a calendar can say."""
    return min(max(at, 0), 4_102_444_800_000)
