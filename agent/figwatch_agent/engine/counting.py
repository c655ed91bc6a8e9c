"""From answers of scrape targets to events of streams, routes and latency buckets."""

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from figwatch import contract
from figwatch_agent.durations import SECOND, Duration, Instant
from figwatch_agent.engine.catalog import Catalog, Stream
from figwatch_agent.evaluate.increases import CounterMemory, Increase
from figwatch_agent.evaluate.selection import RequestSeries, read_request, selected
from figwatch_agent.model.batch import Batch, Series, SeriesTable
from figwatch_agent.model.slo import Availability, Events, Histogram, Latency, Promql, Uptime

Counts = NDArray[np.int64]

SIDES = ("legacy", "service", "unknown")
"""Sides that users are served by; shadow copies are never counted for an SLI."""

TRAFFIC_SIDES = ("legacy", "service", "shadow", "unknown")
BUCKET_SIDES = ("service", "legacy")
BOUNDS: tuple[Fraction, ...] = tuple(Fraction(str(bound)) for bound in contract.BUCKETS)
ELSEWHERE = "(other routes)"
"""Requests at the edge on routes that no file declares; they count for the total legacy ratio."""

_TOTAL, _GOOD, _BAD = 0, 1, 2


@dataclass(slots=True, eq=False)
class Tally:
    """Events of one tick."""

    total: Counts  # [stream, side]
    bad: Counts  # [stream, side]
    untimed_total: Counts  # [stream]: counted, but in no window
    untimed_bad: Counts  # [stream]
    known: NDArray[np.bool_]  # [stream]: measured in this tick
    covered: Counts  # [stream]: milliseconds that became known
    traffic: Counts  # [route + 1, traffic side]
    buckets: Counts  # [route, bucket side, bucket]
    findings: dict[str, str] = field(default_factory=dict)  # by what it is about
    stream_findings: dict[int, str] = field(default_factory=dict)  # why a stream is not measured


@dataclass(frozen=True, slots=True, eq=False)
class _Mapping:
    """Where the rows of one table count."""

    table: SeriesTable
    rows: Counts  # rows that count for a stream
    cells: Counts  # flat positions in [stream, side, kind]
    traffic_rows: Counts
    traffic_cells: Counts
    bucket_rows: Counts
    bucket_cells: Counts
    streams: frozenset[int]  # streams that have series here
    edge: bool  # whether the page has request series counted at the edge
    application: bool


