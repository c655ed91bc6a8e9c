"""Events and recorded baselines as JSON, and as tables for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from figwatch_agent.durations import format_instant
from figwatch_agent.model.baseline import RecordedBaseline
from figwatch_agent.model.event import Event
from figwatch_agent.report.numbers import number
from figwatch_agent.report.summary import Table
from figwatch_agent.report.words import NOTHING, quantity, visible

Json = Mapping[str, Any]


def event_document(event: Event) -> dict[str, object]:
    """One event as it was told."""
    return {
        "id": event.id,
        "kind": event.kind.value,
        "at": format_instant(event.at),
        "recorded_at": format_instant(event.recorded_at),
        "actor": event.actor,
        "fields": dict(event.fields),
    }


def baseline_document(baseline: RecordedBaseline) -> dict[str, object]:
    """One baseline with who recorded it and what it was made of."""
    return {
        "criterion": baseline.criterion,
        "measure": baseline.measure.value,
        "value": number(baseline.value),
        "unit": baseline.unit,
        "count": baseline.count,
        "start": None if baseline.start is None else format_instant(baseline.start),
        "end": None if baseline.end is None else format_instant(baseline.end),
        "recorded_at": format_instant(baseline.recorded_at),
        "actor": baseline.actor,
        "why": baseline.why or None,
    }


def events_table(events: Sequence[Json]) -> Table:
    """As they were told, in the order given."""
    return Table(
        title="Events, newest first",
        columns=("at", "kind", "id", "by", "what"),
        rows=tuple(
            (each["at"], each["kind"], visible(each["id"]), visible(each["actor"]), _fields(each["fields"]))
            for each in events
        ),
        empty="nothing was told of yet.",
    )


def baselines_table(baselines: Sequence[Json]) -> Table:
    """By criterion."""
    return Table(
        title="Baselines",
        columns=("criterion", "value", "from", "to", "events", "recorded", "by"),
        rows=tuple(
            (
                visible(each["criterion"]),
                quantity(each["value"], each["unit"]),
                each["start"] or NOTHING,
                each["end"] or NOTHING,
                NOTHING if each["count"] is None else str(each["count"]),
                each["recorded_at"],
                visible(each["actor"]),
            )
            for each in baselines
        ),
        empty="none was recorded yet.",
    )


def _fields(fields: Mapping[str, str]) -> str:
    return visible(", ".join(f"{name} {text}" for name, text in fields.items())) or NOTHING
