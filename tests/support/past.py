"""Histories at random, and the same histories as the answers that a live agent would have been given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random

import numpy as np
from numpy.typing import NDArray

from figwatch import contract
from figwatch_agent.durations import SECOND, Duration, Instant
from figwatch_agent.model.batch import Batch, Series, SeriesTable, down
from figwatch_agent.model.past import History, PastTarget, Track
from figwatch_agent.model.selector import Matcher, Selector
from figwatch_agent.model.settings import Scrape, Settings
from figwatch_agent.model.slo import Availability, Events, Histogram, Latency, ServiceSlos, Sli, Slo
from support.world import CHAT, MODELS, START, TIERS, service, settings

STEP: Duration = 10 * SECOND
SHAPES = ("steady", "resets", "vanishes", "late")


def selector(metric: str, **labels: str) -> Selector:
    """A selector by equality."""
    return Selector(
        metric=metric,
        matchers=tuple(Matcher(label=label, operator="=", value=value) for label, value in labels.items()),
    )


def counted_services() -> tuple[ServiceSlos, ...]:
    """Every SLI that a history can answer: the contract's on two routes, events by good and by bad, a histogram."""
    objective = Fraction(999, 1000)
    slis: dict[str, Sli] = {
        "availability": Availability(),
        "latency": Latency(threshold=200),
        "good": Events(total=(selector("jobs_total"),), good=(selector("jobs_total", result="ok"),)),
        "bad": Events(
            total=(selector("jobs_total"), selector("tasks_total")),
            bad=(selector("jobs_total", result="failed"), selector("tasks_total", result="failed")),
        ),
        "bucket": Histogram(selectors=(selector("render_seconds"),), threshold=Fraction(1, 2)),
        "no bucket": Histogram(selectors=(selector("render_seconds"),), threshold=Fraction(7)),
    }
    slos = tuple(Slo(name=name, sli=sli, objective=objective, tiers=TIERS[:1]) for name, sli in slis.items())
    return (replace(service(routes=(CHAT, MODELS)), slos=slos, criteria=()),)


def counted_settings(interval: Duration = STEP) -> Settings:
    """Settings of an agent that looks so often."""
    return replace(settings(), source=Scrape(targets=(), interval=interval))


def series_of(target: str) -> list[Series]:
    """Every series that a scrape target may show."""
    found = [
        Series(name=name, labels=(("instance", target), ("result", result)))
        for name in ("jobs_total", "tasks_total")
        for result in ("ok", "failed")
    ]
    found += [
        Series(name="render_seconds_bucket", labels=(("instance", target), ("le", bound))) for bound in ("0.5", "+Inf")
    ]
    found.append(Series(name="render_seconds_count", labels=(("instance", target),)))
    for route, side, status in (
        (CHAT, "service", "200"),
        (CHAT, "service", "500"),
        (CHAT, "legacy", "200"),
        (CHAT, "shadow", "500"),
        (MODELS, "nonsense", "500"),
    ):
        labels = {
            contract.ROUTE: route,
            contract.SERVED_BY: side,
            contract.STATUS: status,
            contract.ERROR_TYPE: "",
            contract.VANTAGE: "edge",
            "instance": target,
        }
        found.append(Series(name=contract.REQUEST_DURATION + "_count", labels=tuple(sorted(labels.items()))))
        labels["le"] = "0.2"
        found.append(Series(name=contract.REQUEST_DURATION + "_bucket", labels=tuple(sorted(labels.items()))))
    return found


def random_history(random: Random, ticks: int) -> History:
    """Some scrape targets with answers missing, counters that are reset, vanish, come late or say when they began."""
    targets = []
    for name in ("a:1", "b:1")[: random.randint(1, 2)]:
        offset = random.randint(0, STEP - 1)
        missing = random.choice((0.0, 0.0, 0.1, 0.4))
        answers = [START + place * STEP + offset for place in range(ticks) if random.random() >= missing]
        chosen = [series for series in series_of(name) if random.random() < 0.8]
        tracks: list[Track] = []
        for series in chosen:
            track = _track(random, series, answers)
            tracks += [track, *_created(random, track)]
        if tracks:
            targets.append(PastTarget(name=name, tracks=tuple(tracks)))
    return History(targets=tuple(targets))