class Counter:
    """Turns batches into a Tally, remembering last values and which scrape target carries which stream."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.memories: dict[str, CounterMemory] = {}
        self.carriers: dict[str, set[str]] = {}  # stream key or vantage -> scrape targets that ever had its series
        self._mappings: dict[str, _Mapping] = {}
        self._uses_bad = np.array([self._counts_bad(stream) for stream in catalog.streams], dtype=np.bool_)
        self._by_route, self._by_sample = _indexed(catalog)
        self._routes = {route.route.template: route.index for route in catalog.routes}

    def wanted(self) -> frozenset[str]:
        """Names of the samples that count for something."""
        names = set(self._by_sample)
        for histogram in (contract.REQUEST_DURATION, contract.TIME_TO_FIRST_BYTE):
            names |= {histogram + "_bucket", histogram + "_count"}
        return frozenset(names)

    def count(self, batches: tuple[Batch, ...], now: Instant) -> Tally:
        """Everything the batches of one tick say."""
        tally = self._empty()
        increases: dict[str, Increase | None] = {}
        for batch in batches:
            increases[batch.target] = self._observe(batch, tally)
        self._judge_streams(batches, increases, tally)
        return tally

    def _empty(self) -> Tally:
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

    def _add(self, mapping: _Mapping, increase: Increase, tally: Tally) -> None:
        flat = np.zeros(len(self.catalog.streams) * len(SIDES) * 3, dtype=np.int64)
        np.add.at(flat, mapping.cells, increase.counts[mapping.rows])
        kinds = flat.reshape(len(self.catalog.streams), len(SIDES), 3)
        total = kinds[:, :, _TOTAL]
        bad = np.where(self._uses_bad[:, None], kinds[:, :, _BAD], total - kinds[:, :, _GOOD])
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
            return f"no scrape target has shown {self._metric(stream)} yet", 0
        gap: Duration | None = None
        for target in carriers:
            batch, increase = answered.get(target), increases.get(target)
            if batch is None:
                return f"scrape target {target} is not scraped any more", 0
            if increase is None:
                return f"scrape target {target} is down: {batch.reason}", 0
            if not _shown(self._metric(stream), batch.table):
                return f"metric {self._metric(stream)} is gone from {target}: renamed?", 0
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
                if mapping is not None and stream.index in mapping.streams and not self._has_good(mapping, stream):
                    return f"the threshold of {stream.slo.name} is no bucket bound of {self._metric(stream)}"
        return ""

    def _has_good(self, mapping: _Mapping, stream: Stream) -> bool:
        cells = mapping.cells
        return bool(np.any((cells // (len(SIDES) * 3) == stream.index) & (cells % 3 == _GOOD)))

    @staticmethod
    def _metric(stream: Stream) -> str:
        sli = stream.slo.sli
        if isinstance(sli, Events):
            return sli.total[0].metric
        if isinstance(sli, Histogram):
            return sli.selectors[0].metric
        if isinstance(sli, Latency) and sli.of == "first_byte":
            return contract.TIME_TO_FIRST_BYTE
        return contract.REQUEST_DURATION

    def _carrier_key(self, stream: Stream) -> str:
        return stream.service.vantage if stream.sided else stream.key

    @staticmethod
    def _counts_bad(stream: Stream) -> bool:
        sli = stream.slo.sli
        return isinstance(sli, (Availability, Uptime)) or (isinstance(sli, Events) and bool(sli.bad))

    def _mapping(self, batch: Batch) -> _Mapping:
        found = self._mappings.get(batch.target)
        if found is None or found.table is not batch.table:
            found = self._mappings[batch.target] = self._map(batch.table)
            for index in found.streams:
                self.carriers.setdefault(self._carrier_key(self.catalog.streams[index]), set()).add(batch.target)
            for vantage, present in (("edge", found.edge), ("application", found.application)):
                if present:
                    self.carriers.setdefault(vantage, set()).add(batch.target)
        return found

    def _map(self, table: SeriesTable) -> _Mapping:
        cells: list[tuple[int, int]] = []
        traffic: list[tuple[int, int]] = []
        buckets: list[tuple[int, int]] = []
        streams: set[int] = set()
        vantages: set[str] = set()
        for row, series in enumerate(table.series):
            request = read_request(series)
            if request is not None:
                vantages.add(request.vantage)
                self._map_traffic(row, request, traffic, buckets)
                for stream in self._by_route.get(request.route, ()):
                    found = self._request_cells(stream, request)
                    cells += [(row, cell) for cell in found]
                    streams.update([stream.index] if found else [])
            for stream in self._by_sample.get(series.name, ()):
                found = self._own_cells(stream, series)
                cells += [(row, cell) for cell in found]
                streams.update([stream.index] if found else [])
        return _Mapping(
            table,
            *_columns(cells),
            *_columns(traffic),
            *_columns(buckets),
            frozenset(streams),
            "edge" in vantages,
            "application" in vantages,
        )

    def _map_traffic(
        self, row: int, request: RequestSeries, traffic: list[tuple[int, int]], buckets: list[tuple[int, int]]
    ) -> None:
        if request.vantage != "edge" or request.histogram != contract.REQUEST_DURATION:
            return
        index = self._routes.get(request.route)
        if request.counts_all:
            place = len(self.catalog.routes) if index is None else index
            traffic.append((row, place * len(TRAFFIC_SIDES) + TRAFFIC_SIDES.index(request.side)))
        elif index is not None and request.side in BUCKET_SIDES and not request.gone:
            bucket = len(BOUNDS) if request.endless else _position(request.bound)
            if bucket is not None:
                side = BUCKET_SIDES.index(request.side)
                buckets.append((row, (index * len(BUCKET_SIDES) + side) * (len(BOUNDS) + 1) + bucket))

    @staticmethod
    def _own_cells(stream: Stream, series: Series) -> list[int]:
        sli = stream.slo.sli
        cells: list[int] = []
        if isinstance(sli, Events):
            for selectors, kind in ((sli.total, _TOTAL), (sli.good, _GOOD), (sli.bad, _BAD)):
                if selectors and selected(selectors, series):
                    cells.append(_cell(stream, "unknown", kind))
        elif isinstance(sli, Histogram):
            if selected(sli.selectors, series, "_count"):
                cells.append(_cell(stream, "unknown", _TOTAL))
            if selected(sli.selectors, series, "_bucket") and _bound_is(series, sli.threshold):
                cells.append(_cell(stream, "unknown", _GOOD))
        return cells

    def _request_cells(self, stream: Stream, request: RequestSeries) -> list[int]:
        sli = stream.slo.sli
        if (
            request.route != stream.route
            or request.vantage != stream.service.vantage
            or request.side == "shadow"
            or request.gone
            or request.histogram != self._metric(stream)
        ):
            return []
        if request.counts_all:
            cells = [_cell(stream, request.side, _TOTAL)]
            if isinstance(sli, Availability) and request.failed:
                cells.append(_cell(stream, request.side, _BAD))
            return cells
        within = isinstance(sli, Latency) and request.bound == Fraction(sli.threshold, SECOND)
        return [_cell(stream, request.side, _GOOD)] if within and not request.failed else []


def _shown(metric: str, table: SeriesTable) -> bool:
    """Whether a page has the metric, with or without series; OpenMetrics names a counter's family without _total."""
    return metric in table.families or metric.removesuffix("_total") in table.families


def _indexed(catalog: Catalog) -> tuple[dict[str, list[Stream]], dict[str, list[Stream]]]:
    """Streams by the route whose requests they count, and by the samples of their own metrics."""
    by_route: dict[str, list[Stream]] = {}
    by_sample: dict[str, list[Stream]] = {}
    for stream in catalog.streams:
        sli = stream.slo.sli
        names: set[str] = set()
        if stream.sided:
            by_route.setdefault(stream.route, []).append(stream)
        elif isinstance(sli, Events):
            names = {selector.metric for selector in (*sli.total, *sli.good, *sli.bad)}
        elif isinstance(sli, Histogram):
            names = {selector.metric + suffix for selector in sli.selectors for suffix in ("_bucket", "_count")}
        for name in names:
            by_sample.setdefault(name, []).append(stream)
    return by_route, by_sample


def _cell(stream: Stream, side: str, kind: int) -> int:
    return (stream.index * len(SIDES) + SIDES.index(side)) * 3 + kind


def _columns(pairs: list[tuple[int, int]]) -> tuple[Counts, Counts]:
    return (
        np.array([row for row, _ in pairs], dtype=np.int64),
        np.array([cell for _, cell in pairs], dtype=np.int64),
    )


def _position(bound: Fraction | None) -> int | None:
    return BOUNDS.index(bound) if bound in BOUNDS else None


def _bound_is(series: Series, threshold: Fraction) -> bool:
    text = dict(series.labels).get("le", "")
    try:
        return Fraction(text) == threshold
    except (ValueError, ZeroDivisionError):
        return False
