"""The documents of the API as JSON Schema (2020-12, as OpenAPI 3.1 has it): every member is named and required."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from figwatch_agent.model.audit import AuditKind
from figwatch_agent.model.command import CommandKind
from figwatch_agent.model.decision import DecisionOutcome, Reason
from figwatch_agent.model.effect import DeliveryState, RollbackState
from figwatch_agent.model.event import LONGEST_ID, LONGEST_TEXT, EventKind
from figwatch_agent.model.exclusion import ExclusionState, Scope
from figwatch_agent.model.history import SPANS
from figwatch_agent.model.incident import IncidentKind, RollbackVerdict
from figwatch_agent.model.journal import StepState
from figwatch_agent.model.names import AlertName, DataPlan, Measure, Mode, Repeat, Severity, Stage, Tri, Verdict
from figwatch_agent.model.outcome import TransitionKind
from figwatch_agent.model.page import PageKind
from figwatch_agent.web.openapi_explained import explained
from figwatch_agent.web.openapi_parts import (
    BETWEEN,
    COUNT,
    COUNTS,
    DECIMAL,
    DURATION,
    FLAG,
    INSTANT,
    NUMBER,
    SHARE,
    SHARES,
    SIDES,
    TEXT,
    VERSION,
    WHOLE,
    Schema,
    many,
    maybe,
    of,
    ref,
    said,
    word,
    words,
)
from figwatch_agent.web.wish import LONGEST, LONGEST_DATA, MOST_DATA

_BRIEF = of(
    id=TEXT,
    kind=words(IncidentKind),
    route=TEXT,
    severity=words(Severity),
    open=FLAG,
    impact_start=INSTANT,
    acknowledged_by=maybe(TEXT),
    mitigated=FLAG,
    alerts=many(words(AlertName)),
    decision=maybe(words(DecisionOutcome)),
    reason=maybe(words(Reason)),
    rollback=maybe(words(RollbackState)),
)
_CONDITION = of(name=TEXT, holds=words(Tri), evidence=TEXT)
_ALERT = of(
    id=TEXT,
    name=words(AlertName),
    slo=TEXT,
    tier=TEXT,
    lane=word(("all", "service")),
    severity=words(Severity),
    fired_at=INSTANT,
    resolved_at=maybe(INSTANT),
    impact_start=INSTANT,
    certified=FLAG,
    bad=WHOLE,
    total=COUNT,
    burn_rate=maybe(NUMBER),
)
_INCIDENT = of(
    id=TEXT,
    kind=words(IncidentKind),
    service=TEXT,
    route=TEXT,
    severity=words(Severity),
    open=FLAG,
    impact_start=INSTANT,
    detected_at=INSTANT,
    paged_at=maybe(INSTANT),
    acknowledged_at=maybe(INSTANT),
    acknowledged_by=maybe(TEXT),
    mitigated_at=maybe(INSTANT),
    resolved_at=maybe(INSTANT),
    resolved_by=maybe(TEXT),
    seconds_to_mitigate=maybe(NUMBER),
    shared_with=maybe(TEXT),
    pages=COUNT,
    alerts=many(_ALERT),
    decision=maybe(
        of(
            outcome=words(DecisionOutcome),
            reason=words(Reason),
            at=INSTANT,
            plan=maybe(TEXT),
            plan_digest=maybe(TEXT),
            conditions=many(_CONDITION),
        )
    ),
    rollback=maybe(
        of(
            id=TEXT,
            plan=TEXT,
            state=words(RollbackState),
            verdict=words(RollbackVerdict),
            decided_at=INSTANT,
            done_at=maybe(INSTANT),
            verified_at=maybe(INSTANT),
            approved_by=maybe(TEXT),
            detail=TEXT,
        )
    ),
)
_SIDE = of(
    side=word(("service", "legacy")),
    over_seconds=DURATION,
    requests=COUNT,
    failed=WHOLE,
    p50_ms=maybe(BETWEEN),
    p95_ms=maybe(BETWEEN),
    p99_ms=maybe(BETWEEN),
)
_ROUTE = of(
    route=TEXT,
    service=TEXT,
    stage=words(Stage),
    plan=maybe(TEXT),
    armed=FLAG,
    served_by=word(("service", "legacy", "both", "nobody", "unknown")),
    lately=said(SIDES, "requests of the last five minutes"),
    requests=said(SIDES, "requests of the last hour"),
    legacy_ratio=maybe(DECIMAL),
    reason=maybe(TEXT),
    sides=many(_SIDE),
)
_TIER = of(
    name=TEXT,
    severity=words(Severity),
    factor=NUMBER,
    long_seconds=DURATION,
    short_seconds=DURATION,
    burn_rate_low=maybe(NUMBER),
    burn_rate_high=maybe(NUMBER),
    burn_rate_by_traffic_low=said(maybe(NUMBER), "weighted by the traffic of the SLO's period"),
    burn_rate_by_traffic_high=maybe(NUMBER),
    firing=FLAG,
)
_SLO = of(
    slo=TEXT,
    service=TEXT,
    route=TEXT,
    kind=word(("availability", "latency", "uptime", "events", "histogram", "promql")),
    objective=SHARE,
    window_seconds=DURATION,
    counts=said(COUNTS, "of the window and of the slot that its start cuts"),
    counts_at_edge=said(COUNTS, "of that slot alone: they may lie before the window"),
    excluded=said(COUNTS, "set aside by exclusions: with counts they are all that was counted in the window"),
    excluded_at_edge=COUNTS,
    excluded_seconds=said(DURATION, "of the window; neither known nor unknown"),
    totals=COUNTS,
    error_ratio=maybe(NUMBER),
    budget_remaining=maybe(NUMBER),
    budget_remaining_low=maybe(NUMBER),
    budget_remaining_high=maybe(NUMBER),
    coverage=SHARE,
    known=SHARE,
    state=word(("ok", "idle", "unknown", "excluded")),
    burn=said(word(("time", "traffic")), "what has to burn before an alert fires; traffic: both"),
    finding=maybe(TEXT),
    reason=maybe(TEXT),
    tiers=many(_TIER),
    uptime=maybe(
        of(
            up_ms=COUNT,
            down_ms=COUNT,
            unknown_ms=COUNT,
            availability=maybe(SHARE),
            lower_bound=maybe(SHARE),
            upper_bound=maybe(SHARE),
            coverage=maybe(SHARE),
            reason=maybe(TEXT),
        )
    ),
)
_CRITERION = of(
    name=TEXT,
    measure=words(Measure),
    target=TEXT,
    verdict=words(Verdict),
    value=maybe(NUMBER),
    low=maybe(NUMBER),
    high=maybe(NUMBER),
    unit=TEXT,
    coverage=maybe(SHARE),
    counts=maybe(COUNTS),
    baseline=maybe(NUMBER),
    recorded=maybe(
        of(
            value=NUMBER,
            unit=TEXT,
            count=maybe(COUNT),
            start=maybe(INSTANT),
            end=maybe(INSTANT),
            recorded_at=INSTANT,
            actor=TEXT,
        )
    ),
    query=maybe(TEXT),
    window=of(start=maybe(INSTANT), end=maybe(INSTANT)),
    figures=many(
        of(
            name=TEXT,
            value=maybe(NUMBER),
            low=maybe(NUMBER),
            high=maybe(NUMBER),
            unit=TEXT,
            coverage=maybe(SHARE),
            counts=maybe(COUNTS),
            note=maybe(TEXT),
        )
    ),
    evidence=TEXT,
    reason=maybe(TEXT),
    by=maybe({"type": "string", "format": "date"}),
    over=TEXT,
    slo=maybe(TEXT),
    route=maybe(TEXT),
)
_SILENCE = of(subject=TEXT, until=INSTANT, actor=TEXT, why=TEXT)
_EXCLUSION = of(
    id=TEXT,
    scope=words(Scope),
    name=TEXT,
    state=words(ExclusionState),
    **{"from": INSTANT},
    to=maybe(INSTANT),
    counted_from=INSTANT,
    counted_to=maybe(INSTANT),
    who=TEXT,
    why=TEXT,
    declared_at=INSTANT,
    declared_by=TEXT,
    ended_by=maybe(TEXT),
)
_FORECAST = of(
    zero_at=maybe(INSTANT),
    earliest=maybe(INSTANT),
    latest=maybe(INSTANT),
    reason=maybe(word(("too_few", "already_zero", "not_falling", "levelled_off", "too_slow"))),
    text=TEXT,
)
_AXIS = of(start=INSTANT, step_seconds=DURATION, slots=COUNT, until=INSTANT)
_BURN = of(
    slo=TEXT,
    tier=TEXT,
    severity=words(Severity),
    factor=NUMBER,
    long_seconds=DURATION,
    low=maybe(NUMBER),
    high=maybe(NUMBER),
    firing=FLAG,
)
_BUDGET = of(
    slo=TEXT,
    objective=SHARE,
    window_seconds=DURATION,
    bad=WHOLE,
    total=COUNT,
    remaining=NUMBER,
    remaining_low=maybe(NUMBER),
    remaining_high=maybe(NUMBER),
    coverage=SHARE,
    state=word(("ok", "idle", "unknown", "excluded")),
)
_ROW = of(
    **_ROUTE["properties"],
    share=maybe(SHARES),
    forecast=maybe(ref("Forecast")),
    slos=COUNT,
    budget=maybe(_BUDGET),
    burn=maybe(_BURN),
    findings=many(TEXT),
    incidents=many(ref("IncidentBrief")),
)
_PAGE = of(number=COUNT, pages=COUNT, size=COUNT, matching=COUNT, all=COUNT, query=TEXT, stage=maybe(words(Stage)))
_HEALTHY: Final[Schema] = {"type": "object", "additionalProperties": FLAG}
_ENTRY = of(step=TEXT, state=words(StepState), attempt=COUNT, at=INSTANT, detail=TEXT)
_STEP = of(id=TEXT, repeat=words(Repeat), deadline_seconds=DURATION, call=TEXT, compensation=maybe(TEXT))
_ROLLBACK = of(
    id=TEXT,
    incident=TEXT,
    route=TEXT,
    plan=TEXT,
    data=words(DataPlan),
    data_loss=maybe(TEXT),
    state=words(RollbackState),
    decided_at=INSTANT,
    valid_until=INSTANT,
    gateway=maybe(TEXT),
    steps=many(_STEP),
    journal=many(_ENTRY),
)
_HASH: Final[Schema] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}

_DELIVERY = of(
    id=TEXT,
    receiver=TEXT,
    original_receiver=maybe(TEXT),
    incident=TEXT,
    kind=words(PageKind),
    severity=words(Severity),
    headline=TEXT,
    state=words(DeliveryState),
    attempts=COUNT,
    reason=maybe(TEXT),
    ambiguous=FLAG,
    message_id=maybe(TEXT),
    created_at=INSTANT,
    next_at=maybe(INSTANT),
)
_TRANSITION = of(
    at=INSTANT,
    kind=words(TransitionKind),
    subject=TEXT,
    text=TEXT,
    actor=maybe(TEXT),
    data={"type": "object", "additionalProperties": TEXT},
)
_SIZE = of(
    at=INSTANT,
    bad=WHOLE,
    total=COUNT,
    over_seconds=DURATION,
    objective=TEXT,
    burn_rate=maybe(TEXT),
    budget_left=maybe(TEXT),
    exhausted_in_seconds=maybe(DURATION),
    legacy_share=maybe(TEXT),
    service=COUNTS,
    legacy=COUNTS,
)
_COUNTS_OVER_TIME: Final[Schema] = many(maybe(WHOLE))


_EVENT = of(
    id=TEXT,
    kind=words(EventKind),
    at=INSTANT,
    recorded_at=INSTANT,
    actor=TEXT,
    fields={"type": "object", "additionalProperties": TEXT},
)
_BASELINE = of(
    criterion=TEXT,
    measure=words(Measure),
    value=NUMBER,
    unit=TEXT,
    count=maybe(COUNT),
    start=maybe(INSTANT),
    end=maybe(INSTANT),
    recorded_at=INSTANT,
    actor=TEXT,
    why=maybe(TEXT),
)


def _tally(known: type[StrEnum]) -> Schema:
    return of(**{each.value: COUNT for each in known})


_EXCLUDED: Final[dict[str, Schema]] = {
    "from": said({"type": "string"}, "an instant with its offset, past or ahead; without it, now"),
    "to": said({"type": "string"}, "an instant after it; without it the exclusion is left open"),
    "who": said({"type": "string"}, "who answers for it; the token's name without it"),
}


def _wish() -> Schema:
    texts = {name: {"type": "string", "maxLength": longest} for name, longest in LONGEST.items()}
    usual = {name: maybe(text) for name, text in texts.items()}
    data: Schema = {
        "type": "object",
        "maxProperties": MOST_DATA,
        "additionalProperties": {"type": "string", "maxLength": LONGEST_DATA},
    }
    needs: Mapping[str, tuple[str, ...]] = {
        CommandKind.SILENCE.value: ("why",),
        CommandKind.RESOLVE.value: ("why",),
        CommandKind.APPROVE.value: ("plan_digest",),
        CommandKind.EXCLUDE.value: ("why",),
    }
    return {
        "type": "object",
        "properties": {
            **usual,
            "kind": words(CommandKind),
            "subject": {**texts["subject"], "minLength": 1, "pattern": r"\S"},
            "until": said(maybe(texts["until"]), "an instant with its offset; of a silence, or use for"),
            "for": said(maybe(texts["for"]), "a duration such as 30m"),
            "data": maybe(data),
        },
        "required": ["kind", "subject"],
        "additionalProperties": False,
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": {
                    "required": list(names),
                    "properties": {name: {**texts[name], "minLength": 1, "pattern": r"\S"} for name in names},
                },
            }
            for kind, names in needs.items()
        ]
        + [
            {
                "if": {"properties": {"kind": {"const": CommandKind.EXCLUDE.value}}, "required": ["kind"]},
                "then": {
                    "required": ["data"],
                    "properties": {
                        "data": {**data, "required": ["scope"], "properties": {"scope": words(Scope), **_EXCLUDED}}
                    },
                },
            }
        ],
    }


def _told() -> Schema:
    one: Schema = {
        "type": "object",
        "properties": {
            "kind": words(EventKind),
            "at": said({"type": "string"}, "an instant with its offset; now without it"),
            "id": {"type": "string", "maxLength": LONGEST_ID},
            "fields": {"type": "object", "additionalProperties": {"type": "string", "maxLength": LONGEST_TEXT}},
        },
        "required": ["kind"],
        "additionalProperties": False,
    }
    many_of = {"type": "array", "items": one, "minItems": 1}
    return {
        "anyOf": [
            one,
            {
                "type": "object",
                "properties": {"events": many_of},
                "required": ["events"],
                "additionalProperties": False,
            },
        ]
    }


_TAKEN_EVENTS: Final[Schema] = {
    "type": "object",
    "properties": {"taken": COUNT, "known": COUNT, "ids": many(TEXT), "ignored": TEXT},
    "required": ["taken", "known", "ids"],
    "additionalProperties": False,
}

_STAGE_TIMES = of(
    stage=TEXT,
    count=COUNT,
    open=COUNT,
    skipped=COUNT,
    mean_seconds=maybe(DURATION),
    mean_low_seconds=DURATION,
    median_seconds=maybe(DURATION),
    p90_seconds=maybe(DURATION),
    worst_seconds=DURATION,
)


def _report() -> Schema:
    shared = of(
        route=TEXT,
        service=TEXT,
        stage=maybe(words(Stage)),
        legacy=COUNT,
        total=COUNT,
        share=SHARES,
        forecast=ref("Forecast"),
    )
    history = maybe(of(axis=ref("Axis"), left=many(maybe(NUMBER))))
    return of(
        version=VERSION,
        at=INSTANT,
        started_at=INSTANT,
        migration=TEXT,
        mode=words(Mode),
        verdicts=_tally(Verdict),
        criteria=many(ref("Criterion")),
        legacy=of(
            ratio_last_hour=maybe(DECIMAL),
            axis=ref("Axis"),
            share=SHARES,
            forecast=ref("Forecast"),
            routes=many(shared),
        ),
        deadlines=many(
            of(
                criterion=TEXT,
                route=maybe(TEXT),
                by={"type": "string", "format": "date"},
                met=words(Verdict),
                zero_at=maybe(INSTANT),
                in_time=maybe(FLAG),
                text=TEXT,
            )
        ),
        budgets=many(of(**_SLO["properties"], history=history)),
        recovery=many(_STAGE_TIMES),
        incidents=many(ref("IncidentState")),
        deployments=of(
            over_seconds=DURATION,
            succeeded=COUNT,
            failed=COUNT,
            services={"type": "object", "additionalProperties": COUNT},
            newest=many(ref("Event")),
        ),
        baselines=many(_BASELINE),
        exclusions=many({"type": "object"}),
        findings=many(TEXT),
    )


SCHEMAS: Final[dict[str, Schema]] = {
    "Report": _report(),
    "Gate": of(
        version=VERSION,
        at=INSTANT,
        route=TEXT,
        stage=words(Stage),
        to=words(Stage),
        passes=words(Tri),
        conditions=many(_CONDITION),
    ),
    "Event": _EVENT,
    "Events": of(version=VERSION, events=many(ref("Event"))),
    "Baselines": of(version=VERSION, baselines=many(_BASELINE)),
    "Told": _told(),
    "TakenEvents": _TAKEN_EVENTS,
    "Errors": of(errors={"type": "array", "items": TEXT, "minItems": 1}),
    "Wish": _wish(),
    "Taken": of(id=TEXT, kind=words(CommandKind), subject=TEXT, until=maybe(INSTANT)),
    "IncidentBrief": _BRIEF,
    "IncidentState": _INCIDENT,
    "RouteState": _ROUTE,
    "Slo": _SLO,
    "Criterion": _CRITERION,
    "Silence": _SILENCE,
    "Exclusion": _EXCLUSION,
    "Exclusions": of(version=VERSION, at=INSTANT, exclusions=many(ref("Exclusion"))),
    "Forecast": _FORECAST,
    "Axis": _AXIS,
    "RouteRow": _ROW,
    "PageOfRoutes": _PAGE,
    "RollbackState": _ROLLBACK,
    "Delivery": _DELIVERY,
    "Transition": _TRANSITION,
    "Status": of(
        version=VERSION,
        at=INSTANT,
        started_at=INSTANT,
        migration=TEXT,
        mode=words(Mode),
        hold_seconds=DURATION,
        agent=of(
            sequence=COUNT,
            healthy=_HEALTHY,
            findings=many(TEXT),
            wall_clock_step_seconds=NUMBER,
            targets=many(of(target=TEXT, up=FLAG, reason=maybe(TEXT), last_answer=maybe(INSTANT))),
        ),
        legacy_ratio=maybe(DECIMAL),
        routes=many(ref("RouteState")),
        slos=many(ref("Slo")),
        incidents=many(ref("IncidentState")),
        silences=many(ref("Silence")),
        exclusions=many(ref("Exclusion")),
        criteria=many(ref("Criterion")),
    ),
    "Overview": of(
        version=VERSION,
        at=INSTANT,
        started_at=INSTANT,
        sequence=COUNT,
        migration=TEXT,
        mode=words(Mode),
        legacy_ratio=maybe(DECIMAL),
        share=SHARES,
        forecast=ref("Forecast"),
        stages=_tally(Stage),
        open=_tally(Severity),
        incidents=many(ref("IncidentBrief")),
        verdicts=_tally(Verdict),
        criteria=many(ref("Criterion")),
        silences=many(ref("Silence")),
        targets=of(up=COUNT, all=COUNT),
        findings=many(TEXT),
        axis=ref("Axis"),
        routes=many(ref("RouteRow")),
        page=ref("PageOfRoutes"),
    ),
    "Routes": of(version=VERSION, at=INSTANT, axis=ref("Axis"), routes=many(ref("RouteRow")), page=ref("PageOfRoutes")),
    "Route": of(
        version=VERSION,
        at=INSTANT,
        span=word(SPANS),
        spans=many(word(SPANS)),
        route=ref("RouteState"),
        slos=many(ref("Slo")),
        axis=ref("Axis"),
        covered_ms=many(COUNT),
        sides=many(
            of(
                side=word(("service", "legacy")),
                requests=_COUNTS_OVER_TIME,
                judged=_COUNTS_OVER_TIME,
                failed=_COUNTS_OVER_TIME,
                p95_ms=many(maybe(BETWEEN)),
            )
        ),
        budgets=many(
            of(
                slo=TEXT,
                kind=TEXT,
                objective=SHARE,
                window_seconds=DURATION,
                axis=ref("Axis"),
                bad=_COUNTS_OVER_TIME,
                total=_COUNTS_OVER_TIME,
                left=many(maybe(NUMBER)),
            )
        ),
        markers=many(of(at=INSTANT, kind=word(("deployment", "rollback", "incident", "restart")), label=TEXT)),
        incidents=many(ref("IncidentBrief")),
    ),
    "Incidents": of(version=VERSION, at=INSTANT, incidents=many(ref("IncidentState"))),
    "Incident": of(
        version=VERSION,
        at=INSTANT,
        incident=ref("IncidentState"),
        stages=many(of(stage=TEXT, at=maybe(INSTANT), by=maybe(TEXT), seconds_since_impact=maybe(DURATION))),
        age_seconds=DURATION,
        decisions=many(of(at=INSTANT, text=TEXT, conditions=many(of(name=TEXT, holds=TEXT, evidence=TEXT)))),
        size=maybe(_SIZE),
        deliveries=many(ref("Delivery")),
        rollback=maybe(ref("RollbackState")),
        runbooks=many(of(alert=words(AlertName), path=maybe(TEXT))),
        transitions=many(ref("Transition")),
    ),
    "Explained": explained(ref("IncidentState")),
    "Criteria": of(version=VERSION, at=INSTANT, criteria=many(ref("Criterion"))),
    "Rollbacks": of(version=VERSION, rollbacks=many(ref("RollbackState"))),
    "Rollback": of(version=VERSION, rollback=ref("RollbackState")),
    "Deliveries": of(version=VERSION, deliveries=many(ref("Delivery"))),
    "Audit": of(
        version=VERSION,
        head=said(of(sequence=COUNT, hash=_HASH), "the newest line; its hash is what to keep elsewhere"),
        lines=many(
            of(
                sequence=COUNT,
                at=INSTANT,
                kind=word((*CommandKind, *AuditKind)),
                actor=maybe(TEXT),
                user=maybe(TEXT),
                origin=TEXT,
                subject=maybe(TEXT),
                why=maybe(TEXT),
                until=maybe(INSTANT),
                plan_digest=maybe(TEXT),
                command=maybe(TEXT),
                count=COUNT,
                previous=_HASH,
                hash=_HASH,
            )
        ),
    ),
    "Transitions": of(version=VERSION, transitions=many(ref("Transition"))),
    "Agent": of(
        version=VERSION,
        at=INSTANT,
        agent_version=TEXT,
        started_at=INSTANT,
        uptime_seconds=DURATION,
        healthy=_HEALTHY,
        first_tick_at=maybe(INSTANT),
        newest_tick_at=maybe(INSTANT),
        sequence=maybe(COUNT),
        interval_seconds=DURATION,
        last_tick_ms=maybe(COUNT),
        mode=maybe(words(Mode)),
        kill_switch=FLAG,
        wall_clock_step_seconds=maybe(NUMBER),
        sources=many(
            of(
                target=TEXT,
                up=FLAG,
                reason=maybe(TEXT),
                last_answer=maybe(INSTANT),
                stale_seconds=maybe(DURATION),
            )
        ),
        findings=many(TEXT),
        silences=many(ref("Silence")),
        outbox=of(
            oldest_pending_at=maybe(INSTANT),
            oldest_pending_seconds=maybe(DURATION),
            queues=many(of(receiver=TEXT, state=words(DeliveryState), rows=COUNT)),
        ),
        store=of(
            path=maybe(TEXT),
            healthy=FLAG,
            bytes=maybe(COUNT),
            schema=maybe(COUNT),
            last_commit=maybe(INSTANT),
        ),
        reload=maybe(of(at=INSTANT, ok=FLAG, reason=maybe(TEXT))),
        files=many(of(path=maybe(TEXT), name=TEXT, sha256={"type": "string", "pattern": "^[0-9a-f]{64}$"})),
    ),
}
