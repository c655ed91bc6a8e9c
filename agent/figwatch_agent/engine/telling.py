"""Events and baselines that people and other systems wish to have remembered."""

import json
from fractions import Fraction
from typing import Any, Final

from figwatch_agent.durations import DAY, Duration, Instant, format_duration, format_instant, parse_instant
from figwatch_agent.engine.book import Book
from figwatch_agent.engine.catalog import Catalog
from figwatch_agent.engine.desk import Notes
from figwatch_agent.engine.figures import EVENT_KINDS, deployments_of, values_of
from figwatch_agent.evaluate.brought import brought
from figwatch_agent.evaluate.deployment_frequency import Frequency, counted
from figwatch_agent.model.baseline import RecordedBaseline
from figwatch_agent.model.batch import SAMPLE, Reading
from figwatch_agent.model.command import Command
from figwatch_agent.model.event import Event, EventInvalid, EventKind, exact, read_event
from figwatch_agent.model.names import Measure
from figwatch_agent.model.outcome import TransitionKind
from figwatch_agent.model.slo import Criterion, ServiceSlos

RESERVED: Final = ("kind", "id", "at", "user")
"""Members of an event's data that are not its fields."""

_KINDS: Final = frozenset(kind.value for kind in EventKind)


class Telling:
    """Takes them or says why not."""

    def __init__(self, catalog: Catalog, book: Book) -> None:
        self._catalog = catalog
        self._book = book

    def event(self, command: Command, now: Instant, notes: Notes) -> str:
        """Remember an event; one that is known changes nothing. A kind that no criterion is made of is only noted."""
        data = dict(command.data)
        if data.get("kind") not in _KINDS:
            _note(command, command.subject, now, notes)
            return ""
        fields = {name: text for name, text in data.items() if name not in RESERVED}
        if data["kind"] == EventKind.DEPLOYMENT.value and not fields.get("service"):
            fields["service"] = command.subject
        try:
            event = read_event(
                data["kind"],
                fields,
                id_=data.get("id") or command.id,
                at=data.get("at") or command.at,
                actor=command.actor,
                now=max(now, command.at),
            )
        except EventInvalid as error:
            return str(error)
        if event.at < now - self._catalog.settings.keep:
            return f"it happened before everything that is kept (state.keep: {_kept(self._catalog)})"
        return self.keep(event, now, notes, command.why)

    def keep(self, event: Event, now: Instant, notes: Notes, why: str = "") -> str:
        """Remember one event; "" also where it is known."""
        if not self._book.add(event):
            return ""
        notes.events.append(event)
        data = (("kind", event.kind.value), ("id", event.id), ("at", format_instant(event.at)), *event.fields)
        subject = event.service or event.kind.value
        notes.note(now, TransitionKind.EVENT_RECORDED, subject, why or in_words(event), data, event.actor)
        return ""

    def baseline(self, command: Command, now: Instant, notes: Notes) -> str:
        """Record what a criterion is compared with; one that stands is replaced only where that is asked for."""
        found = next(((s, c) for s, c in self._catalog.criteria if c.name == command.subject), None)
        if found is None:
            names = ", ".join(c.name for _, c in self._catalog.criteria if c.measure in EVENT_KINDS)
            return f"no criterion of that name compares with a baseline; there are {names or 'none'}"
        service, criterion = found
        if criterion.measure not in EVENT_KINDS:
            return f"{criterion.measure.value} is not compared with a baseline: its target says all"
        data = dict(command.data)
        before = self._book.baselines.get(criterion.name)
        if before is not None and data.get("replace") != "yes":
            return (
                f"a baseline of {format_instant(before.recorded_at)} by {before.actor} stands: "
                f"{float(before.value):g} {before.unit}; replace it with --replace"
            )
        try:
            made = self._made(service, criterion, command, data, now)
        except ValueError as error:
            return str(error)
        self._book.baselines[criterion.name] = made
        notes.baselines.append(made)
        text = f"baseline of {criterion.name}: {_said(made)}"
        if before is not None:
            text += f", in the place of {_said(before)} recorded by {before.actor}"
        data_kept = (("value", str(made.value)), ("unit", made.unit), ("replaced", "no" if before is None else "yes"))
        notes.note(now, TransitionKind.BASELINE_RECORDED, criterion.name, text, data_kept, command.actor)
        return ""

    def _made(
        self, service: ServiceSlos, criterion: Criterion, command: Command, data: dict[str, str], now: Instant
    ) -> RecordedBaseline:
        end = parse_instant(data["to"]) if data.get("to") else now
        start = parse_instant(data["from"]) if data.get("from") else end - criterion.over
        if not start < end <= now:
            raise ValueError("a baseline's window begins before it ends, and has ended")
        given = data.get("value", "")
        if given:
            value, unit, count = _given(criterion.measure, given, data, end - start)
        else:
            value, unit, count = self._counted(service, criterion, start, end)
        windowed = not given or criterion.measure is Measure.DEPLOYMENT_FREQUENCY
        return RecordedBaseline(
            criterion=criterion.name,
            measure=criterion.measure,
            value=value,
            unit=unit,
            count=count,
            start=start if windowed else None,
            end=end if windowed else None,
            recorded_at=now,
            actor=command.actor,
            why=command.why,
        )

    def _counted(
        self, service: ServiceSlos, criterion: Criterion, start: Instant, end: Instant
    ) -> tuple[Fraction, str, int]:
        """From events of the window."""
        window = f"from {format_instant(start)} to {format_instant(end)}"
        if criterion.measure is Measure.DEPLOYMENT_FREQUENCY:
            first = self._book.first(EventKind.DEPLOYMENT)
            if first is None or first.at > end:
                raise ValueError("no deployment was told of up to then: give --value with --from and --to")
            count = counted(deployments_of(self._book, end), start, end, service.service)
            return Frequency(count=count, over=end - start).per_day, "per_day", count
        values, units = values_of(self._book, service, criterion, start, end)
        if len(units) > 1:
            raise ValueError(f"figures {window} are in different units: {', '.join(sorted(units))}")
        found = brought(values)
        if found is None:
            raise ValueError(f"no {criterion.measure.value} was told of {window}: give --value")
        return found.mean, next(iter(units)) or "number", found.count


