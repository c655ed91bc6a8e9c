"""Model values for tests: each builder gives a whole, plausible value; a test names only what it is about.

What a builder does not take is changed with ``dataclasses.replace``.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from figwatch_agent.durations import HOUR, MINUTE, SECOND, Instant
from figwatch_agent.model.audit import AuditKind, AuditNote
from figwatch_agent.model.baseline import RecordedBaseline
from figwatch_agent.model.command import Command, CommandKind
from figwatch_agent.model.decision import Condition, Decision, DecisionOutcome, Reason
from figwatch_agent.model.effect import DeliveryEffect, DeliveryState, RollbackEffect, RollbackState
from figwatch_agent.model.event import Event, EventKind
from figwatch_agent.model.incident import Alert, Incident, IncidentKind
from figwatch_agent.model.intent import RollbackIntent
from figwatch_agent.model.journal import StepEntry, StepState
from figwatch_agent.model.names import AlertName, DataPlan, Measure, Repeat, Severity, Tri
from figwatch_agent.model.outcome import LedgerEntry, RingRow, Transition, TransitionKind
from figwatch_agent.model.page import Facts, OutboxRow, Page, PageKind
from figwatch_agent.model.plan import (
    ExecCall,
    GatewayReading,
    HttpCall,
    LegacyFitness,
    RollbackPlan,
    Step,
    Verification,
)
from figwatch_agent.model.secret import Secret

NOON: Final[Instant] = 1_795_348_800_000
"""2026-11-22T12:00:00Z: when things happen in tests."""

ROUTE: Final = "/api/v1/chat"


def an_alert(at: Instant = NOON, *, route: str = ROUTE, resolved_at: Instant | None = None) -> Alert:
    """An early outage of 30 bad of 60."""
    return Alert(
        id=f"chat-availability:{route}:early:{at}",
        name=AlertName.EARLY_OUTAGE,
        slo="chat-availability",
        route=route,
        tier="early",
        lane="service",
        severity=Severity.PAGE,
        fired_at=at,
        impact_start=at - 3 * SECOND,
        certified=True,
        bad=30,
        total=60,
        burn_rate=Fraction(500),
        resolved_at=resolved_at,
    )


def a_decision(at: Instant = NOON, outcome: DecisionOutcome = DecisionOutcome.ROLLBACK) -> Decision:
    """A guard that lets a rollback pass."""
    return Decision(
        at=at,
        outcome=outcome,
        reason=Reason.CONDITIONS_HOLD,
        conditions=(
            Condition(name="page_tier", holds=Tri.YES, evidence="early fires: 30 of 60 failed"),
            Condition(name="legacy_fit", holds=Tri.UNKNOWN, evidence="not probed", reason=Reason.LEGACY_UNKNOWN),
        ),
        plan="chat-to-legacy",
        plan_digest="5f2c",
    )


def an_audit_note(at: Instant = NOON, *, subject: str = "operate") -> AuditNote:
    """Somebody signed in."""
    return AuditNote(at=at, kind=AuditKind.SIGN_IN, actor="team", origin="page 127.0.0.1", subject=subject)


def an_incident(
    id: str = "incident-1",
    *,
    at: Instant = NOON,
    route: str = ROUTE,
    resolved_at: Instant | None = None,
    pages: int = 0,
) -> Incident:
    """A route that fails, detected at ``at``; resolved where an instant is given."""
    return Incident(
        id=id,
        kind=IncidentKind.ROUTE,
        migration="ai-assistant",
        service="chat",
        route=route,
        severity=Severity.PAGE,
        impact_start=at - 3 * SECOND,
        detected_at=at,
        alerts=(an_alert(at, route=route, resolved_at=resolved_at),),
        mitigated_at=resolved_at,
        resolved_at=resolved_at,
        decision=a_decision(at),
        pages=pages,
        last_bad=at,
    )


def a_page(
    kind: PageKind = PageKind.TRIGGER, *, incident: Incident | None = None, at: Instant = NOON, action: str = ""
) -> Page:
    """What is said about an incident, with numbers."""
    about = incident if incident is not None else an_incident(at=at)
    return Page(
        kind=kind,
        headline=f"{about.route} fails: 30 of 60 requests in the last minute",
        incident=about,
        group=about.id,
        severity=about.severity,
        at=at,
        facts=Facts(
            bad=30,
            total=60,
            over=MINUTE,
            objective="99.9%",
            burn_rate="500",
            budget_left="91.4%",
            exhausted_in=HOUR,
            legacy_share="20%",
            service_bad=30,
            service_total=48,
            legacy_bad=0,
            legacy_total=12,
        ),
        action=action or "figwatch sends the route back to legacy now.",
        runbook_url="https://runbooks.example.com/EarlyOutage",
        status_url=None,
    )


def a_row(
    id: str = "incident-1/1/oncall",
    *,
    incident: str = "incident-1",
    receiver: str = "oncall",
    kind: PageKind = PageKind.TRIGGER,
    at: Instant = NOON,
) -> OutboxRow:
    """A page for one receiver."""
    return OutboxRow(
        id=id, receiver=receiver, incident=incident, page=a_page(kind, incident=an_incident(incident, at=at), at=at)
    )


def a_plan(
    name: str = "chat-to-legacy", *, repeats: tuple[Repeat, ...] = (Repeat.IDEMPOTENT, Repeat.ONCE)
) -> RollbackPlan:
    """A plan with one step per repeat value, named step-1, step-2, ...; the odd ones are HTTP, the even ones exec."""
    return RollbackPlan(
        name=name,
        data=DataPlan.DUAL_WRITE,
        legacy=LegacyFitness(
            probe=HttpCall(method="GET", url="http://127.0.0.1:8100/healthz"), capacity_per_second=200
        ),
        gateway=GatewayReading(read=HttpCall(method="GET", url="http://127.0.0.1:8080/routes"), fields=("to",)),
        steps=tuple(_step(number, repeat) for number, repeat in enumerate(repeats, start=1)),
        verify=Verification(slo="chat-availability", within=2 * MINUTE),
    )


def an_intent(id: str = "incident-1/rollback", *, incident: str = "incident-1", at: Instant = NOON) -> RollbackIntent:
    """A rollback that was decided."""
    return RollbackIntent(
        id=id,
        incident=incident,
        route=ROUTE,
        plan=a_plan(),
        decided_at=at,
        valid_until=at + MINUTE,
        gateway='{"to":"service"}',
    )


def a_step_entry(
    rollback: str = "incident-1/rollback",
    step: str = "step-1",
    state: StepState = StepState.INTENDED,
    *,
    attempt: int = 1,
    at: Instant = NOON,
) -> StepEntry:
    """One line of a rollback's journal."""
    return StepEntry(
        rollback=rollback,
        step=step,
        state=state,
        attempt=attempt,
        at=at,
        key=f"{rollback}/{step}",
        detail="200 in 3 ms",
    )


