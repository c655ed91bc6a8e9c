"""What is odd about a history: selectors that select nothing, counters that begin too high."""

from collections.abc import Iterator

from figwatch_agent.engine.catalog import Catalog, Stream
from figwatch_agent.engine.mapping import metric_of
from figwatch_agent.engine.past import PastCounts
from figwatch_agent.evaluate.selection import selected
from figwatch_agent.model.batch import Series
from figwatch_agent.model.past import History
from figwatch_agent.model.selector import Selector
from figwatch_agent.model.slo import Events, Histogram


def past_findings(catalog: Catalog, history: History, counts: PastCounts) -> tuple[str, ...]:
    """In the order of the files, one sentence each."""
    shown = _Shown(history)
    found = [text for stream in catalog.streams for text in _of_stream(stream, shown, counts)]
    for name, started in counts.started:
        found.append(
            f"{started} series of {name or 'the history'} appear with values that cannot have come about since the "
            "sample before; counting starts there"
        )
    return tuple(found)


class _Shown:
    """The series of a history, to be asked for by thousands of selectors."""

    def __init__(self, history: History) -> None:
        self._by_name: dict[str, list[Series]] = {}
        self._by_label: dict[tuple[str, str, str], list[Series]] = {}
        for target in history.targets:
            for track in target.tracks:
                series = track.series
                self._by_name.setdefault(series.name, []).append(series)
                for label, value in series.labels:
                    self._by_label.setdefault((series.name, label, value), []).append(series)

    def any(self, selector: Selector, suffix: str = "") -> bool:
        """Whether the selector, its metric continued by ``suffix``, selects a series."""
        name = selector.metric + suffix
        pair = next(((one.label, one.value) for one in selector.matchers if one.operator == "=" and one.value), None)
        some = self._by_name.get(name, ()) if pair is None else self._by_label.get((name, *pair), ())
        return any(selected((selector,), series, suffix) for series in some)


def _of_stream(stream: Stream, shown: _Shown, counts: PastCounts) -> Iterator[str]:
    sli = stream.slo.sli
    if isinstance(sli, Events):
        for word, selectors in (("total", sli.total), ("good", sli.good), ("bad", sli.bad)):
            for selector in selectors:
                if not shown.any(selector):
                    yield f"{stream.slo.name}: {word} {as_text(selector)} selects no series of the history"
    elif isinstance(sli, Histogram):
        for selector in sli.selectors:
            if not shown.any(selector, "_count"):
                yield f"{stream.slo.name}: histogram {as_text(selector)} selects no series of the history"
    elif stream.sided and stream.index not in counts.streams:
        where = f"{stream.service.vantage} and {stream.route}"
        yield f"{stream.slo.name}: the history has no series of {metric_of(stream)} for {where}"


def as_text(selector: Selector) -> str:
    """A selector as PromQL."""
    matchers = ",".join(f'{one.label}{one.operator}"{_escaped(one.value)}"' for one in selector.matchers)
    return f"{selector.metric}{{{matchers}}}" if matchers else selector.metric


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
