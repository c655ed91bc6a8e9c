"""Why something pages or not as JSON, now or at an instant of the past, with what is not known for it."""

import math
from collections.abc import Sequence
from typing import Final

from figwatch_agent.durations import Instant, format_instant
from figwatch_agent.model.explanation import (
    Because,
    Evidence,
    Explanation,
    Lane,
    LeftOut,
    Recovery,
    WatchExplained,
    WindowSeen,
)
from figwatch_agent.model.history import Axis, RouteHistory
from figwatch_agent.model.incident import Incident
from figwatch_agent.model.outcome import Transition, TransitionKind
from figwatch_agent.model.view import Counts
from figwatch_agent.report.exclusions import exclusion_document
from figwatch_agent.report.incidents import incident_document
from figwatch_agent.report.numbers import number, seconds
from figwatch_agent.report.records import transition_document

BEFORE: Final = 20
AFTER: Final = 5
"""Happenings around an instant of the past that are told."""


def explanation_document(found: Explanation) -> dict[str, object]:
    """Everything as the last tick decided it."""
    return {
        "version": 1,
        "at": format_instant(found.at),
        "subject": found.subject,
        "kind": found.kind,
        "mode": found.mode.value,
        "routes": [
            {
                "route": route.route,
                "service": route.service,
                "stage": route.stage.value,
                "plan": route.plan,
                "latched": route.latched,
            }
            for route in found.routes
        ],
        "watches": [_watch(watch) for watch in found.watches],
        "incidents": [incident_document(incident) for incident in found.incidents],
        "silences": [
            {"subject": each.subject, "until": format_instant(each.until), "actor": each.actor, "why": each.why}
            for each in found.silences
        ],
        "exclusions": [exclusion_document(each, found.at) for each in found.exclusions],
        "past": None,
    }


def past_document(
    found: Explanation, at: Instant, transitions: Sequence[Transition], histories: Sequence[RouteHistory]
) -> dict[str, object]:
    """The same for an instant of the past: what was stored then. Watches are left out, for their state is not kept.

    ``transitions`` may hold those of others, newest first.
    """
    names = {each.route for each in found.routes} | {found.subject}
    for incident in found.incidents:
        names |= {incident.id, incident.route, *(alert.id for alert in incident.alerts)}
    mine = sorted((each for each in reversed(transitions) if each.subject in names), key=lambda each: each.at)
    then = [each for each in mine if each.at <= at]
    open_then = [each for each in found.incidents if each.detected_at <= at and _lasts(each.resolved_at, at)]
    return explanation_document(found) | {
        "watches": [],
        "incidents": [incident_document(each) for each in open_then],
        "silences": [],
        "exclusions": [exclusion_document(each, found.at) for each in found.exclusions if each.covers(at)],
        "past": {
            "at": format_instant(at),
            "alerts": [
                {"id": alert.id, "fired_at": format_instant(alert.fired_at), "bad": alert.bad, "total": alert.total}
                for incident in found.incidents
                for alert in incident.alerts
                if alert.fired_at <= at and _lasts(alert.resolved_at, at)
            ],
            "decisions": [_decided(incident, then) for incident in open_then],
            "counted": [each for history in histories for each in _counted(history, at)],
            "before": [transition_document(each) for each in then[-BEFORE:]],
            "after": [transition_document(each) for each in mine if each.at > at][:AFTER],
            "unknown": list(_unknown(at, transitions)),
        },
    }


def _unknown(at: Instant, transitions: Sequence[Transition]) -> tuple[str, ...]:
    told = [
        "how far each window and each early lane stood at that instant is not kept: where the agent records, "
        "`figwatch replay --recorded DIR` decides every tick anew"
    ]
    if not transitions or min(each.at for each in transitions) > at:
        told.append("what happened before that instant is not kept any more, or nothing did")
    return tuple(told)


def _lasts(ended: Instant | None, at: Instant) -> bool:
    return ended is None or ended > at


