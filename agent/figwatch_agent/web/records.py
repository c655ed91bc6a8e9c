"""What the store remembers: rollbacks, deliveries, transitions. Secrets are named in it, never held."""

from aiohttp import web

from figwatch_agent.durations import Instant, format_instant
from figwatch_agent.model.journal import Delivery, RollbackRecord, StepEntry
from figwatch_agent.model.outcome import Transition
from figwatch_agent.model.plan import Call, ExecCall, Step
from figwatch_agent.web.answers import errors, json_answer
from figwatch_agent.web.deps import Deps

MOST = 1000
"""Rows of one answer."""


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
        wanted = request.match_info["id"]
        for record in await self._deps.journal.rollbacks(MOST):
            if wanted in (record.intent.id, record.intent.incident):
                return json_answer({"version": 1, "rollback": rollback_document(record)})
        return errors(404, [f"there is no rollback {wanted!r}, and none of an incident of that id"])

    async def deliveries(self, request: web.Request) -> web.Response:
        """Outbox rows with their state; ``?incident=`` for those of one incident."""
        rows = await self._deps.outbox.deliveries(request.query.get("incident"), _limit(request, 200))
        return json_answer({"version": 1, "deliveries": [delivery_document(row) for row in rows]})

    async def transitions(self, request: web.Request) -> web.Response:
        """What happened."""
        happened = await self._deps.history(_limit(request, 500))
        return json_answer({"version": 1, "transitions": [transition_document(one) for one in happened]})


def rollback_document(record: RollbackRecord) -> dict[str, object]:
    """A rollback as JSON; of each call what it asks for, without headers, environment and input."""
    intent, plan = record.intent, record.intent.plan
    return {
        "id": intent.id,
        "incident": intent.incident,
        "route": intent.route,
        "plan": plan.name,
        "data": plan.data.value,
        "data_loss": plan.data_loss,
        "state": record.state.value,
        "decided_at": format_instant(intent.decided_at),
        "valid_until": format_instant(intent.valid_until),
        "gateway": intent.gateway,
        "steps": [step_document(step) for step in plan.steps],
        "journal": [_entry(entry) for entry in record.entries],
    }


def delivery_document(delivery: Delivery) -> dict[str, object]:
    """An outbox row as JSON."""
    row = delivery.row
    return {
        "id": row.id,
        "receiver": row.receiver,
        "original_receiver": delivery.original_receiver or None,
        "incident": row.incident,
        "kind": row.page.kind.value,
        "severity": row.page.severity.value,
        "headline": row.page.headline,
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "reason": delivery.reason or None,
        "message_id": delivery.message_id or None,
        "ambiguous": delivery.ambiguous,
        "created_at": format_instant(delivery.created_at),
        "next_at": None if delivery.state.final else format_instant(delivery.next_at),
    }


def transition_document(transition: Transition) -> dict[str, object]:
    """A stored fact as JSON."""
    return {
        "at": format_instant(transition.at),
        "kind": transition.kind.value,
        "subject": transition.subject,
        "text": transition.text,
        "actor": transition.actor or None,
        "data": dict(transition.data),
    }


def step_document(step: Step) -> dict[str, object]:
    """A step of a plan as JSON."""
    return {
        "id": step.id,
        "repeat": step.repeat.value,
        "deadline_seconds": step.deadline / 1000,
        "call": _call(step.call),
        "compensation": None if step.compensation is None else _call(step.compensation),
    }


def _call(call: Call) -> str:
    return f"run {call.argv[0]}" if isinstance(call, ExecCall) else f"{call.method} {_without_query(call.url)}"


def _without_query(url: str) -> str:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path.partition('?')[0]}"


def _entry(entry: StepEntry) -> dict[str, object]:
    at: Instant = entry.at
    return {
        "step": entry.step,
        "state": entry.state.value,
        "attempt": entry.attempt,
        "at": format_instant(at),
        "detail": entry.detail,
    }


def _limit(request: web.Request, usual: int) -> int:
    given = request.query.get("limit", str(usual))
    return min(int(given), MOST) if given.isascii() and given.isdigit() and len(given) < 10 and int(given) else usual
