"""For the tests of an instrumented service: what was counted while a block ran.

with figwatch.testing.recording() as recorded:
    client.get("/api/v1/chat/1")
recorded.assert_requests(1, http_route="/api/v1/chat/{id}", http_response_status_code="200")
"""

from collections.abc import Iterator
from contextlib import contextmanager

from figwatch import contract
from figwatch.cells import Definition, Reading
from figwatch.span_record import Ended, SpanRecord
from figwatch.telemetry import Telemetry, process

Series = dict[tuple[str, ...], Reading]


@contextmanager
def recording(telemetry: Telemetry | None = None) -> Iterator["Recorder"]:
    """Record what this process counts from here on; numbers are differences, so that earlier tests do not matter."""
    shared = telemetry if telemetry is not None else process()
    recorder = Recorder(shared)
    before, shared.span_sink = shared.span_sink, recorder.keep
    try:
        yield recorder
    finally:
        shared.span_sink = before


class Recorder:
    """What was counted since it was made."""

    def __init__(self, telemetry: Telemetry) -> None:
        """Remembers where every series stands now."""
        self._telemetry = telemetry
        self._before = {name: series for name, _, series in _snapshot(telemetry)}
        self.spans: list[SpanRecord] = []
        """Finished requests, oldest first; only while `recording` runs."""

    def keep(self, ended: Ended) -> None:
        """Keep the span of a request that has ended."""
        self.spans.append(SpanRecord._make(ended))

    def requests(self, **labels: str) -> int:
        """Requests with these labels (names as in contract.REQUEST_LABELS); labels not named may have any value."""
        return int(self.value(contract.REQUEST_DURATION, **labels))

    def value(self, name: str, **labels: str) -> float:
        """What a counter grew by, or how many values a histogram took, over all series with these labels.

        Raises KeyError for a metric or a label that was never declared.
        """
        for known, definition, series in _snapshot(self._telemetry):
            if known == name:
                return self._growth(definition, series, labels)
        raise KeyError(f"no metric {name!r} is declared")

    def seconds(self, name: str, **labels: str) -> float:
        """The sum of the values a histogram took, in its unit, over all series with these labels."""
        for known, definition, series in _snapshot(self._telemetry):
            if known == name:
                before = self._before.get(name, {})
                chosen = _chosen(definition, series, labels)
                return sum(now.total - (before[key].total if key in before else 0.0) for key, now in chosen)
        raise KeyError(f"no metric {name!r} is declared")

    def faults(self) -> int:
        """Faults inside the instrumentation that were swallowed."""
        return int(self.value(contract.INTERNAL_ERRORS))

    def assert_requests(self, number: int, **labels: str) -> None:
        """Fail, and list what was counted instead, unless exactly `number` requests have these labels."""
        counted = self.requests(**labels)
        if counted != number:
            raise AssertionError(
                f"expected {number} requests with {labels}, counted {counted}; in all: {self._listing()}"
            )

    def _growth(self, definition: Definition, series: Series, labels: dict[str, str]) -> float:
        before = self._before.get(definition.name, {})
        total: float = 0
        for key, now in _chosen(definition, series, labels):
            total += _worth(definition, now) - (_worth(definition, before[key]) if key in before else 0)
        return total

    def _listing(self) -> str:
        lines = []
        for name, definition, series in _snapshot(self._telemetry):
            if name == contract.REQUEST_DURATION:
                for key in series:
                    labels = dict(zip(definition.labels, key, strict=True))
                    if grown := self.requests(**labels):
                        lines.append(f"{int(grown)} x {labels}")
        return "; ".join(lines) or "none"


def _snapshot(telemetry: Telemetry) -> list[tuple[str, Definition, Series]]:
    return [
        (definition.name, definition, {reading.labels: reading for reading in readings})
        for definition, readings in telemetry.cells.own()
    ]


def _chosen(definition: Definition, series: Series, labels: dict[str, str]) -> list[tuple[tuple[str, ...], Reading]]:
    for label in labels:
        if label not in definition.labels:
            raise KeyError(f"{definition.name} has no label {label!r}; it has {', '.join(definition.labels) or 'none'}")
    wanted = [(definition.labels.index(label), value) for label, value in labels.items()]
    return [(key, now) for key, now in series.items() if all(key[index] == value for index, value in wanted)]


def _worth(definition: Definition, reading: Reading) -> float:
    """A counter's value; a histogram's number of values."""
    return sum(reading.counts) + (reading.total if definition.kind == "counter" else 0)
