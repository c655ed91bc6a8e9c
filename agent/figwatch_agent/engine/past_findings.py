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
    series: dict[str, list[Series]] = {}
    for target in history.targets:
        for track in target.tracks:
            series.setdefault(track.series.name, []).append(track.series)
    found = [text for stream in catalog.streams for text in _of_stream(stream, series, counts)]
    for name, started in counts.started:
        found.append(
            f"{started} series of {name or 'the history'} appear with values that cannot have come about since the "
            "sample before; counting starts there"
        )
    return tuple(found)


def _of_stream(stream: Stream, series: dict[str, list[Series]], counts: PastCounts) -> Iterator[str]:
    sli = stream.slo.sli
    if isinstance(sli, Events):
        for word, selectors in (("total", sli.total), ("good", sli.good), ("bad", sli.bad)):
            for selector in selectors:
                if not any(selected((selector,), one) for one in series.get(selector.metric, ())):
                    yield f"{stream.slo.name}: {word} {as_text(selector)} selects no series of the history"
    elif isinstance(sli, Histogram):
        for selector in sli.selectors:
            if not any(selected((selector,), one, "_count") for one in series.get(selector.metric + "_count", ())):
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
