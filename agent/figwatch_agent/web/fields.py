"""What a form sent, and the wish that is in it."""

import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from figwatch_agent.durations import Instant
from figwatch_agent.model.command import CommandKind
from figwatch_agent.web.wish import BadWish, Wish, read_wish

MOST_FIELDS: Final = 20

FORM: Final = "application/x-www-form-urlencoded"

KINDS: Final = {
    CommandKind.ACKNOWLEDGE.value: "Acknowledged",
    CommandKind.SILENCE.value: "Silence",
    CommandKind.RESOLVE.value: "Resolve",
    CommandKind.APPROVE.value: "Approval",
    CommandKind.REARM.value: "Re-arm",
}
"""What has a form, and how the sentence begins that says what was taken."""

_TYPED: Final[Mapping[str, tuple[str, ...]]] = {
    CommandKind.ACKNOWLEDGE.value: ("why",),
    CommandKind.SILENCE.value: ("for", "why"),
    CommandKind.RESOLVE.value: ("why",),
    CommandKind.APPROVE.value: ("plan_digest", "why"),
    CommandKind.REARM.value: ("why",),
}
"""Fields of each form that become members of the wish."""

_FIELD: Final[Mapping[str, str]] = {"why": "why", "for": "for", "until": "for", "user": "user", "data": "user"}
"""The field that a problem is about, by the word that it begins with."""

_LONGEST_USER: Final = 80


def read_fields(request: web.Request, body: bytes) -> dict[str, str]:
    """The fields of a form; the first of a name counts. HTTPUnsupportedMediaType, HTTPBadRequest for anything else."""
    if request.content_type != FORM:
        raise web.HTTPUnsupportedMediaType
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise web.HTTPBadRequest from None
    return dict(reversed(pairs))


def wish_in(kind: str, fields: Mapping[str, str], now: Instant) -> Wish:
    """The wish that a form makes. Raises BadWish with everything that is wrong, in the words of the API."""
    members: dict[str, object] = {"kind": kind, "subject": fields.get("subject", "")}
    members |= {name: fields[name] for name in _TYPED[kind] if fields.get(name)}
    user = fields.get("user", "").strip()
    if user:
        members["data"] = {"user": user}
    problems = [] if len(user) <= _LONGEST_USER else [f"user has more than {_LONGEST_USER} characters"]
    try:
        wish = read_wish(json.dumps(members).encode(), now)
    except BadWish as bad:
        raise BadWish([*problems, *bad.problems]) from None
    if problems:
        raise BadWish(problems)
    return wish


def beside(problems: list[str]) -> dict[str, tuple[str, ...]]:
    """Problems by the field that they are about; those about no field are about the form as a whole."""
    found: dict[str, tuple[str, ...]] = {}
    for problem in problems:
        word = problem.partition(" ")[0].rstrip(":")
        name = "for" if problem.startswith("the end lies") else _FIELD.get(word, "")
        found[name] = (*found.get(name, ()), problem)
    return found
