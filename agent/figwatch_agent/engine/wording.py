"""The two sentences that every page carries: its first line, and what figwatch does or why it does not."""

from fractions import Fraction
from typing import Final

from figwatch_agent.durations import format_seconds
from figwatch_agent.engine.verifying import VERDICTS
from figwatch_agent.model.decision import Decision, DecisionOutcome, Reason
from figwatch_agent.model.effect import RollbackState
from figwatch_agent.model.incident import Incident, IncidentKind, RollbackRun, RollbackVerdict
from figwatch_agent.model.names import Severity
from figwatch_agent.model.page import Facts, PageKind
from figwatch_agent.model.sentences import OPEN, SYMPTOM, WHY

RUNNING: Final[dict[RollbackState, str]] = {
    RollbackState.COMMITTED: "sending it back to legacy",
    RollbackState.RUNNING: "sending it back to legacy",
    RollbackState.DONE: "sent back to legacy, finding out whether that helps",
    RollbackState.COMPENSATED: "the rollback failed and was undone: a person is needed",
    RollbackState.FAILED: "the rollback failed half-way: a person is needed",
    RollbackState.NEEDS_HUMAN: "the rollback stopped half-way: a person is needed",
    RollbackState.EXPIRED: "the rollback was not begun in time: a person is needed",
    RollbackState.ABANDONED: "the rollback was called off: a person is needed",
}
"""What is said of a rollback that has begun, or was to begin."""


def headline(kind: PageKind, incident: Incident, facts: Facts | None, slow: bool) -> str:
    """Route, symptom, size, and what figwatch does, in this order; ``slow``: requests count as bad by their latency."""
    name = incident.route
    if kind is PageKind.RESOLVE:
        return f"{name}: {_over(incident)}"
    if incident.kind is not IncidentKind.ROUTE:
        return f"{name}: {SYMPTOM[incident.alerts[-1].name]}"
    doing = _doing(incident)
    if facts is None or not facts.total:
        return f"{name}: {SYMPTOM[incident.alerts[0].name]}; {doing}"
    if incident.rollback is not None and incident.rollback.verdict is RollbackVerdict.HELPED:
        past = "failed or were too slow" if slow else "failed"
        return f"{name}: {doing}; {facts.bad:,} of {facts.total:,} requests {past} in {format_seconds(facts.over)}"
    verb = "fail or are too slow" if slow else "fail"
    share = percent_short(Fraction(facts.bad, facts.total))
    size = f"{share} of requests {verb} ({facts.bad:,} of {facts.total:,} in {format_seconds(facts.over)})"
    return f"{name}: {size}; {doing}"


def action(incident: Incident) -> str:
    """What figwatch does or withholds, and why."""
    run, decision = incident.rollback, incident.decision
    if run is not None:
        detail = f" ({run.detail})" if run.detail else ""
        return f"Rollback by plan {run.plan}: {_ran(run)}{detail}.{_afterwards(incident, run)}"
    if not incident.open:
        return "Nothing more."
    if decision is None:
        return "figwatch does nothing by itself here."
    if decision.outcome is DecisionOutcome.WITHHELD:
        return _withheld(decision)
    if decision.outcome is DecisionOutcome.AWAITING_APPROVAL:
        return f"Every condition holds. Approve with: figwatch rollback approve {incident.id}"
    if decision.outcome is DecisionOutcome.DRY_RUN:
        return f"Every condition holds; the mode is dry-run, so plan {decision.plan} is not carried out."
    return f"Every condition holds: plan {decision.plan} sends the route back to legacy now."


def percent_short(ratio: Fraction) -> str:
    """For a headline: ``48%``, ``0.3%``."""
    value = float(ratio * 100)
    return f"{value:.0f}%" if value >= 10 else f"{value:.1f}%"


def _over(incident: Incident) -> str:
    ended = incident.mitigated_at if incident.mitigated_at is not None else incident.detected_at
    lasted = format_seconds(max(ended - incident.impact_start, 0))
    if incident.kind is not IncidentKind.ROUTE:
        return f"over after {lasted}"
    run = incident.rollback
    helped = "; the rollback helped" if run is not None and run.verdict is RollbackVerdict.HELPED else ""
    return f"over, users were affected for {lasted}{helped}"


def _doing(incident: Incident) -> str:
    run, decision = incident.rollback, incident.decision
    if run is not None:
        return _ran(run)
    if decision is None:
        return "a ticket, nothing is rolled back" if incident.severity is Severity.TICKET else "nothing is rolled back"
    if decision.outcome is DecisionOutcome.WITHHELD:
        return _refusal(decision.reason)
    return DOING[decision.outcome]


DOING: Final[dict[DecisionOutcome, str]] = {
    DecisionOutcome.ROLLBACK: "sending it back to legacy",
    DecisionOutcome.DRY_RUN: "dry run: would send it back to legacy",
    DecisionOutcome.AWAITING_APPROVAL: "a rollback awaits your approval",
}
"""What is said of a decision before anything has come of it; one that withholds says why."""


def _ran(run: RollbackRun) -> str:
    if run.verdict is RollbackVerdict.PENDING:
        return RUNNING[run.state]
    needed = "" if run.verdict is RollbackVerdict.HELPED else ": a person is needed"
    return f"the rollback {VERDICTS[run.verdict]}{needed}"


def _afterwards(incident: Incident, run: RollbackRun) -> str:
    if incident.open or run.verdict is not RollbackVerdict.HELPED:
        return ""
    return f" The route stays on legacy. Once it may be moved on: figwatch rollback re-arm {incident.route}"


def _refusal(reason: Reason) -> str:
    """An open question must not read like a refusal: whoever was woken waits a moment before doing it by hand."""
    if reason in OPEN:
        return f"no rollback yet: {WHY[reason]}, the decision follows"
    return f"no rollback: {WHY[reason]}"


def _withheld(decision: Decision) -> str:
    said = _refusal(decision.reason)
    told = f"{said[0].upper()}{said[1:]}."
    broken = next((condition for condition in decision.conditions if condition.reason is decision.reason), None)
    return told if broken is None else f"{told} Seen: {broken.evidence}."
