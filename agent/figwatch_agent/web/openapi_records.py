"""What the agent keeps and hands out as it stands there: deliveries, rollbacks, transitions, events, as JSON Schema."""

from typing import Final

from figwatch_agent.model.effect import DeliveryState, RollbackState
from figwatch_agent.model.event import EventKind
from figwatch_agent.model.journal import StepState
from figwatch_agent.model.names import DataPlan, Measure, Repeat, Severity
from figwatch_agent.model.outcome import TransitionKind
from figwatch_agent.model.page import PageKind
from figwatch_agent.web.openapi_parts import (
    COUNT,
    COUNTS,
    DURATION,
    FLAG,
    INSTANT,
    NUMBER,
    TEXT,
    WHOLE,
    Schema,
    many,
    maybe,
    of,
    words,
)

HEALTHY: Final[Schema] = {"type": "object", "additionalProperties": FLAG}

_ENTRY = of(step=TEXT, state=words(StepState), attempt=COUNT, at=INSTANT, detail=TEXT)

_STEP = of(id=TEXT, repeat=words(Repeat), deadline_seconds=DURATION, call=TEXT, compensation=maybe(TEXT))

ROLLBACK = of(
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

HASH: Final[Schema] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}

DELIVERY = of(
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

TRANSITION = of(
    at=INSTANT,
    kind=words(TransitionKind),
    subject=TEXT,
    text=TEXT,
    actor=maybe(TEXT),
    data={"type": "object", "additionalProperties": TEXT},
)

SIZE = of(
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

COUNTS_OVER_TIME: Final[Schema] = many(maybe(WHOLE))

EVENT = of(
    id=TEXT,
    kind=words(EventKind),
    at=INSTANT,
    recorded_at=INSTANT,
    actor=TEXT,
    fields={"type": "object", "additionalProperties": TEXT},
)

BASELINE = of(
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
