"""Events by the API: told in JSON, one or many, taken all or not at all."""

from typing import Any, Final

from aiohttp import web

from figwatch_agent.durations import format_instant
from figwatch_agent.model.baseline import RecordedBaseline
from figwatch_agent.model.event import LONGEST_ID, Event, EventInvalid, EventKind, content_id, read_event
from figwatch_agent.model.telling import command_of
from figwatch_agent.report.told import baseline_document, event_document
from figwatch_agent.web.answers import errors, json_answer
from figwatch_agent.web.api_query import MOST, Query, nothing_asked
from figwatch_agent.web.deps import Deps
from figwatch_agent.web.who import visitor
from figwatch_agent.web.wish import BadWish, members_of

MOST_EVENTS: Final = 500
"""Of one request."""

_MEMBERS: Final = ("kind", "at", "id", "fields")
_KINDS: Final = {kind.value: kind for kind in EventKind}


class Events:
    """GET and POST /api/v1/events, GET /api/v1/baselines."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    async def told(self, request: web.Request) -> web.Response:
        """What was told, newest first; ``?kind=`` for one kind."""
        query = Query(request)
        kind, limit = query.word("kind", _KINDS), query.whole("limit", 200, MOST)
        query.finish()
        found: tuple[Event, ...] = () if self._deps.told is None else await self._deps.told.events(kind, limit)
        return json_answer({"version": 1, "events": [event_document(event) for event in found]})

    async def baselines(self, request: web.Request) -> web.Response:
        """What criteria are compared with."""
        nothing_asked(request)
        found: tuple[RecordedBaseline, ...] = () if self._deps.told is None else await self._deps.told.baselines()
        return json_answer({"version": 1, "baselines": [baseline_document(baseline) for baseline in found]})

    async def take(self, request: web.Request) -> web.Response:
        """202 once all are durable; those that are known already are counted and change nothing."""
        try:
            events = self._read(members_of(await request.read()))
        except BadWish as bad:
            return errors(400, bad.problems)
        return await keep(self._deps, events, f"api {visitor().address}")

    def _read(self, members: dict[str, object]) -> list[Event]:
        """Raises BadWish with everything that is wrong with any of them."""
        many = members.get("events", [members])
        if not isinstance(many, list) or not 0 < len(many) <= MOST_EVENTS or ("events" in members and len(members) > 1):
            raise BadWish([f'the body is one event, or {{"events": [...]}} with 1 to {MOST_EVENTS} of them'])
        events: list[Event] = []
        problems: list[str] = []
        for place, one in enumerate(many):
            before = f"events[{place}]: " if "events" in members else ""
            try:
                events.append(self._event(one))
            except EventInvalid as error:
                problems += [
                    f"{before}{field}: {problem}" if field else f"{before}{problem}"
                    for field, problem in error.problems
                ]
        if problems:
            raise BadWish(problems)
        return events

    def _event(self, one: Any) -> Event:
        if not isinstance(one, dict):
            raise EventInvalid(
                [("", 'an event is an object such as {"kind": "deployment", "fields": {"service": "chat"}}')]
            )
        problems = [(str(name)[:40], f"there are {', '.join(_MEMBERS)}") for name in one if name not in _MEMBERS]
        problems += [(name, "is a text") for name in ("kind", "at", "id") if not isinstance(one.get(name, ""), str)]
        fields = one.get("fields", {})
        if not isinstance(fields, dict) or not all(isinstance(text, str) for text in fields.values()):
            problems.append(("fields", "is an object whose values are texts"))
        if problems:
            raise EventInvalid(problems)
        now, kind = self._deps.clock.now(), one.get("kind", "")
        at = one.get("at") or format_instant(now)
        # Without an id, the same event told twice with its time is one; without a time, each is an event of its own.
        id_ = one.get("id") or (content_id(kind, at, fields) if one.get("at") else self._deps.new_id())
        return read_event(kind, fields, id_=id_[: LONGEST_ID + 1], at=at, actor=visitor().name, now=now)


async def keep(deps: Deps, events: list[Event], origin: str) -> web.Response:
    """202: how many were taken, and how many of them were known."""
    now = deps.clock.now()
    commands = [command_of(event, origin=origin, taken_at=now) for event in events]
    taken = await deps.inbox.put_all(commands)
    return json_answer(
        {"taken": len(taken), "known": len(commands) - len(taken), "ids": [event.id for event in events]}, 202
    )