def _track(random: Random, series: Series, answers: list[Instant]) -> Track:
    shape = random.choice(SHAPES)
    shown = answers[random.randint(0, len(answers)) :] if shape == "late" else answers
    if shape == "vanishes":
        shown = [at for at in shown if random.random() < 0.7]
    value, values = float(random.choice((0, 3, 10_000))), []
    for _ in shown:
        value += random.choice((0, 0, 1, 5, 400))
        if shape == "resets" and random.random() < 0.2:
            value = float(random.randint(0, 3))
        values.append(value)
    return Track(series=series, at=np.array(shown, dtype=np.int64), values=np.array(values, dtype=np.float64))


def _created(random: Random, track: Track) -> Iterator[Track]:
    """When the counter began, now and then."""
    if random.random() < 0.7 or not len(track.at) or not track.series.name.endswith(("_total", "_count")):
        return
    base = track.series.name.rpartition("_")[0]
    began = (int(track.at[0]) - random.randint(-1, 30) * SECOND) / 1000
    values = np.full(len(track.at), began)
    if random.random() < 0.5:
        values[len(values) // 2 :] += 7
    yield Track(series=Series(name=f"{base}_created", labels=track.series.labels), at=track.at, values=values)


@dataclass(slots=True)
class _Scraped:
    """What one scrape target answered, by tick."""

    target: PastTarget
    table: SeriesTable | None = None

    def batch(self, since: Instant, now: Instant, begun: bool) -> Batch | None:
        """Its answer in (since, now]; down where it did not answer and had before; None before its first."""
        plain = [track for track in self.target.tracks if not track.series.name.endswith("_created")]
        instants = {int(at) for track in plain for at in track.at.tolist() if since < at <= now}
        if not instants:
            return down(self.target.name, now, "refused") if begun else None
        (at,) = instants
        shown = [(track, int(np.flatnonzero(track.at == at)[0])) for track in plain if at in track.at]
        series = tuple(track.series for track, _ in shown)
        if self.table is None or self.table.series != series:
            self.table = SeriesTable(series, frozenset(_family(one.name) for one in series))
        return Batch(
            target=self.target.name,
            at=at,
            up=True,
            table=self.table,
            values=np.array([track.values[place] for track, place in shown], dtype=np.float64),
            created=self._began(series, at),
        )

    def _began(self, series: tuple[Series, ...], at: Instant) -> NDArray[np.int64]:
        told: dict[tuple[str, object], int] = {}
        for track in self.target.tracks:
            if track.series.name.endswith("_created") and at in track.at:
                seconds = float(track.values[track.at == at][0])
                told[track.series.name.removesuffix("_created"), track.series.labels] = round(seconds * 1000)
        return np.array(
            [told.get((_family(one.name), tuple(p for p in one.labels if p[0] != "le")), 0) for one in series],
            dtype=np.int64,
        )


def batches(history: History, ticks: list[Instant], start: Instant) -> Iterator[tuple[Instant, tuple[Batch, ...]]]:
    """What the scrape targets of a history answered at each tick; every target at most once a tick."""
    scraped = [_Scraped(target) for target in history.targets]
    begun: set[str] = set()
    since = start
    for now in ticks:
        found = [one.batch(since, now, one.target.name in begun) for one in scraped]
        answers = tuple(batch for batch in found if batch is not None)
        begun |= {batch.target for batch in answers}
        yield now, answers
        since = now


def _family(name: str) -> str:
    for suffix in ("_bucket", "_count", "_total"):
        name = name.removesuffix(suffix)
    return name
