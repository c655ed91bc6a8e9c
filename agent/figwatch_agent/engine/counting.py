"""From answers of scrape targets to events of streams, routes and latency buckets."""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Instant
from figwatch_agent.engine.catalog import Catalog, Stream
from figwatch_agent.engine.judging import Answer, Judge
from figwatch_agent.engine.keyed import KeyedCounts
from figwatch_agent.engine.mapping import (
    BAD,
    BOUNDS,
    BUCKET_SIDES,
    GOOD,
    KINDS,
    SIDES,
    TOTAL,
    TRAFFIC_SIDES,
    Mapper,
    Mapping,
)
from figwatch_agent.engine.tally import Tally
from figwatch_agent.evaluate.increases import CounterMemory, Increase, joined
from figwatch_agent.model.batch import DOWN, Batch, Counted
from figwatch_agent.model.slo import Availability, Events, Uptime

Counts = NDArray[np.int64]

_EXACT = 2**53

Jumped = Callable[[CounterMemory, Batch, Iterable[int]], None]
"""Told the memory before an answer that follows a silence, the answer, and the streams that it has series of."""


class Counter:
    """Turns batches into a Tally, remembering last values and which scrape target carries which stream."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.memories: dict[str, CounterMemory] = {}
        self.judge = Judge(catalog)
        self._mappings: dict[str, Mapping] = {}
        self._uses_bad = np.array([self._counts_bad(stream) for stream in catalog.streams], dtype=np.bool_)
        self._mapper = Mapper(catalog)
        self._keyed = KeyedCounts(catalog)
        self.jumped: Jumped | None = None  # who keeps what a silence counted until it is told; else it is untimed

    def wanted(self) -> frozenset[str]:
        """Names of the samples that count for something."""
        return self._mapper.wanted()

    def streams_of(self, batch: Batch) -> Iterable[int]:
        """Streams that an answer has series of; of a scrape target that does not answer, those that it had."""
        mapping = self._mapping(batch) if batch.up else self._mappings.get(batch.target)
        return () if mapping is None else mapping.streams

    def count(self, batches: tuple[Batch, ...], now: Instant, counted: tuple[Counted, ...] = ()) -> Tally:
        """Everything the batches of one tick say, and what sources counted themselves."""
        tally = self.empty()
        increases: dict[str, Increase | None] = {}
        for batch in batches:
            increases[batch.target] = joined(increases.get(batch.target), self._observe(batch, tally))
        for each in counted:
            self._keyed.add(each, tally)
        answers = {batch.target: _answer(batch, increases[batch.target]) for batch in batches}
        self.judge.judge(answers, increases, self._mappings, tally)
        self._find_excess(tally)
        return tally

    def empty(self) -> Tally:
        """No events at all."""
        streams, routes = len(self.catalog.streams), len(self.catalog.routes)
        return Tally(
            total=np.zeros((streams, len(SIDES)), dtype=np.int64, order="F"),  # read side by side
            bad=np.zeros((streams, len(SIDES)), dtype=np.int64, order="F"),
            untimed_total=np.zeros(streams, dtype=np.int64),
            untimed_bad=np.zeros(streams, dtype=np.int64),
            known=np.zeros(streams, dtype=np.bool_),
            covered=np.zeros(streams, dtype=np.int64),
            traffic=np.zeros((routes + 1, len(TRAFFIC_SIDES)), dtype=np.int64),
            buckets=np.zeros((routes, len(BUCKET_SIDES), len(BOUNDS) + 1), dtype=np.int64),
            excluded=np.zeros(streams, dtype=np.bool_),
        )

    def _observe(self, batch: Batch, tally: Tally) -> Increase | None:
        memory = self.memories.setdefault(batch.target, CounterMemory())
        if not batch.up:
            if self.jumped is None or batch.reason == DOWN:  # else whether it answered the engine can still tell
                memory.fail()
            tally.findings[batch.target] = f"scrape target {batch.target} is down: {batch.reason}"
            return None
        mapping = self._mapping(batch)
        waits = self._waits(memory, batch, mapping)
        increase = memory.observe(batch, self.catalog.longest_gap)
        if increase.started and increase.answered_before:
            tally.findings[f"{batch.target} births"] = (
                f"{increase.started} series of {batch.target} appeared with values that cannot have come about since "
                "the last scrape; counting starts there"
            )
        if not waits:
            self._add(mapping, increase, tally)
        return increase

    def _waits(self, memory: CounterMemory, batch: Batch, mapping: Mapping) -> bool:
        """Whether what came since the last answer will be told later."""
        if self.jumped is None or memory.at is None or batch.at - memory.at <= self.catalog.longest_gap:
            return False
        self.jumped(memory, batch, mapping.streams)
        return True

    def _add(self, mapping: Mapping, increase: Increase, tally: Tally) -> None:
        flat = _added(mapping.cells, increase.counts[mapping.rows], len(self.catalog.streams) * len(SIDES) * KINDS)
        kinds = flat.reshape(len(self.catalog.streams), len(SIDES), KINDS)
        total = kinds[:, :, TOTAL]
        bad = np.where(self._uses_bad[:, None], kinds[:, :, BAD], total - kinds[:, :, GOOD])
        if not increase.timed:
            if increase.gap is not None:
                tally.untimed_total += total.sum(axis=1)
                tally.untimed_bad += bad.sum(axis=1)
            return
        tally.total += total
        tally.bad += bad
        traffic, buckets = tally.traffic.reshape(-1), tally.buckets.reshape(-1)
        traffic += _added(mapping.traffic_cells, increase.counts[mapping.traffic_rows], len(traffic))
        buckets += _added(mapping.bucket_cells, increase.counts[mapping.bucket_rows], len(buckets))

    def _find_excess(self, tally: Tally) -> None:
        if not tally.bad.size or int(tally.bad.min()) >= 0:
            return
        for index in np.flatnonzero((tally.bad < 0).any(axis=1)):
            stream = self.catalog.streams[int(index)]
            tally.findings[f"{stream.key} good"] = f"{stream.slo.name} counts more good events than events"

    @staticmethod
    def _counts_bad(stream: Stream) -> bool:
        sli = stream.slo.sli
        return isinstance(sli, (Availability, Uptime)) or (isinstance(sli, Events) and bool(sli.bad))

    def _mapping(self, batch: Batch) -> Mapping:
        found = self._mappings.get(batch.target)
        if found is None or found.table is not batch.table:
            found = self._mappings[batch.target] = self._mapper.map(batch.table)
            for index in found.streams:
                self.judge.carried(self.catalog.streams[index], batch.target)
            for vantage, present in (("edge", found.edge), ("application", found.application)):
                if present:
                    self.judge.carry(vantage, batch.target)
        return found


def _answer(batch: Batch, increase: Increase | None) -> Answer:
    if increase is None:
        return Answer(None, reason=batch.reason)
    return Answer(batch.table, timed=increase.timed and increase.gap is not None)


def _added(cells: Counts, counts: Counts, size: int) -> Counts:
    """What falls on each cell. Sums of floats are exact below 2**53, and this is many times faster."""
    if len(counts) and int(np.abs(counts).sum()) < _EXACT:
        return np.bincount(cells, counts, size).astype(np.int64)
    found = np.zeros(size, dtype=np.int64)
    np.add.at(found, cells, counts)
    return found
