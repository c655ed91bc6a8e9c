"""Raw samples of an engine as the scrapes they came from: one Batch per scrape target and instant, oldest first."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from figwatch_agent.durations import Instant
from figwatch_agent.model.batch import EMPTY_TABLE, Batch, Series, SeriesTable, down
from figwatch_agent.sources.fault import Fault, FaultReason

_SUFFIXES: Final = ("_bucket", "_count", "_sum", "_total")

Pages = dict[Instant, dict[Series, float]]


class RawSamples:
    """Remembers which series belong to which scrape target, and up to where each target was read."""

    def __init__(self, read_to: Mapping[str, Instant] | None = None) -> None:
        self.read_to: dict[str, Instant] = dict(read_to or {})
        self._known: dict[frozenset[tuple[str, str]], tuple[str, Series]] = {}
        self._tables: dict[str, SeriesTable] = {}

    @property
    def targets(self) -> tuple[str, ...]:
        """Every scrape target that ever had a wanted series."""
        return tuple(self._tables)

    def of_the_past(self, read_to: Mapping[str, Instant]) -> "RawSamples":
        """The same knowledge of scrape targets, to read what comes after other instants."""
        past = RawSamples(read_to)
        past._known, past._tables = self._known, dict(self._tables)
        return past

    def batches(self, counters: Iterable[Any], ups: Iterable[Any]) -> tuple[Batch, ...]:
        """What both results (of type matrix) hold that was not read before. Raises Fault where they are no matrices."""
        pages: dict[str, Pages] = {}
        for metric, values in _series(counters):
            target, series = self._place(metric)
            self._fill(pages.setdefault(target, {}), target, series, values)
        scrapes = self._scrapes(ups)
        found: list[Batch] = []
        for target in sorted({*pages, *(target for target in scrapes if target in self._tables)}):
            found += self._of_one(target, pages.get(target, {}), scrapes.get(target, {}))
        return tuple(sorted(found, key=lambda batch: (batch.at, batch.target)))

    def _fill(self, pages: Pages, target: str, series: Series, values: list[Any]) -> None:
        read_to = self.read_to.get(target, 0)
        for stamp, text in values:
            at = _instant(stamp)
            value = float(text)
            if at > read_to and math.isfinite(value):
                pages.setdefault(at, {})[series] = value

    def _scrapes(self, ups: Iterable[Any]) -> dict[str, dict[Instant, bool]]:
        """By scrape target what the engine's own scrapes said; an engine that is written to has none."""
        found: dict[str, dict[Instant, bool]] = {}
        for metric, values in _series(ups):
            said = found.setdefault(target_of(metric), {})
            for stamp, text in values:
                said[_instant(stamp)] = float(text) == 1
        return found

    def _of_one(self, target: str, pages: Pages, scrapes: Mapping[Instant, bool]) -> list[Batch]:
        read_to = self.read_to.get(target, 0)
        failed = {at for at, up in scrapes.items() if not up and at > read_to}
        empty = {at for at, up in scrapes.items() if up and at > read_to and target in self._tables} - pages.keys()
        found = [self._page(target, at, page) for at, page in pages.items() if at not in failed]
        found += [down(target, at, FaultReason.DOWN) for at in failed]
        found += [self._page(target, at, {}) for at in empty]  # answered, and the metric is gone
        if found:
            self.read_to[target] = max(batch.at for batch in found)
        return found

    def _page(self, target: str, at: Instant, page: Mapping[Series, float]) -> Batch:
        table, series = self._tables.get(target, EMPTY_TABLE), tuple(page)
        if table.series != series:
            ordered = tuple(sorted(series, key=lambda each: (each.name, each.labels)))
            if table.series != ordered:
                names = {each.name for each in ordered}
                table = SeriesTable(ordered, frozenset(names | {family(name) for name in names}))
            self._tables[target] = table
        values = np.array([page[each] for each in table.series], dtype=np.float64)
        return Batch(
            target=target, at=at, up=True, table=table, values=values, created=np.zeros(len(values), dtype=np.int64)
        )

    def _place(self, metric: Mapping[str, str]) -> tuple[str, Series]:
        key = frozenset(metric.items())
        found = self._known.get(key)
        if found is None:
            labels = tuple(sorted((name, value) for name, value in metric.items() if name != "__name__"))
            found = self._known[key] = target_of(metric), Series(name=metric.get("__name__", ""), labels=labels)
        return found


def target_of(labels: Mapping[str, str]) -> str:
    """The scrape target that a series came from, as Prometheus tells them apart; one for all that carry neither."""
    named = [f"{name}={labels[name]}" for name in ("job", "instance") if labels.get(name)]
    return " ".join(named) or "series without job and instance"


def family(sample: str) -> str:
    """The metric's name without what a sample's name adds."""
    for suffix in _SUFFIXES:
        if sample.endswith(suffix):
            return sample.removesuffix(suffix)
    return sample


def _series(result: Iterable[Any]) -> Iterable[tuple[Mapping[str, str], list[Any]]]:
    for each in result:
        try:
            yield each["metric"], each["values"]
        except (TypeError, KeyError):
            raise Fault(FaultReason.MALFORMED, "the answer holds no raw samples: is this a Prometheus API?") from None


def _instant(stamp: object) -> Instant:
    """Seconds as JSON has them, in whole milliseconds: an engine holds no finer."""
    if isinstance(stamp, bool) or not isinstance(stamp, (int, float)):
        raise Fault(FaultReason.MALFORMED, "a sample's timestamp is no number")
    return round(stamp * 1000)