def a_rollback_effect(
    state: RollbackState = RollbackState.RUNNING,
    *,
    rollback: str = "incident-1/rollback",
    incident: str = "incident-1",
    step: str | None = None,
    at: Instant = NOON,
) -> RollbackEffect:
    """A change of a rollback's state; its id comes from rollback, step and state."""
    return RollbackEffect(
        id=f"{rollback}/{step or 'whole'}/{state}", at=at, rollback=rollback, incident=incident, state=state, step=step
    )


def a_delivery_effect(
    row: str = "incident-1/1/oncall",
    state: DeliveryState = DeliveryState.ACCEPTED,
    *,
    incident: str = "incident-1",
    receiver: str = "oncall",
    kind: PageKind = PageKind.TRIGGER,
    at: Instant = NOON,
    reason: str = "",
) -> DeliveryEffect:
    """The end of an outbox row at a receiver; its id comes from row, receiver and state."""
    return DeliveryEffect(
        id=f"{row}/{receiver}/{state}",
        at=at,
        row=row,
        incident=incident,
        receiver=receiver,
        kind=kind.value,
        state=state,
        attempts=1,
        reason=reason,
    )


def a_command(
    id: str = "command-1",
    kind: CommandKind = CommandKind.ACKNOWLEDGE,
    *,
    subject: str = "incident-1",
    at: Instant = NOON,
) -> Command:
    """A wish of an operator."""
    return Command(
        id=id,
        kind=kind,
        at=at,
        actor="operator@workstation",
        origin="cli",
        subject=subject,
        why="looking into it",
        data=(("note", "ünïcode & <b>"),),
    )


def an_event(id: str = "d1", kind: EventKind = EventKind.DEPLOYMENT, *, at: Instant = NOON, **fields: str) -> Event:
    """A deployment of the chat service, or another thing that was told."""
    given = fields or {"service": "chat", "version": "1.2"}
    return Event(id=id, kind=kind, at=at, recorded_at=at + SECOND, actor="ann", fields=tuple(sorted(given.items())))


def a_baseline(criterion: str = "deployments", value: Fraction = Fraction(12, 30)) -> RecordedBaseline:
    """Twelve deployments in thirty days."""
    return RecordedBaseline(
        criterion=criterion,
        measure=Measure.DEPLOYMENT_FREQUENCY,
        value=value,
        unit="per_day",
        count=12,
        start=NOON - 720 * HOUR,
        end=NOON,
        recorded_at=NOON,
        actor="ann",
    )


def a_transition(
    text: str = "it happened",
    *,
    at: Instant = NOON,
    kind: TransitionKind = TransitionKind.FINDING,
    subject: str = ROUTE,
) -> Transition:
    """A stored fact."""
    return Transition(at=at, kind=kind, subject=subject, text=text, data=(("figure", "30 of 60"),))


def a_ledger_entry(
    bad: int = 1,
    total: int = 10,
    *,
    interval: Instant = NOON,
    slo: str = "chat-availability",
    route: str = ROUTE,
    side: str = "service",
    incident: str = "",
) -> LedgerEntry:
    """Budget spent in one cell."""
    return LedgerEntry(interval=interval, slo=slo, route=route, side=side, incident=incident, bad=bad, total=total)


def a_ring_row(
    slot: int = 0, data: bytes = b"\x00\x01\xff", *, ring: str = "events", level: int = 0, boundary: Instant = NOON
) -> RingRow:
    """One boundary of a ring level."""
    return RingRow(ring=ring, level=level, slot=slot, boundary=boundary, data=data)


def _step(number: int, repeat: Repeat) -> Step:
    odd = number % 2 == 1
    return Step(
        id=f"step-{number}",
        repeat=repeat,
        call=HttpCall(
            method="POST",
            url="http://127.0.0.1:8080/routes",
            json='{"to":"legacy"}',
            headers=(("Authorization", Secret(env="GATEWAY_TOKEN")), ("X-Reason", "rollback")),
        )
        if odd
        else ExecCall(argv=("/usr/local/bin/drain", "--now"), environment=(("TOKEN", Secret(file="/run/token")),)),
        deadline=10 * SECOND,
    )
