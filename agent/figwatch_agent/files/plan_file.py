"""How figwatch.yaml writes a rollback plan."""

import re
from typing import Any

from pydantic_core import core_schema

from figwatch_agent.durations import SECOND, Duration
from figwatch_agent.files.call_file import ASKED, CALL, EXEC, HTTP, READING
from figwatch_agent.files.diagnostics import quoted
from figwatch_agent.files.fields import DURATION, NAME, WORDS, choice, string
from figwatch_agent.files.schema import items, may, need, record, scalar, wrong
from figwatch_agent.model.names import DataPlan, Repeat
from figwatch_agent.model.plan import (
    GatewayReading,
    LagReading,
    LegacyFitness,
    RollbackPlan,
    Step,
    Verification,
)

DEADLINE: Duration = 10 * SECOND
"""Of a step that names none."""

_RATE = re.compile(r"([1-9]\d{0,8})/s")


def _capacity(value: object) -> int:
    text = string(value, "a rate such as 200/s")
    found = _RATE.fullmatch(text)
    if found is None:
        raise wrong(f"{quoted(text)} is not a rate", "write whole requests a second, such as 200/s")
    return int(found[1])


def _legacy(probe: Any, capacity: int | None = None) -> LegacyFitness:
    return LegacyFitness(probe=probe, capacity_per_second=capacity)


def _step(**members: Any) -> Step:
    if ("http" in members) == ("exec" in members):
        raise wrong("a step does exactly one of http and exec")
    return Step(
        id=members["id"],
        repeat=members.get("repeat", Repeat.ONCE),
        call=members["http"] if "http" in members else members["exec"],
        deadline=members.get("deadline", DEADLINE),
        probe=members.get("probe"),
        compensation=members.get("compensate"),
    )


def _plan(**members: Any) -> dict[str, Any]:
    return members


def _named(values: dict[str, dict[str, Any]]) -> tuple[RollbackPlan, ...]:
    return tuple(RollbackPlan(**{"gateway": None, **members, "name": name}) for name, members in sorted(values.items()))


LEGACY = record(
    _legacy,
    {
        "probe": need(READING, "asked before legacy gets traffic; 2xx is fit"),
        "capacity": may(
            scalar(_capacity, core_schema.str_schema(pattern=_RATE.pattern)), "what legacy can carry, such as 200/s"
        ),
    },
)

GATEWAY = record(
    lambda read, fields=(): GatewayReading(read=read, fields=fields),
    {
        "read": need(READING, "what the gateway does now, as JSON"),
        "fields": may(items(WORDS), "members of the answer that count; dots go deeper; the whole answer if left out"),
    },
)

LAG = record(
    LagReading,
    {
        "read": need(READING, "how far legacy's data is behind, as JSON"),
        "field": need(WORDS, "member of the answer that holds seconds; dots go deeper"),
        "at_most": need(DURATION, "more than this withholds the rollback"),
    },
)

STEP = record(
    _step,
    {
        "id": need(NAME, "unique within the plan"),
        "repeat": may(choice(Repeat), "may it be done twice; once if left out"),
        "deadline": may(DURATION, "longest it may take, 10s if left out"),
        "http": may(HTTP, "one HTTP request"),
        "exec": may(EXEC, "one process"),
        "probe": may(ASKED, "tells after a lost outcome whether it was done"),
        "compensate": may(CALL, "undoes it when a later step fails"),
    },
)

PLAN = record(
    _plan,
    {
        "data": need(choice(DataPlan), "what becomes of data that the service side wrote"),
        "legacy": need(LEGACY, "whether legacy can take the traffic"),
        "gateway": may(GATEWAY, "so that a newer human change is never overwritten"),
        "lag": may(LAG, "for dual_write: without it the lag is unknown, and nothing is rolled back"),
        "preconditions": may(items(READING), "each must answer 2xx"),
        "steps": need(items(STEP), "done in this order"),
        "verify": need(
            record(
                Verification,
                {"slo": need(NAME, "the SLO that must be well again"), "within": need(DURATION, "how soon")},
            ),
            "what must be seen afterwards",
        ),
        "data_loss": may(WORDS, "what would be lost, for people"),
    },
)

PLANS = core_schema.no_info_after_validator_function(_named, core_schema.dict_schema(NAME, PLAN, strict=True))
