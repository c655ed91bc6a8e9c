"""From answers of scrape targets to events of streams, routes and latency buckets."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import SECOND, Duration, Instant
from figwatch_agent.engine.catalog import Catalog, Stream
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
    metric_of,
    shown,
)
from figwatch_agent.engine.tally import Tally
from figwatch_agent.evaluate.increases import CounterMemory, Increase, joined
from figwatch_agent.model.batch import Batch, Counted
from figwatch_agent.model.slo import Availability, Events, Histogram, Latency, Promql, Uptime

Counts = NDArray[np.int64]


class Counter:
    """Turns batches into a Tally, remembering last values and which scrape target carries which stream."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.memories: dict[str, CounterMemory] = {}
        self.carriers: dict[str, set[str]] = {}  # stream key or vantage -> scrape targets that ever had its series
        self._mappings: dict[str, Mapping] = {}
        self._uses_bad = np.array([self._counts_bad(stream) for stream in catalog.streams], dtype=np.bool_)
        self._mapper = Mapper(catalog)
        self._keyed = KeyedCounts(catalog)

    def wanted(self) -> frozenset[str]:
        """Names of the samples that count for something."""
        return self._mapper.wanted()

    def count(self, batches: tuple[Batch, ...], now: Instant, counted: tuple[Counted, ...] = ()) -> Tally:
        """Everything the batches of one tick say, and what sources counted themselves."""
        tally = self.empty()
        increases: dict[str, Increase | None] = {}
        for batch in batches:
            increases[batch.target] = joined(increases.get(batch.target), self._observe(batch, tally))
        self._judge_streams(batches, increases, tally)
        for each in counted:
            self._keyed.add(each, tally)
        self._find_excess(tally)
        return tally

    def empty(self) -> Tally:
        """No events at all."""
        streams, routes = len(self.catalog.streams), len(self.catalog.routes)
        return Tally(
            total=np.zeros((streams, len(SIDES)), dtype=np.int64),
            bad=np.zeros((streams, len(SIDES)), dtype=np.int64),
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
            memory.fail()
            tally.findings[batch.target] = f"scrape target {batch.target} is down: {batch.reason}"
            return None
        mapping = self._mapping(batch)
        increase = memory.observe(batch, self.catalog.longest_gap)
        if increase.started and increase.answered_before:
            tally.findings[f"{batch.target} births"] = (
                f"{increase.started} series of {batch.target} appeared with values that cannot have come about since "
                "the last scrape; counting starts there"
            )
        self._add(mapping, increase, tally)
        return increase

    def _add(self, mapping: Mapping, increase: Increase, tally: Tally) -> None:
        flat = np.zeros(len(self.catalog.streams) * len(SIDES) * KINDS, dtype=np.int64)
        np.add.at(flat, mapping.cells, increase.counts[mapping.rows])
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
        np.add.at(traffic, mapping.traffic_cells, increase.counts[mapping.traffic_rows])
        np.add.at(buckets, mapping.bucket_cells, increase.counts[mapping.bucket_rows])

    def _judge_streams(self, batches: tuple[Batch, ...], increases: dict[str, Increase | None], tally: Tally) -> None:
        answered = {batch.target: batch for batch in batches}
        for stream in self.catalog.streams:
            if stream.probed:
                continue
            carriers = self.carriers.get(self._carrier_key(stream), set())
            why, gap = self._why_unknown(stream, sorted(carriers), answered, increases)
            if why:
                tally.stream_findings[stream.index] = why
            else:
                tally.known[stream.index] = True
                tally.covered[stream.index] = gap

    def _find_excess(self, tally: Tally) -> None:
        excess = (tally.bad < 0).any(axis=1)
        for index in np.flatnonzero(excess):
            stream = self.catalog.streams[int(index)]
            tally.findings[f"{stream.key} good"] = f"{stream.slo.name} counts more good events than events"

    def _why_unknown(
        self,
        stream: Stream,
        carriers: list[str],
        answered: dict[str, Batch],
        increases: dict[str, Increase | None],
    ) -> tuple[str, Duration]:
        if isinstance(stream.slo.sli, Promql):
            return "PromQL needs a Prometheus source", 0
        if not carriers:
            return f"no scrape target has shown {metric_of(stream)} yet", 0
        gap: Duration | None = None
        for target in carriers:
            batch, increase = answered.get(target), increases.get(target)
            if batch is None:
                return f"scrape target {target} is not scraped any more", 0
            if increase is None:
                return f"scrape target {target} is down: {batch.reason}", 0
            if not shown(metric_of(stream), batch.table):
                return f"metric {metric_of(stream)} is gone from {target}: renamed?", 0
            if not increase.timed or increase.gap is None:
                return f"counting of {target} has just begun", 0
            gap = increase.gap if gap is None else min(gap, increase.gap)
        missing = self._missing_bucket(stream, carriers)
        return missing, gap or 0

    def _missing_bucket(self, stream: Stream, carriers: list[str]) -> str:
        sli = stream.slo.sli
        if isinstance(sli, Latency) and Fraction(sli.threshold, SECOND) in BOUNDS:
            return ""
        if isinstance(sli, (Latency, Histogram)):
            for target in carriers:
                mapping = self._mappings.get(target)
                if mapping is not None and stream.index in mapping.streams and not mapping.has_good(stream):
                    return f"the threshold of {stream.slo.name} is no bucket bound of {metric_of(stream)}"
        return ""

    def _carrier_key(self, stream: Stream) -> str:
        return stream.service.vantage if stream.sided else stream.key

    @staticmethod
    def _counts_bad(stream: Stream) -> bool:
        sli = stream.slo.sli
        return isinstance(sli, (Availability, Uptime)) or (isinstance(sli, Events) and bool(sli.bad))

    def _mapping(self, batch: Batch) -> Mapping:
        found = self._mappings.get(batch.target)
        if found is None or found.table is not batch.table:
            found = self._mappings[batch.target] = self._mapper.map(batch.table)
            for index in found.streams:
                self.carriers.setdefault(self._carrier_key(self.catalog.streams[index]), set()).add(batch.target)
            for vantage, present in (("edge", found.edge), ("application", found.application)):
                if present:
                    self.carriers.setdefault(vantage, set()).add(batch.target)
        return found
