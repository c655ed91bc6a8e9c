"""Where the series of a page count: rows of its table to cells of streams, routes and latency buckets."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from figwatch import contract
from figwatch_agent.durations import SECOND
from figwatch_agent.engine.catalog import Catalog, Stream
from figwatch_agent.evaluate.selection import RequestSeries, parse_bound, read_request, selected
from figwatch_agent.model.batch import Series, SeriesTable
from figwatch_agent.model.selector import Selector
from figwatch_agent.model.slo import Availability, Events, Histogram, Latency

Counts = NDArray[np.int64]

SIDES = ("legacy", "service", "unknown")
"""Sides that users are served by; shadow copies are never counted for an SLI."""

TRAFFIC_SIDES = ("legacy", "service", "shadow", "unknown")
BUCKET_SIDES = ("service", "legacy")
BOUNDS: tuple[Fraction, ...] = tuple(Fraction(str(bound)) for bound in contract.BUCKETS)
ELSEWHERE = "(other routes)"
"""Requests at the edge on routes that no file declares; they count for the total legacy ratio."""

TOTAL, GOOD, BAD = 0, 1, 2
"""Kinds of a stream's cells."""

KINDS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
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

    def has_good(self, stream: Stream) -> bool:
        """Whether any series counts good events of a stream."""
        mine = self.cells // (len(SIDES) * KINDS) == stream.index
        return bool(np.any(mine & (self.cells % KINDS == GOOD)))


class Mapper:
    """Knows what every series of a catalog's metrics counts for."""

    def __init__(self, catalog: Catalog) -> None:
        self._elsewhere = len(catalog.routes)
        self._routes = {route.route.template: route.index for route in catalog.routes}
        self._by_route, self._by_sample, self._by_label = _indexed(catalog)

    def wanted(self) -> frozenset[str]:
        """Names of the samples that count for something."""
        names = {*self._by_sample, *(name for name, _, _ in self._by_label)}
        for histogram in (contract.REQUEST_DURATION, contract.TIME_TO_FIRST_BYTE):
            names |= {histogram + "_bucket", histogram + "_count"}
        return frozenset(names)

    def map(self, table: SeriesTable) -> Mapping:
        """The mapping of one table."""
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
            for stream in self._own(series):
                found = self._own_cells(stream, series)
                cells += [(row, cell) for cell in found]
                streams.update([stream.index] if found else [])
        return Mapping(
            table,
            *_columns(cells),
            *_columns(traffic),
            *_columns(buckets),
            frozenset(streams),
            "edge" in vantages,
            "application" in vantages,
        )

    def _own(self, series: Series) -> list[Stream]:
        """Streams whose own selectors may select the series: of thousands, the few that name one of its labels."""
        found = {stream.index: stream for stream in self._by_sample.get(series.name, ())}
        for label, value in series.labels if self._by_label else ():
            for stream in self._by_label.get((series.name, label, value), ()):
                found[stream.index] = stream
        return [found[index] for index in sorted(found)]

    def _map_traffic(
        self, row: int, request: RequestSeries, traffic: list[tuple[int, int]], buckets: list[tuple[int, int]]
    ) -> None:
        if request.vantage != "edge" or request.histogram != contract.REQUEST_DURATION:
            return
        index = self._routes.get(request.route)
        if request.counts_all:
            place = self._elsewhere if index is None else index
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
            for selectors, kind in ((sli.total, TOTAL), (sli.good, GOOD), (sli.bad, BAD)):
                if selectors and selected(selectors, series):
                    cells.append(_cell(stream, "unknown", kind))
        elif isinstance(sli, Histogram):
            if selected(sli.selectors, series, "_count"):
                cells.append(_cell(stream, "unknown", TOTAL))
            if (
                selected(sli.selectors, series, "_bucket")
                and parse_bound(series.mapping().get("le", "")) == sli.threshold
            ):
                cells.append(_cell(stream, "unknown", GOOD))
        return cells

    @staticmethod
    def _request_cells(stream: Stream, request: RequestSeries) -> list[int]:
        sli = stream.slo.sli
        if (
            request.route != stream.route
            or request.vantage != stream.service.vantage
            or request.side == "shadow"
            or request.gone
            or request.histogram != metric_of(stream)
        ):
            return []
        if request.counts_all:
            cells = [_cell(stream, request.side, TOTAL)]
            if isinstance(sli, Availability) and request.failed:
                cells.append(_cell(stream, request.side, BAD))
            return cells
        within = isinstance(sli, Latency) and request.bound == Fraction(sli.threshold, SECOND)
        return [_cell(stream, request.side, GOOD)] if within and not request.failed else []


def metric_of(stream: Stream) -> str:
    """The metric whose absence from a page makes a stream unknown."""
    sli = stream.slo.sli
    if isinstance(sli, Events):
        return sli.total[0].metric
    if isinstance(sli, Histogram):
        return sli.selectors[0].metric
    if isinstance(sli, Latency) and sli.of == "first_byte":
        return contract.TIME_TO_FIRST_BYTE
    return contract.REQUEST_DURATION


def shown(metric: str, table: SeriesTable) -> bool:
    """Whether a page has the metric, with or without series; OpenMetrics names a counter's family without _total."""
    return metric in table.families or metric.removesuffix("_total") in table.families


_Label = tuple[str, str, str]  # of a sample: its name, a label and the label's value


def _indexed(catalog: Catalog) -> tuple[dict[str, list[Stream]], dict[str, list[Stream]], dict[_Label, list[Stream]]]:
    """Streams by the route whose requests they count, by samples of their own metrics, and by samples with a label.

    A stream stands under a label where every one of its selectors for that sample asks for a label by equality.
    """
    by_route: dict[str, list[Stream]] = {}
    by_sample: dict[str, list[Stream]] = {}
    by_label: dict[_Label, list[Stream]] = {}
    for stream in catalog.streams:
        if stream.sided:
            by_route.setdefault(stream.route, []).append(stream)
        asked: dict[str, list[Selector]] = {}
        for name, selector in _samples_of(stream):
            asked.setdefault(name, []).append(selector)
        for name, selectors in asked.items():
            pairs = [_equality(selector) for selector in selectors]
            known = {(name, *pair) for pair in pairs if pair is not None}
            if None in pairs:
                by_sample.setdefault(name, []).append(stream)
            else:
                for key in known:
                    by_label.setdefault(key, []).append(stream)
    return by_route, by_sample, by_label


def _samples_of(stream: Stream) -> list[tuple[str, Selector]]:
    """Names of the samples that a stream's own selectors are about, with the selectors."""
    sli = stream.slo.sli
    if isinstance(sli, Events):
        return [(selector.metric, selector) for selector in (*sli.total, *sli.good, *sli.bad)]
    if isinstance(sli, Histogram):
        return [(selector.metric + suffix, selector) for selector in sli.selectors for suffix in ("_bucket", "_count")]
    return []


def _equality(selector: Selector) -> tuple[str, str] | None:
    """A label and the value that it must have; None where the selector leaves every label open."""
    return next(((one.label, one.value) for one in selector.matchers if one.operator == "=" and one.value), None)


def _cell(stream: Stream, side: str, kind: int) -> int:
    return (stream.index * len(SIDES) + SIDES.index(side)) * KINDS + kind


def _columns(pairs: list[tuple[int, int]]) -> tuple[Counts, Counts]:
    return (
        np.array([row for row, _ in pairs], dtype=np.int64),
        np.array([cell for _, cell in pairs], dtype=np.int64),
    )


def _position(bound: Fraction | None) -> int | None:
    return BOUNDS.index(bound) if bound in BOUNDS else None