def _decided(incident: Incident, then: Sequence[Transition]) -> dict[str, object]:
    """What the guard had said last about an incident."""
    said = [each for each in then if each.kind is TransitionKind.DECIDED and each.subject == incident.id]
    if not said:
        return {"incident": incident.id, "at": None, "text": None, "conditions": []}
    conditions = []
    for name, text in said[-1].data:
        holds, _, evidence = text.partition(": ")
        conditions.append({"name": name, "holds": holds, "evidence": evidence})
    return {
        "incident": incident.id,
        "at": format_instant(said[-1].at),
        "text": said[-1].text,
        "conditions": conditions,
    }


def _counted(history: RouteHistory, at: Instant) -> list[dict[str, object]]:
    """What was counted in the slot that holds the instant, by side."""
    slot = slot_of(history.axis, at)
    if slot is None:
        return []
    return [
        {
            "route": history.route,
            "side": side.side,
            "begins": format_instant(history.axis.begins(slot)),
            "ends": format_instant(history.axis.begins(slot + 1)),
            "bad": side.failed[slot],
            "total": side.judged[slot],
        }
        for side in history.sides
    ]


def slot_of(axis: Axis, at: Instant) -> int | None:
    """The slot (start, end] that holds an instant; None where none does."""
    slot = -(-(at - axis.start) // axis.step) - 1
    return slot if 0 <= slot < axis.slots else None


def _watch(watch: WatchExplained) -> dict[str, object]:
    firing = watch.firing
    return {
        "key": watch.key,
        "alert": watch.alert.value,
        "slo": watch.slo,
        "service": watch.service,
        "route": watch.route,
        "tier": watch.tier,
        "lane": watch.lane,
        "severity": watch.severity.value,
        "objective": number(watch.objective),
        "factor": number(watch.factor),
        "threshold": number(watch.threshold),
        "known": watch.known,
        "firing": None
        if firing is None
        else {"id": firing.id, "fired_at": format_instant(firing.fired_at), "certified": firing.certified},
        "because": [_because(each) for each in watch.because],
        "windows": [_window(each) for each in watch.windows],
        "evidence": None if watch.evidence is None else _evidence(watch.evidence),
        "early": None if watch.early is None else _lane(watch.early),
        "recovery": None if watch.recovery is None else _recovery(watch.recovery),
        "ignored": watch.ignored,
    }


def _because(because: Because) -> dict[str, object]:
    return {"name": because.name, "holds": because.holds.value, "evidence": because.text}


def _window(window: WindowSeen) -> dict[str, object]:
    return {
        "name": window.name,
        "seconds": seconds(window.length),
        "inside": _counts(window.inside),
        "edge": _counts(window.edge),
        "imputed": window.imputed,
        "covered_seconds": seconds(window.covered),
        "error_ratio_low": number(window.low),
        "error_ratio_high": number(window.high),
        "over": window.over.value,
        "certified": window.certified,
        "excluded": [_left_out(each) for each in window.left_out],
    }


def _left_out(left_out: LeftOut) -> dict[str, object]:
    return {
        "exclusion": left_out.exclusion,
        "who": left_out.who,
        "why": left_out.why,
        "seconds": seconds(left_out.lasted),
        "inside": _counts(left_out.inside),
        "edge": _counts(left_out.edge),
    }


def _evidence(evidence: Evidence) -> dict[str, object]:
    return {
        "counts": _counts(evidence.counts),
        "p_value": float(f"{evidence.p_value:.6g}") if math.isfinite(evidence.p_value) else None,
        "alpha": float(evidence.alpha),
        "needed": evidence.needed,
        "enough": evidence.enough,
    }


def _lane(lane: Lane) -> dict[str, object]:
    return {
        "statistic": number(lane.statistic),
        "threshold": number(lane.threshold),
        "null": number(lane.null),
        "alternative": number(lane.alternative),
    }


def _recovery(recovery: Recovery) -> dict[str, object]:
    return {
        "last_bad": None if recovery.last_bad is None else format_instant(recovery.last_bad),
        "hold_seconds": seconds(recovery.hold),
        "held": recovery.held,
        "since": _counts(recovery.since),
        "needed": recovery.needed,
        "rejected": recovery.rejected,
    }


def _counts(counts: Counts) -> dict[str, int]:
    return {"bad": counts.bad, "total": counts.total}
