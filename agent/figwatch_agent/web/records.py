"""What the store remembers: rollbacks, deliveries, transitions, the audit. Secrets are named in it, never held."""

from typing import Final

from aiohttp import web

from figwatch_agent.model.audit import AuditHead, AuditLine
from figwatch_agent.report.records import audit_document, delivery_document, rollback_document, transition_document
from figwatch_agent.web.answers import errors, json_answer
from figwatch_agent.web.api_query import LONGEST_ID, MOST, Query, nothing_asked
from figwatch_agent.web.deps import Deps

MOST_BETWEEN: Final = 100
"""Lines that may be written while the head is read; those are left for the next who asks."""


class Records:
    """Reads from ports; newest first, ``?limit=`` up to ``MOST``."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    async def rollbacks(self, request: web.Request) -> web.Response:
        """All rollbacks with their journal."""
        records = await self._deps.journal.rollbacks(_limit(request, 200))
        return json_answer({"version": 1, "rollbacks": [rollback_document(record) for record in records]})

    async def rollback(self, request: web.Request) -> web.Response:
        """One rollback, by its own id or its incident's."""
        nothing_asked(request)
        wanted = request.match_info["id"]
        for record in await self._deps.journal.rollbacks(MOST):
            if wanted in (record.intent.id, record.intent.incident):
                return json_answer({"version": 1, "rollback": rollback_document(record)})
        return errors(404, [f"there is no rollback {wanted!r}, and none of an incident of that id"])

    async def deliveries(self, request: web.Request) -> web.Response:
        """Outbox rows with their state; ``?incident=`` for those of one incident."""
        query = Query(request)
        incident, limit = query.text("incident", LONGEST_ID), query.whole("limit", 200, MOST)
        query.finish()
        rows = await self._deps.outbox.deliveries(incident, limit)
        return json_answer({"version": 1, "deliveries": [delivery_document(row) for row in rows]})

    async def transitions(self, request: web.Request) -> web.Response:
        """What happened."""
        happened = await self._deps.history(_limit(request, 500))
        return json_answer({"version": 1, "transitions": [transition_document(one) for one in happened]})

    async def audit(self, request: web.Request) -> web.Response:
        """Who asked for what, and the hash to keep elsewhere."""
        return json_answer(audit_document(*await newest_audit(self._deps, _limit(request, 200))))


async def newest_audit(deps: Deps, limit: int) -> tuple[AuditHead, tuple[AuditLine, ...]]:
    """The newest line as the state says, and the newest lines up to it."""
    head = await deps.audit.audit_head()
    lines = await deps.audit.audit_lines(limit + MOST_BETWEEN)
    return head, tuple(line for line in lines if line.sequence <= head.sequence)[:limit]


def _limit(request: web.Request, usual: int) -> int:
    query = Query(request)
    limit = query.whole("limit", usual, MOST)
    query.finish()
    return limit
