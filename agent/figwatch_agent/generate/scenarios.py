"""Stories from raw counters to alerts, minute by minute, for the rules of one service."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from urllib.parse import quote_plus

from figwatch import contract
from figwatch_agent.durations import MINUTE, SECOND, Duration
from figwatch_agent.generate.expectation import Burning, Look, Window, burning, window
from figwatch_agent.generate.promtool import FINITE, Check, Firing, Input, Scenario, constant_runs, counter, named
from figwatch_agent.generate.rule import Alert, Group
from figwatch_agent.generate.rules import Service
from figwatch_agent.generate.series import ALL, BAD, EVENTS, RATIO, REMAINING, over
from figwatch_agent.generate.traffic import (
    TARGET,
    Counts,
    Minute,
    Story,
    Stream,
    alike,
    counts,
    inputs,
    requests,
    streams_of,
)
from figwatch_agent.model.slo import Availability, Events, Histogram

GOOD = Minute(good=600)
FAILED = Minute(failed=600)
SLOW = Minute(slow=600)
IDLE = Minute()
FIVE: Duration = 5 * MINUTE

TIERS = 'count by (alertname, slo, route, tier, severity) (ALERTS{alertstate="firing",tier!="signal"})'
SIGNALS = 'count by (alertname, slo, route) (ALERTS{alertstate="firing",tier="signal"})'


def simulated(service: Service, story: Story) -> dict[Stream, Counts]:
    """What is counted of every stream that raw series stand for."""
    return {
        stream: counts(stream, story)
        for stream in streams_of(service.slos)
        if not isinstance(stream.slo.sli, (Events, Histogram))
    }


class Stage:
    """Scenarios of one service, with or without tiers."""

    def __init__(self, service: Service, alpha: Fraction, groups: Sequence[Group], *, tiers: bool) -> None:
        """``groups`` are the rules under test; ``tiers``: whether they alert on burn rates."""
        self.service = service
        self.alpha = alpha
        self.groups = groups
        self.tiers = tiers

    def play(
        self,
        name: str,
        story: Story,
        minutes: Sequence[int],
        *,
        told: Sequence[int] = (),
        counted: Mapping[Stream, Counts] | None = None,
        more: tuple[Input, ...] = (),
        checks: tuple[Check, ...] = (),
        signals: Callable[[int], list[tuple[str, str, str]]] | None = None,
        restart: int | None = None,
    ) -> Scenario:
        """One scenario; at ``minutes`` every count and every alert is compared, at ``told`` the words as well."""
        known = simulated(self.service, story) if counted is None else counted
        found: list[Check] = []
        for minute in minutes:
            found += self._numbers(known, minute)
            found += self._alerts(known, minute, signals(minute) if signals else [])
        firing: tuple[Firing, ...] = ()
        for minute in told if self.tiers else ():
            firing += words(self.groups, burning(_looks(known, minute), self.alpha), minute * MINUTE)
        return Scenario(
            name=name,
            inputs=(*inputs(self.service.slos, story, restart), *more),
            checks=(*found, *checks),
            firing=firing,
        )

    def _numbers(self, known: Mapping[Stream, Counts], minute: int) -> Iterator[Check]:
        at = minute * MINUTE
        sums = {stream: window(counted, minute, FIVE) for stream, counted in known.items()}
        sums = {stream: found for stream, found in sums.items() if found.measured}
        if self.tiers:
            yield _check(at, over(EVENTS, FIVE), {stream: found.events for stream, found in sums.items()})
            yield _check(at, over(BAD, FIVE), {stream: found.bad for stream, found in sums.items()})
        yield _check(at, over(RATIO, FIVE), {stream: found.ratio for stream, found in sums.items() if found.events})
        for file in self.service.files:
            left = {
                stream: remaining_of(stream, window(counted, minute, file.window))
                for stream, counted in known.items()
                if stream.file is file and window(counted, minute, file.window).measured
            }
            name = f"{REMAINING}_{over('', file.window)}"
            if left:
                yield _check(at, name, left)
        yield Check(at=at, expr=FINITE, samples=(("{}", 1),) if sums else ())

    def _alerts(
        self, known: Mapping[Stream, Counts], minute: int, signals: list[tuple[str, str, str]]
    ) -> Iterator[Check]:
        at = minute * MINUTE
        if self.tiers:
            fired = burning(_looks(known, minute), self.alpha)
            yield Check(at=at, expr=TIERS, samples=tuple((each.told_apart, 1.0) for each in fired))
        said = tuple(
            (named("", {"alertname": alert, "slo": slo, "route": route}), 1.0) for alert, slo, route in signals
        )
        yield Check(at=at, expr=SIGNALS, samples=said)


def words(groups: Sequence[Group], fired: Sequence[Burning], at: Duration) -> tuple[Firing, ...]:
    """What the alerts that fire say, by the name of the alert."""
    found: dict[str, list[tuple[dict[str, str], dict[str, str]]]] = {}
    for each in fired:
        rule = _rule(groups, each)
        said = {key: rendered(text, each.stream.route, each.ratio) for key, text in rule.annotations.items()}
        found.setdefault(rule.alert, []).append((each.labels, said))
    return tuple(Firing(at=at, alert=alert, alerts=tuple(alerts)) for alert, alerts in sorted(found.items()))


def _rule(groups: Sequence[Group], fired: Burning) -> Alert:
    place = (fired.stream.slo.name, fired.tier.name)
    rules = (rule for group in groups for rule in group.rules if isinstance(rule, Alert))
    return next(rule for rule in rules if (rule.labels["slo"], rule.labels["tier"]) == place)


def _looks(known: Mapping[Stream, Counts], minute: int) -> dict[Stream, Look]:
    return {stream: partial(window, counted, minute) for stream, counted in known.items()}


def remaining_of(stream: Stream, period: Window) -> float:
    """What is left of the budget, in the order of operations that PromQL has."""
    if not period.events:
        return 1.0
    return 1 - period.bad / (float(1 - stream.slo.objective) * period.events)


def rendered(text: str, route: str, value: float) -> str:
    """A template of an annotation as Prometheus fills it in, as far as the rules use templates."""
    start, middle, end = '{{ if eq $labels.route "all" }}', "{{ else }}", "{{ end }}"
    while start in text:
        before, _, rest = text.partition(start)
        alone, _, rest = rest.partition(middle)
        with_route, _, after = rest.partition(end)
        text = before + (alone if route == ALL else with_route) + after
    text = text.replace("{{ $labels.route | urlquery }}", quote_plus(route)).replace("{{ $labels.route }}", route)
    return text.replace("{{ $value | humanizePercentage }}", f"{100 * value:.4g}%")


def _check(at: Duration, metric: str, values: Mapping[Stream, float]) -> Check:
    samples = tuple((named(metric, stream.labels), value) for stream, value in values.items())
    return Check(at=at, expr=metric, samples=samples)


def usual(stage: Stage) -> Iterator[Scenario]:
    """The eight situations every set of rules is played through, and the births of series."""
    yield stage.play("healthy", (GOOD,) * 10, [1, 5, 10])
    yield stage.play("total outage", (GOOD,) * 10 + (FAILED,) * 10, [10, 11, 20], told=[20])
    yield stage.play("every answer slow", (GOOD,) * 10 + (SLOW,) * 45, [53, 54, 55], told=[55])
    yield stage.play("recovery", (GOOD,) * 5 + (FAILED,) * 5 + (GOOD,) * 10, [10, 13, 14, 15, 20])
    yield stage.play("no traffic", (IDLE,) * 10, [1, 10])
    yield low_traffic(stage)
    yield Scenario(
        name="absent series",
        inputs=(Input(series=named("up", TARGET), values="1x10"),),
        checks=(
            Check(at=10 * MINUTE, expr='count({__name__=~"(slo|route):.+"})'),
            Check(at=10 * MINUTE, expr="count(ALERTS)"),
        ),
    )
    anew = (Minute(good=100, failed=20),)
    yield stage.play("counter reset", (GOOD,) * 5 + anew + (GOOD,) * 6, [5, 6, 10, 12], restart=5)
    yield overtaken_reset(stage)
    yield nobody_yet(stage)
    yield from births(stage)


def low_traffic(stage: Stage) -> Scenario:
    """A request every six minutes: one failure is chance, an outage is seen within a few."""
    rare = (*(IDLE,) * 5, Minute(good=1))
    bad = (*(IDLE,) * 5, Minute(failed=1))
    return stage.play("low traffic", rare * 2 + bad * 6, [17, 18, 23, 24, 30, 36, 42, 48])


def overtaken_reset(stage: Stage) -> Scenario:
    """A reset between two evaluations, after which the counter passes its old value before anybody compares."""
    streams = _of_requests(stage)
    series = alike(stage.service.slos, "10 20 30 40 50 5 60 100 150 200 250 300x4")
    minutes = ((1, 40), (2, 150), (3, 150))
    return Scenario(
        name="counter reset that is overtaken",
        inputs=(Input(series=named("up", TARGET), values="1x16"), *series),
        checks=tuple(each for minute, events in minutes for each in _minute_counts(streams, minute, events, 0)),
        interval=15 * SECOND,
    )


def nobody_yet(stage: Stage) -> Scenario:
    """Nobody has asked for a route since its edge began to show requests: from its second page on that is nothing."""
    streams = _of_requests(stage)
    others = {each.series: each for each in alike(stage.service.slos, "5x2", **{contract.ROUTE: "/elsewhere"})}
    return Scenario(
        name="a route that nobody has asked for",
        inputs=(Input(series=named("up", TARGET), values="1x2"), *others.values()),
        checks=(Check(at=0, expr=over(EVENTS, MINUTE)), *_minute_counts(streams, 1, 0, 0)),
    )


def births(stage: Stage) -> Iterator[Scenario]:
    """A series that appears counts from 0 where its scrape target answered before, else from where it is."""
    availability = _availability(stage)
    story = (GOOD,) * 7
    born = tuple(
        Input(
            series=named(contract.REQUEST_DURATION + "_count", _labels(stream, "503", "503")),
            values="_x5 7x2",
        )
        for stream in availability
    )
    yield stage.play("a born series", story, [4], more=born, checks=_minute_counts(availability, 5, 607, 7))
    elsewhere = {"instance": "edge-2:9090", "job": "edge"}
    strangers = tuple(
        Input(
            series=named(contract.REQUEST_DURATION + "_count", {**_labels(stream, "503", "503"), **elsewhere}),
            values="_x5 " + counter([10] * 2, 5000),
        )
        for stream in availability
    )
    up = Input(series=named("up", elsewhere), values="_x5 " + constant_runs([1] * 4))
    yield stage.play(
        "a scrape target that is new",
        story,
        [4],
        more=(*strangers, up),
        checks=(*_minute_counts(availability, 5, 600, 0), *_minute_counts(availability, 6, 610, 10)),
    )
    every = _of_requests(stage)
    yield Scenario(
        name="a born series of a scrape target that is new",
        inputs=(*inputs(stage.service.slos, story), *alike(stage.service.slos, "_x6 7x2", **elsewhere), up),
        checks=tuple(
            check for minute, born in ((5, 0), (6, 7), (7, 0)) for check in _minute_counts(every, minute, 600 + born, 0)
        ),
    )


def _of_requests(stage: Stage) -> list[Stream]:
    return [stream for stream in streams_of(stage.service.slos) if requests(stream.slo)]


def _availability(stage: Stage) -> list[Stream]:
    return [stream for stream in streams_of(stage.service.slos) if isinstance(stream.slo.sli, Availability)]


def _minute_counts(streams: Sequence[Stream], minute: int, events: float, bad: float) -> tuple[Check, ...]:
    if not streams:
        return ()
    wanted = f'{{slo=~"{"|".join(sorted({stream.slo.name for stream in streams}))}"}}'
    return tuple(
        Check(
            at=minute * MINUTE,
            expr=over(series, MINUTE) + wanted,
            samples=tuple((named(over(series, MINUTE), stream.labels), value) for stream in streams),
        )
        for series, value in ((EVENTS, events), (BAD, bad))
    )


def _labels(stream: Stream, status: str, error: str) -> dict[str, str]:
    return {
        **TARGET,
        contract.ROUTE: stream.route,
        contract.VANTAGE: stream.file.vantage,
        contract.STATUS: status,
        contract.ERROR_TYPE: error,
        contract.SERVED_BY: "service",
        contract.METHOD: "PUT",
    }
