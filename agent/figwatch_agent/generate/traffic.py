"""Traffic for tests: what an edge, or a probe, shows of so many good, failed and slow requests a minute."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from figwatch import contract
from figwatch_agent.durations import SECOND
from figwatch_agent.generate.promql import number
from figwatch_agent.generate.promtool import Input, Value, constant_runs, counter, named
from figwatch_agent.generate.slicing import PROBE, routes_of
from figwatch_agent.model.slo import Availability, Latency, ServiceSlos, Slo, Uptime

START = 1000
TARGET = {"instance": "edge:9090", "job": "edge"}
HISTOGRAMS = {"last_byte": contract.REQUEST_DURATION, "first_byte": contract.TIME_TO_FIRST_BYTE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """Requests of each route within one minute."""

    good: float = 0
    failed: float = 0
    slow: float = 0

    @property
    def events(self) -> float:
        """All of them."""
        return self.good + self.failed + self.slow


Story = tuple[Minute, ...]
"""Minutes from the first on; at minute 0 every counter stands where it starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What the rules count of one stream in one minute; None where nothing was measured."""

    events: float
    bad: float


Counts = list[Count | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One SLO on one route."""

    file: ServiceSlos
    slo: Slo
    route: str

    @property
    def labels(self) -> dict[str, str]:
        """Of everything that is recorded about it."""
        return {
            "migration": self.file.migration,
            "route": self.route,
            "service": self.file.service,
            "slo": self.slo.name,
        }


def streams_of(slos: tuple[tuple[ServiceSlos, Slo], ...]) -> tuple[Stream, ...]:
    """Every stream of these SLOs."""
    return tuple(Stream(file=file, slo=slo, route=route) for file, slo in slos for route in routes_of(file, slo))


def requests(slo: Slo) -> bool:
    """Whether an SLO counts requests of routes by the contract."""
    return isinstance(slo.sli, (Availability, Latency))


def inputs(slos: tuple[tuple[ServiceSlos, Slo], ...], story: Story, restart: int | None = None) -> tuple[Input, ...]:
    """Scrape targets of a service, and its probes, while the story happens.

    Counters begin at START, as those of an edge that has run for long. In the minute ``restart`` it starts anew.
    """
    found = [Input(series=named("up", TARGET), values=constant_runs([1] * (len(story) + 1)))]
    for vantage, route in _routes(slos):
        for histogram, bounds in _histograms(slos, route).items():
            found += _kinds(histogram, bounds, {contract.ROUTE: route, contract.VANTAGE: vantage}, story, restart)
    for url in sorted({slo.sli.probe.http for _, slo in slos if isinstance(slo.sli, Uptime)}):
        answers: list[Value] = [1, *(0 if minute.failed else 1 for minute in story)]
        series = named(PROBE, {"instance": url, "job": "blackbox"})
        found.append(Input(series=series, values=constant_runs(answers)))
    return tuple(found)


def alike(slos: tuple[tuple[ServiceSlos, Slo], ...], values: str, **other: str) -> list[Input]:
    """Good and fast requests on every route, all of whose counters show these samples; ``other``: labels instead."""
    found = []
    for vantage, route in _routes(slos):
        labels = {
            **TARGET,
            contract.ROUTE: route,
            contract.VANTAGE: vantage,
            contract.STATUS: "200",
            contract.ERROR_TYPE: "",
            contract.SERVED_BY: "service",
            contract.METHOD: "PUT",
            **other,
        }
        for histogram, bounds in _histograms(slos, route).items():
            found.append(Input(series=named(histogram + "_count", labels), values=values))
            for bound in sorted(bounds):
                series = named(histogram + "_bucket", {**labels, "le": number(bound)})
                found.append(Input(series=series, values=values))
    return found


def counts(stream: Stream, story: Story) -> Counts:
    """What the rules must count of it, from minute 0 on."""
    sli = stream.slo.sli
    if isinstance(sli, Uptime):
        return [Count(events=1, bad=0), *(Count(events=1, bad=1 if minute.failed else 0) for minute in story)]
    slow_is_bad = isinstance(sli, Latency)
    return [
        None,
        *(Count(events=m.events, bad=m.failed + (m.slow if slow_is_bad else 0)) for m in story),
    ]


def _routes(slos: tuple[tuple[ServiceSlos, Slo], ...]) -> list[tuple[str, str]]:
    """(vantage, template) of every route whose requests are counted."""
    return sorted({(file.vantage, route) for file, slo in slos if requests(slo) for route in routes_of(file, slo)})


def _histograms(slos: tuple[tuple[ServiceSlos, Slo], ...], route: str) -> dict[str, set[Fraction]]:
    found: dict[str, set[Fraction]] = {}
    for file, slo in slos:
        if requests(slo) and route in routes_of(file, slo):
            of = slo.sli.of if isinstance(slo.sli, Latency) else "last_byte"
            bounds = found.setdefault(HISTOGRAMS[of], set())
            if isinstance(slo.sli, Latency):
                bounds.add(Fraction(slo.sli.threshold, SECOND))
    return dict(sorted(found.items()))


def _kinds(
    histogram: str, bounds: set[Fraction], where: dict[str, str], story: Story, restart: int | None
) -> Iterator[Input]:
    kinds = (("good", "200", ""), ("failed", "500", "500"), ("slow", "200", ""))
    for kind, status, error in kinds:
        labels = {
            **TARGET,
            **where,
            contract.STATUS: status,
            contract.ERROR_TYPE: error,
            contract.SERVED_BY: "service",
            contract.METHOD: "POST" if kind == "slow" else "GET",
        }
        increments: list[Value] = [getattr(minute, kind) for minute in story]
        yield Input(series=named(histogram + "_count", labels), values=counter(increments, START, restart))
        for bound in sorted(bounds):
            inside: list[Value] = [0] * len(story) if kind == "slow" else increments
            series = named(histogram + "_bucket", {**labels, "le": number(bound)})
            yield Input(series=series, values=counter(inside, START, restart))
