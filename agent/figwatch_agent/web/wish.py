"""From a request's body to a Command, or everything that is wrong with it."""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from figwatch_agent.durations import DAY, Instant, parse_duration, parse_instant
from figwatch_agent.model.command import CommandKind
from figwatch_agent.model.exclusion import problems_of

MEMBERS: Final = ("kind", "subject", "why", "until", "for", "plan_digest", "data")
LONGEST: Final[Mapping[str, int]] = {
    "kind": 40,
    "subject": 1000,
    "why": 2000,
    "until": 40,
    "for": 40,
    "plan_digest": 100,
}
"""Characters."""
MOST_DATA: Final = 100
LONGEST_DATA: Final = 4000
LONGEST_SILENCE: Final = 30 * DAY
"""A silence beyond this is a way to forget an alert."""
NEEDS_WHY: Final = frozenset({CommandKind.SILENCE, CommandKind.RESOLVE, CommandKind.EXCLUDE})


class BadWish(Exception):
    """The body is no command; ``problems`` names everything that is wrong with it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A command before it has an id and somebody who wishes it."""

    kind: CommandKind
    subject: str
    why: str
    until: Instant | None
    plan_digest: str | None
    data: tuple[tuple[str, str], ...]


def read_wish(body: bytes, now: Instant) -> Wish:
    """The wish in a JSON body; ``for`` counts from ``now``. Raises BadWish with all problems at once."""
    members = members_of(body)
    problems = [_unknown(name) for name in members if name not in MEMBERS]
    texts = {name: _text(members, name, problems) for name in LONGEST}
    kind = _kind(texts["kind"], problems)
    until = _until(texts["until"], texts["for"], now, problems)
    data = _data(members.get("data"), problems)
    problems += _lacking(kind, texts, until)
    problems += problems_of(dict(data), now) if kind is CommandKind.EXCLUDE else []
    if problems or kind is None:
        raise BadWish(problems)
    return Wish(
        kind=kind,
        subject=texts["subject"] or "",
        why=texts["why"] or "",
        until=until,
        plan_digest=texts["plan_digest"],
        data=data,
    )


def members_of(body: bytes) -> dict[str, object]:
    """The members of a JSON object. Raises BadWish for anything else."""
    try:
        found: object = json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise BadWish(["the body is nested too deeply"]) from None
    except ValueError as error:
        raise BadWish([f"the body is not JSON in UTF-8: {error}"]) from None
    if not isinstance(found, dict):
        raise BadWish(['the body is a JSON object such as {"kind": "acknowledge", "subject": "INCIDENT"}'])
    return found


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member is given twice")
    return members


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not a number in JSON")


def _unknown(name: str) -> str:
    near = get_close_matches(name[:40], MEMBERS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(MEMBERS)}"
    return f"unknown member {name[:40]!r}: {hint}"


def _text(members: Mapping[str, object], name: str, problems: list[str]) -> str | None:
    value = members.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        problems.append(f"{name} is a text, not {_named(value)}")
    elif len(value) > LONGEST[name]:
        problems.append(f"{name} has {len(value)} characters; at most {LONGEST[name]} are taken")
    elif not _clean(value):
        problems.append(f"{name} holds control characters or half a character; write plain text in one line")
    else:
        return value.strip() or None
    return None


def _clean(text: str) -> bool:
    """No control characters, which would let one wish look like two in a log, and nothing that UTF-8 cannot hold."""
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)


def _named(value: object) -> str:
    names: dict[type, str] = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "an object",
    }
    return names.get(type(value), "that")


def _kind(text: str | None, problems: list[str]) -> CommandKind | None:
    kinds = [kind.value for kind in CommandKind]
    if text in kinds:
        return CommandKind(text)
    near = get_close_matches(text or "", kinds, n=1)
    hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(kinds)}"
    problems.append(f"kind is missing or cannot be read: {hint}" if text is None else f"unknown kind {text!r}: {hint}")
    return None


def _until(until: str | None, lasting: str | None, now: Instant, problems: list[str]) -> Instant | None:
    if until is not None and lasting is not None:
        problems.append("give until or for, not both")
        return None
    try:
        at = (
            parse_instant(until)
            if until is not None
            else now + parse_duration(lasting)
            if lasting is not None
            else None
        )
    except (ValueError, OverflowError) as error:
        problems.append(f"{'until' if until is not None else 'for'}: {error}")
        return None
    if at is not None and not now < at <= now + LONGEST_SILENCE:
        problems.append("the end lies in the future and at most 30 days away")
    return at


def _data(given: object, problems: list[str]) -> tuple[tuple[str, str], ...]:
    if given is None:
        return ()
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        problems.append("data is an object whose values are texts")
        return ()
    if len(given) > MOST_DATA:
        problems.append(f"data has {len(given)} members; at most {MOST_DATA} are taken")
    for name, value in given.items():
        if len(name) + len(value) > LONGEST_DATA or not _clean(name) or not _clean(value.replace("\n", " ")):
            problems.append(f"data: {name[:40]!r} is longer than {LONGEST_DATA} characters or not plain text")
    return tuple(sorted(given.items()))


def _lacking(kind: CommandKind | None, texts: Mapping[str, str | None], until: Instant | None) -> list[str]:
    lacking = [] if texts["subject"] else ["subject is missing: what the wish is about"]
    if kind in NEEDS_WHY and not texts["why"]:
        lacking.append(f"why is missing: {kind} is remembered with its reason")
    if kind is CommandKind.SILENCE and until is None and not (texts["until"] or texts["for"]):
        lacking.append('until or for is missing: a silence ends, such as "for": "30m"')
    if kind is CommandKind.APPROVE and not texts["plan_digest"]:
        lacking.append("plan_digest is missing: approve the plan as it was read, from the incident's decision")
    return lacking
