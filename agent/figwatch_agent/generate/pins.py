"""Counts placed so closely around every window that none can be changed unseen.

The minutes' counts are given as they would have been recorded, and the rules are evaluated once, at the end of the
longest period: a month costs no more than a minute.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from figwatch_agent.durations import DAY, HOUR, MINUTE, Duration, format_duration
from figwatch_agent.generate.expectation import Window
from figwatch_agent.generate.placed import Placed, Run, at, last, recorded
from figwatch_agent.generate.promtool import FINITE, Check, Scenario, named
from figwatch_agent.generate.rules import Service
from figwatch_agent.generate.scenarios import remaining_of
from figwatch_agent.generate.series import BAD, EVENTS, RATIO, REMAINING, WHOLE, over
from figwatch_agent.generate.signal_alerts import SILENCE, USUAL, watched
from figwatch_agent.generate.slicing import countable
from figwatch_agent.generate.sloth import ERROR_RATIO, identity
from figwatch_agent.generate.traffic import Stream, streams_of
from figwatch_agent.generate.windows import SHOWN
from figwatch_agent.model.names import AlertName
from figwatch_agent.model.slo import ServiceSlos, Slo

RATE: Final = 1000
"""Events in each minute."""

Figure = Callable[[Window], float]
_SUMS: tuple[tuple[str, Figure], ...] = (
    (EVENTS, lambda found: found.events),
    (BAD, lambda found: found.bad),
    (WHOLE, lambda found: found.whole),
    (RATIO, lambda found: found.ratio),
)
_RATIO_ALONE: tuple[tuple[str, Figure], ...] = ((RATIO, lambda found: found.ratio),)


def end_of(service: Service) -> Duration:
    """When the rules are evaluated: a minute after every window of the service, so that one too long is seen."""
    return max(*service.windows, *(file.window for file, _ in service.slos)) + MINUTE


def window_pins(service: Service, *, standalone: bool) -> Scenario:
    """One pulse in the oldest minute of every window, another in the minute before it."""
    end, placed = end_of(service), pulses(service)
    lengths = all_windows(service) if standalone else SHOWN
    checks: list[Check] = []
    for length in lengths:
        sums = {stream: last(runs, length // MINUTE) for stream, runs in placed.items()}
        for metric, figure in _figures(service, length, standalone=standalone):
            checks.append(
                _exactly(end, over(metric, length), {stream: figure(found) for stream, found in sums.items()})
            )
    for window in sorted({file.window for file, _ in service.slos}):
        left = {
            stream: remaining_of(stream, last(runs, window // MINUTE))
            for stream, runs in placed.items()
            if stream.file.window == window
        }
        checks.append(_exactly(end, f"{REMAINING}_{format_duration(window)}", left))
    checks.append(Check(at=end, expr=FINITE, samples=(("{}", 1),)))
    return Scenario(name="windows to the minute", inputs=recorded(placed, end), checks=tuple(checks))


def _figures(service: Service, length: Duration, *, standalone: bool) -> tuple[tuple[str, Figure], ...]:
    """What is recorded of a window."""
    if not standalone:
        return _RATIO_ALONE
    return tuple(pair for pair in _SUMS if length in service.windows or pair[0] != WHOLE)


def half_measured(service: Service) -> Scenario:
    """Half of each window was not measured: what was counted is said, and what the whole would have brought."""
    end = end_of(service)
    checks: list[Check] = []
    inputs = {}
    for stream in streams_of(service.slos):
        inputs[stream] = (Run(minutes=service.windows[0] // MINUTE - 3, events=RATE, bad=1), Run(minutes=1))
    for length in service.windows:
        for metric, figure in _SUMS:
            values = {stream: figure(last(runs, length // MINUTE)) for stream, runs in inputs.items()}
            checks.append(_exactly(end, over(metric, length), values))
    return Scenario(name="partly measured windows", inputs=recorded(inputs, end), checks=tuple(checks))


def long_quiet(service: Service) -> Scenario:
    """Nobody came in the oldest minute of a period, and nothing was measured after: the whole budget is left."""
    end, streams = end_of(service), streams_of(service.slos)
    windows = sorted({file.window for file, _ in service.slos})
    once = recorded({stream: (Run(minutes=1),) for stream in streams}, end - windows[0] + MINUTE)
    checks = []
    for window in windows:
        left = {stream: 1.0 for stream in streams if stream.file.window == window}
        checks.append(_exactly(end, f"{REMAINING}_{format_duration(window)}", left))
    return Scenario(name="nobody came, long ago", inputs=once, checks=tuple(checks))


def nothing_since(service: Service) -> Scenario:
    """Nobody came in the minute before a period, and nothing was measured in it: nothing is said of its budget."""
    end, period = end_of(service), min(file.window for file, _ in service.slos)
    once = recorded({stream: (Run(minutes=1),) for stream in streams_of(service.slos)}, end - period)
    check = Check(at=end, expr=f"{REMAINING}_{format_duration(period)}")
    return Scenario(name="nothing measured since", inputs=once, checks=(check,))


def sloth_pins(service: Service) -> Scenario:
    """Every ratio under Sloth's name, summed over the routes, and what is derived from them."""
    end, placed = end_of(service), pulses(service)
    checks: list[Check] = []
    for file, slo in service.slos:
        mine = [runs for stream, runs in placed.items() if stream.slo is slo]
        checks += _sloth_checks(service, file, slo, mine, end)
    return Scenario(name="Sloth's names", inputs=recorded(placed, end), checks=tuple(checks))


