"""The report on a migration as JSON Schema."""

from figwatch_agent.model.names import Mode, Stage, Verdict
from figwatch_agent.web.openapi_parts import (
    COUNT,
    DECIMAL,
    DURATION,
    FLAG,
    INSTANT,
    NUMBER,
    SHARES,
    TEXT,
    VERSION,
    Schema,
    many,
    maybe,
    of,
    ref,
    tally,
    words,
)
from figwatch_agent.web.openapi_records import BASELINE
from figwatch_agent.web.openapi_states import SLO

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


def report() -> Schema:
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
        verdicts=tally(Verdict),
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
        budgets=many(of(**SLO["properties"], history=history)),
        recovery=many(_STAGE_TIMES),
        incidents=many(ref("IncidentState")),
        deployments=of(
            over_seconds=DURATION,
            succeeded=COUNT,
            failed=COUNT,
            services={"type": "object", "additionalProperties": COUNT},
            newest=many(ref("Event")),
        ),
        baselines=many(BASELINE),
        exclusions=many(ref("Exclusion")),
        findings=many(TEXT),
    )