def samples_in(reading: Reading, now: Instant) -> list[Event]:
    """The events in the answer to a criterion's query; none in another reading, or where it could not be asked."""
    if not reading.ok or not reading.name.startswith(SAMPLE):
        return []
    name, row = reading.name.removeprefix(SAMPLE), json.loads(reading.value)
    told: dict[str, Any] = {"id": f"{name}@{reading.at}", "at": reading.at, "recorded_at": now, "actor": "sql"}
    found = []
    if "checked" in row:
        fields = (("checked", row["checked"]), ("criterion", name), ("mismatched", row["mismatched"]))
        found.append(Event(kind=EventKind.CONSISTENCY, fields=fields, **told))
    if "lag_seconds" in row:
        found.append(Event(kind=EventKind.LAG, fields=(("criterion", name), ("seconds", row["lag_seconds"])), **told))
    return found


def in_words(event: Event) -> str:
    """One line about an event."""
    if event.kind is EventKind.DEPLOYMENT:
        version = f" {event.get('version')}" if event.get("version") else ""
        ended = "deployed" if event.get("status") in ("", "success") else "deployment failed:"
        return f"{ended} {event.service}{version}"
    if event.kind is EventKind.CONSISTENCY:
        return f"{event.get('mismatched')} of {event.get('checked')} records differ"
    if event.kind is EventKind.LAG:
        return f"the copy is {event.get('seconds')} s behind"
    unit = f" {event.get('unit')}" if event.get("unit") else ""
    return f"{event.kind.value.replace('_', ' ')}: {event.get('value')}{unit}"


def _given(measure: Measure, text: str, data: dict[str, str], over: Duration) -> tuple[Fraction, str, int | None]:
    """From what somebody says it was."""
    value = exact(text)
    if measure is not Measure.DEPLOYMENT_FREQUENCY:
        return value, data.get("unit") or "number", None
    if value.denominator != 1 or value < 0:
        raise ValueError("deployments are counted: --value is a whole number of them")
    if not (data.get("from") and data.get("to")):
        raise ValueError("a number of deployments says how often only with the time it took: give --from and --to")
    return Fraction(value.numerator * DAY, over), "per_day", value.numerator


def _said(baseline: RecordedBaseline) -> str:
    counted_from = "" if baseline.count is None else f" ({baseline.count} events)"
    return f"{float(baseline.value):g} {baseline.unit}{counted_from}"


def _kept(catalog: Catalog) -> str:
    return format_duration(catalog.settings.keep)


def _note(command: Command, subject: str, now: Instant, notes: Notes) -> None:
    text = command.why or f"{command.kind.value} {subject}"
    notes.note(now, TransitionKind.EVENT_RECORDED, subject, text, command.data, command.actor)