def traffic_pins(service: Service) -> Iterator[Scenario]:
    """So many requests in the hour that silence is a loss, and one fewer."""
    end, streams = end_of(service), _watched(service)
    hour, day = HOUR // MINUTE, DAY // MINUTE
    silent = SILENCE // MINUTE
    enough = {s: at({hour - 1: (USUAL - 1, 0), silent: (1, 0)}, day) for s in streams}
    before = {s: at({hour - 1: (USUAL - 1, 0), hour: (10 * USUAL, 0)}, day) for s in streams}
    for name, placed, told in (("enough in the hour", enough, streams), ("too few in the hour", before, ())):
        check = _alerts(AlertName.TRAFFIC_LOST, told, end)
        yield Scenario(name=f"traffic lost: {name}", inputs=recorded(placed, end), checks=(check,))


def telemetry_pins(service: Service) -> Iterator[Scenario]:
    """Telemetry that was seen within the hour, or before it."""
    end, streams, hour = end_of(service), _watched(service), HOUR // MINUTE
    for name, age, told in (("within the hour", hour - 1, streams), ("before the hour", hour, ())):
        gone = recorded({stream: (Run(minutes=1, events=RATE),) for stream in streams}, end - age * MINUTE)
        check = _alerts(AlertName.TELEMETRY_LOST, told, end)
        yield Scenario(name=f"telemetry seen {name}", inputs=gone, checks=(check,))


def _watched(service: Service) -> tuple[Stream, ...]:
    return tuple(
        stream for stream in streams_of(service.slos) if stream.slo in watched(stream.file) and countable(stream.slo)
    )


def pulses(service: Service) -> dict[Stream, Placed]:
    """Minutes on both sides of every window's beginning, and nothing measured in between.

    promtool reads at most 10,000 samples for one series, and a month has more minutes.
    """
    minutes = end_of(service) // MINUTE
    found = {}
    for number, stream in enumerate(streams_of(service.slos)):
        marks = {}
        for index, length in enumerate(all_windows(service), start=1):
            marks[length // MINUTE - 1] = (RATE, float(index + number))
            if length // MINUTE < minutes:
                marks[length // MINUTE] = (RATE, float(20 * index))
        found[stream] = at(marks, minutes, None)
    return found


def all_windows(service: Service) -> tuple[Duration, ...]:
    """Windows of tiers and dashboards, and periods."""
    return tuple(sorted({*service.windows, *service.periods}))


def _sloth_checks(service: Service, file: ServiceSlos, slo: Slo, mine: list[Placed], end: Duration) -> Iterator[Check]:
    labels, own = identity(file, slo), f'{{sloth_slo="{slo.name}"}}'
    ratios: dict[Duration, float] = {}
    for length in sorted({*service.windows, file.window}):
        sums = [last(runs, length // MINUTE) for runs in mine]
        ratios[length] = sum(found.bad for found in sums) / sum(found.events for found in sums)
        name = over(ERROR_RATIO, length)
        said = named(name, labels | {"sloth_window": format_duration(length)})
        yield Check(at=end, expr=name + own, samples=((said, ratios[length]),))
    budget = float(1 - slo.objective)
    burned = ratios[file.window] / budget
    derived = {
        "slo:objective:ratio": float(slo.objective),
        "slo:error_budget:ratio": budget,
        "slo:time_period:days": file.window / DAY,
    }
    current, period = format_duration(service.windows[0]), format_duration(file.window)
    windowed = {
        "slo:current_burn_rate:ratio": (current, ratios[service.windows[0]] / budget),
        "slo:period_burn_rate:ratio": (period, burned),
        "slo:period_error_budget_remaining:ratio": (period, 1 - burned),
    }
    for name, value in derived.items():
        yield Check(at=end, expr=name + own, samples=((named(name, labels), value),))
    for name, (window, value) in windowed.items():
        said = named(name, labels | {"sloth_window": window})
        yield Check(at=end, expr=name + own, samples=((said, value),))
    yield Check(at=end, expr=f"count by (sloth_id) (sloth_slo_info{own})", samples=((_id(labels), 1),))


def _id(labels: Mapping[str, str]) -> str:
    return named("", {"sloth_id": labels["sloth_id"]})


def _alerts(name: AlertName, told: tuple[Stream, ...], end: Duration) -> Check:
    """Alerts of one name, firing or about to."""
    expr = f'count by (slo, route) (ALERTS{{alertname="{name.value}"}})'
    samples = tuple((named("", {"slo": stream.slo.name, "route": stream.route}), 1.0) for stream in told)
    return Check(at=end, expr=expr, samples=samples)


def _exactly(end: Duration, metric: str, values: Mapping[Stream, float]) -> Check:
    samples = tuple((named(metric, stream.labels), value) for stream, value in values.items())
    return Check(at=end, expr=metric, samples=samples)
