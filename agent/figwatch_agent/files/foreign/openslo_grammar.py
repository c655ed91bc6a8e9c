"""The grammar of openslo/v1: each kind of object, alone or inside of another."""

from typing import Any, Final

from pydantic_core.core_schema import CoreSchema

from figwatch_agent.files.fields import FLAG, TEXT, WORDS, word
from figwatch_agent.files.foreign.pieces import (
    ANYTHING,
    METADATA,
    PERCENT,
    POSITIVE,
    RATIO,
    SHORTHAND,
    WAITING,
    members,
)
from figwatch_agent.files.schema import exactly_one, items, may, need, one_of, record, wrong


def _ratio_metric(**given: Any) -> dict[str, Any]:
    if "raw" in given:
        if "rawType" not in given or {"good", "bad", "total"} & set(given):
            raise wrong("raw stands with rawType, and without good, bad and total", key="raw")
        return given
    if "total" not in given:
        raise wrong("a ratioMetric names total, or raw", "total is the denominator of good or bad")
    exactly_one("a ratioMetric", given, "good", "bad")
    return given


def _one_metric(**given: Any) -> dict[str, Any]:
    exactly_one("an SLI", given, "thresholdMetric", "ratioMetric")
    return given


def _slo(**given: Any) -> dict[str, Any]:
    exactly_one("an SLO", given, "indicator", "indicatorRef")
    if len(given.get("timeWindow", [None])) != 1:
        raise wrong("timeWindow takes exactly one window", key="timeWindow")
    return given


def _objective(**given: Any) -> dict[str, Any]:
    exactly_one("an objective", given, "target", "targetPercent")
    return given


def _named_or_inline(reference: str, inline: CoreSchema) -> CoreSchema:
    """Either ``{xRef: NAME}``, or the object itself."""

    def form(value: Any) -> str | None:
        return None if not isinstance(value, dict) else "named" if reference in value else "inline"

    forms = {"named": members({reference: need(WORDS, "")}), "inline": inline}
    return one_of(form, forms, f"expected {reference}, or the object itself")


def _object(kind: str, spec: CoreSchema, *, inline: bool = False) -> CoreSchema:
    fields = {
        "apiVersion": may(word("openslo/v1"), ""),
        "kind": may(word(kind), ""),
        "metadata": need(METADATA, "") if not inline else may(METADATA, ""),
        "spec": need(spec, ""),
    }
    return members(fields)


_OPERATOR: Final = word("lte", "gte", "lt", "gt")
_SOURCE: Final = members(
    {
        "metricSource": need(
            members({"metricSourceRef": may(WORDS, ""), "type": may(WORDS, ""), "spec": need(ANYTHING, "")}), ""
        )
    }
)
_SLI_SPEC: Final = record(
    _one_metric,
    {
        "description": may(TEXT, ""),
        "thresholdMetric": may(_SOURCE, ""),
        "ratioMetric": may(
            record(
                _ratio_metric,
                {
                    "counter": may(FLAG, ""),
                    "good": may(_SOURCE, ""),
                    "bad": may(_SOURCE, ""),
                    "total": may(_SOURCE, ""),
                    "rawType": may(word("success", "failure"), ""),
                    "raw": may(_SOURCE, ""),
                },
            ),
            "",
        ),
    },
)
_CONDITION_SPEC: Final = members(
    {
        "description": may(TEXT, ""),
        "severity": need(WORDS, ""),
        "condition": need(
            members(
                {
                    "kind": may(word("burnrate"), ""),
                    "op": may(_OPERATOR, ""),
                    "threshold": need(POSITIVE, ""),
                    "lookbackWindow": need(SHORTHAND, ""),
                    "alertAfter": may(WAITING, ""),
                }
            ),
            "",
        ),
    }
)
_TARGET_SPEC: Final = members({"target": need(WORDS, ""), "description": may(TEXT, "")})
_POLICY_SPEC: Final = members(
    {
        "description": may(TEXT, ""),
        "alertWhenNoData": may(FLAG, ""),
        "alertWhenResolved": may(FLAG, ""),
        "alertWhenBreaching": may(FLAG, ""),
        "conditions": need(
            items(_named_or_inline("conditionRef", _object("AlertCondition", _CONDITION_SPEC, inline=True))), ""
        ),
        "notificationTargets": may(
            items(
                _named_or_inline("targetRef", _object("AlertNotificationTarget", _TARGET_SPEC, inline=True)), least=0
            ),
            "",
        ),
    }
)
_WINDOW: Final = members(
    {
        "duration": need(SHORTHAND, ""),
        "isRolling": may(FLAG, ""),
        "calendar": may(members({"startTime": need(WORDS, ""), "timeZone": need(WORDS, "")}), ""),
    }
)
_OBJECTIVE: Final = record(
    _objective,
    {
        "displayName": may(TEXT, ""),
        "op": may(_OPERATOR, ""),
        "value": may(ANYTHING, ""),
        "target": may(RATIO, ""),
        "targetPercent": may(PERCENT, ""),
        "timeSliceTarget": may(ANYTHING, ""),
        "timeSliceWindow": may(ANYTHING, ""),
    },
)
_SLO_SPEC: Final = record(
    _slo,
    {
        "description": may(TEXT, ""),
        "service": need(WORDS, ""),
        "indicator": may(_object("SLI", _SLI_SPEC, inline=True), ""),
        "indicatorRef": may(WORDS, ""),
        "timeWindow": may(items(_WINDOW, least=0), ""),
        "budgetingMethod": need(word("Occurrences", "Timeslices", "RatioTimeslices"), ""),
        "objectives": need(items(_OBJECTIVE), ""),
        "alertPolicies": may(
            items(_named_or_inline("alertPolicyRef", _object("AlertPolicy", _POLICY_SPEC, inline=True)), least=0), ""
        ),
    },
)

OBJECTS: Final = {
    "DataSource": _object(
        "DataSource",
        members({"description": may(TEXT, ""), "type": need(WORDS, ""), "connectionDetails": may(ANYTHING, "")}),
    ),
    "Service": _object("Service", members({"description": may(TEXT, "")})),
    "SLI": _object("SLI", _SLI_SPEC),
    "SLO": _object("SLO", _SLO_SPEC),
    "AlertPolicy": _object("AlertPolicy", _POLICY_SPEC),
    "AlertCondition": _object("AlertCondition", _CONDITION_SPEC),
    "AlertNotificationTarget": _object("AlertNotificationTarget", _TARGET_SPEC),
}
"""Kind -> grammar. A key that is not named here is no key of openslo/v1."""
