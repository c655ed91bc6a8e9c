"""Incidents, routes, promises, criteria and what else several documents of the API hold, as JSON Schema."""

from figwatch_agent.model.decision import DecisionOutcome, Reason
from figwatch_agent.model.effect import RollbackState
from figwatch_agent.model.exclusion import ExclusionState, Scope
from figwatch_agent.model.incident import IncidentKind, RollbackVerdict
from figwatch_agent.model.names import AlertName, Measure, Severity, Stage, Tri, Verdict
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
    WHOLE,
    many,
    maybe,
    of,
    ref,
    said,
    word,
    words,
)

BRIEF = of(
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

CONDITION = of(name=TEXT, holds=words(Tri), evidence=TEXT)

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

INCIDENT = of(
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
            conditions=many(CONDITION),
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

ROUTE = of(
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

SLO = of(
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

CRITERION = of(
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

SILENCE = of(subject=TEXT, until=INSTANT, actor=TEXT, why=TEXT)

EXCLUSION = of(
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

FORECAST = of(
    zero_at=maybe(INSTANT),
    earliest=maybe(INSTANT),
    latest=maybe(INSTANT),
    reason=maybe(word(("too_few", "already_zero", "not_falling", "levelled_off", "too_slow"))),
    text=TEXT,
)

AXIS = of(start=INSTANT, step_seconds=DURATION, slots=COUNT, until=INSTANT)

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

ROW = of(
    **ROUTE["properties"],
    share=maybe(SHARES),
    forecast=maybe(ref("Forecast")),
    slos=COUNT,
    budget=maybe(_BUDGET),
    burn=maybe(_BURN),
    findings=many(TEXT),
    incidents=many(ref("IncidentBrief")),
)

PAGE = of(number=COUNT, pages=COUNT, size=COUNT, matching=COUNT, all=COUNT, query=TEXT, stage=maybe(words(Stage)))
