"""What the store remembers, as JSON. Secrets are named in it, never held."""

from collections.abc import Sequence

from figwatch_agent.durations import format_instant
from figwatch_agent.errors import StoreError
from figwatch_agent.model.audit import AuditHead, AuditLine, AuditNote
from figwatch_agent.model.journal import Delivery, RollbackRecord, StepEntry
from figwatch_agent.model.outcome import Transition
from figwatch_agent.model.plan import Call, ExecCall, Step


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


def audit_document(head: AuditHead, lines: Sequence[AuditLine]) -> dict[str, object]:
    """Lines of the audit as JSON, newest first. Raises StoreError where one was changed beyond reading."""
    return {
        "version": 1,
        "head": {"sequence": head.sequence, "hash": head.hash},
        "lines": [audit_line_document(line) for line in lines],
    }


def audit_line_document(line: AuditLine) -> dict[str, object]:
    """One line of the audit as JSON. Raises StoreError where it was changed beyond reading."""
    note = _note(line)
    return {
        "sequence": line.sequence,
        "at": format_instant(note.at),
        "kind": note.kind,
        "actor": note.actor or None,
        "user": note.user or None,
        "origin": note.origin,
        "subject": note.subject or None,
        "why": note.why or None,
        "until": None if note.until is None else format_instant(note.until),
        "plan_digest": note.plan_digest,
        "command": note.command or None,
        "count": note.count,
        "previous": line.previous,
        "hash": line.hash,
    }


def _note(line: AuditLine) -> AuditNote:
    try:
        return line.note
    except (ValueError, KeyError, TypeError):
        problem = f"line {line.sequence} of the audit cannot be read: see `figwatch audit verify`"
        raise StoreError(problem) from None


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
    return {
        "step": entry.step,
        "state": entry.state.value,
        "attempt": entry.attempt,
        "at": format_instant(entry.at),
        "detail": entry.detail,
    }
