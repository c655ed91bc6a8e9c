"""Which streams were measured in a tick, and why the others were not.

Streams that the same scrape targets carry are judged together. What is found about them holds while their targets
answer alike with the same series, so it is found once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import SECOND
from figwatch_agent.engine.catalog import Catalog, Stream
from figwatch_agent.engine.mapping import BOUNDS, metric_of, shown
from figwatch_agent.engine.mapping import Mapping as Mapped
from figwatch_agent.engine.tally import Tally
from figwatch_agent.evaluate.increases import Increase
from figwatch_agent.model.batch import SeriesTable
from figwatch_agent.model.slo import Histogram, Latency, Promql

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a scrape target said in a tick, as far as it matters to whether its streams were measured."""

    table: SeriesTable | None  # None: it did not answer
    timed: bool = False
    reason: str = ""

    def alike(self, other: "Answer | None") -> bool:
        """Whether the same follows from both."""
        return (
            other is not None and self.table is other.table and (self.timed, self.reason) == (other.timed, other.reason)
        )


@dataclass(slots=True, eq=False)
class _Group:
    """Streams of one set of carriers, and what was found about them last."""

    streams: list[Stream]
    answers: list[Answer | None] = field(default_factory=list)  # of the carriers, when it was found
    fine: Places = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    texts: dict[int, str] = field(default_factory=dict)
    looked: bool = False


class Judge:
    """Judges all streams but those that are probed."""

    def __init__(self, catalog: Catalog) -> None:
        self.carriers: dict[str, set[str]] = {}  # stream key or vantage -> scrape targets that ever had its series
        self._streams = [stream for stream in catalog.streams if not stream.probed]
        self._groups: dict[tuple[str, ...], _Group] = {}
        self._grouped = False

    def carried(self, stream: Stream, target: str) -> None:
        """A scrape target has series of a stream."""
        self.carry(carrier_key(stream), target)

    def carry(self, key: str, target: str) -> None:
        """The same by the key of a stream, or the vantage at which the requests of several are counted."""
        targets = self.carriers.setdefault(key, set())
        if target not in targets:
            targets.add(target)
            self._grouped = False

    def restore(self, carriers: Mapping[str, Iterable[str]]) -> None:
        """Know what another process knew."""
        self.carriers = {key: set(targets) for key, targets in carriers.items()}
        self._grouped = False

    def judge(
        self,
        answers: Mapping[str, Answer],
        increases: Mapping[str, Increase | None],
        mappings: Mapping[str, Mapped],
        tally: Tally,
    ) -> None:
        """Mark what was measured; a reason is given for a stream that nothing else has measured either."""
        if not self._grouped:
            self._group()
        for carriers, group in self._groups.items():
            said = [answers.get(target) for target in carriers]
            if not group.looked or not all(map(_alike, said, group.answers)):
                self._look(group, carriers, answers, mappings)
                group.answers, group.looked = said, True
            if len(group.fine):
                gaps = [increase.gap or 0 for target in carriers if (increase := increases[target]) is not None]
                tally.known[group.fine] = True
                tally.covered[group.fine] += min(gaps)
            if group.texts and not tally.known.all():
                found = {i: text for i, text in group.texts.items() if not tally.known[i]}
                tally.stream_findings = found | tally.stream_findings

    def _group(self) -> None:
        self._groups = {}
        for stream in self._streams:
            carriers = tuple(sorted(self.carriers.get(carrier_key(stream), ())))
            self._groups.setdefault(carriers, _Group([])).streams.append(stream)
        self._grouped = True

    def _look(
        self, group: _Group, carriers: tuple[str, ...], answers: Mapping[str, Answer], mappings: Mapping[str, Mapped]
    ) -> None:
        why = {stream.index: _why_unknown(stream, carriers, answers, mappings) for stream in group.streams}
        group.texts = {index: text for index, text in why.items() if text}
        group.fine = np.array([index for index, text in why.items() if not text], dtype=np.int64)


def carrier_key(stream: Stream) -> str:
    """Under which a stream's carriers are known: all requests of a vantage have the same."""
    return stream.service.vantage if stream.sided else stream.key


def _alike(one: Answer | None, other: Answer | None) -> bool:
    return one is other if one is None else one.alike(other)


def _why_unknown(
    stream: Stream, carriers: tuple[str, ...], answers: Mapping[str, Answer], mappings: Mapping[str, Mapped]
) -> str:
    if isinstance(stream.slo.sli, Promql):
        return "PromQL needs a Prometheus source"
    if not carriers:
        return f"no scrape target has shown {metric_of(stream)} yet"
    for target in carriers:
        answer = answers.get(target)
        if answer is None:
            return f"scrape target {target} is not scraped any more"
        if answer.table is None:
            return f"scrape target {target} is down: {answer.reason}"
        if not shown(metric_of(stream), answer.table):
            return f"metric {metric_of(stream)} is gone from {target}: renamed?"
        if not answer.timed:
            return f"counting of {target} has just begun"
    return _missing_bucket(stream, carriers, mappings)


def _missing_bucket(stream: Stream, carriers: tuple[str, ...], mappings: Mapping[str, Mapped]) -> str:
    sli = stream.slo.sli
    if isinstance(sli, Latency) and Fraction(sli.threshold, SECOND) in BOUNDS:
        return ""
    if isinstance(sli, (Latency, Histogram)):
        for target in carriers:
            mapping = mappings.get(target)
            if mapping is not None and stream.index in mapping.streams and not mapping.has_good(stream):
                return f"the threshold of {stream.slo.name} is no bucket bound of {metric_of(stream)}"
    return ""
