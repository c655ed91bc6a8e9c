"""Counts of single minutes, placed as they would have been recorded, up to the time when the rules are evaluated."""

from collections.abc import Mapping
from dataclasses import dataclass

from figwatch_agent.durations import MINUTE, Duration
from figwatch_agent.generate.expectation import Window
from figwatch_agent.generate.promtool import Input, in_runs, named
from figwatch_agent.generate.series import BAD, EVENTS, MINUTE_OF
from figwatch_agent.generate.traffic import TARGET, Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Equal minutes, one after the other."""

    minutes: int
    events: float | None = 0  # None: not measured
    bad: float = 0


Placed = tuple[Run, ...]
"""Runs up to the end; what is not covered was not measured."""


def at(pulses: Mapping[int, tuple[float, float]], minutes: int, rate: float | None = 0) -> Placed:
    """``minutes`` up to the end with ``rate`` events each, but (events, bad) in those that ``pulses`` names.

    A minute is named by its age: 0 is the last one. In that one nothing happens, since the rules count it themselves.
    """
    runs: list[Run] = []
    before = minutes  # age of the minute after the last run, plus one
    for age in sorted(pulses, reverse=True):
        events, bad = pulses[age]
        runs += [Run(minutes=before - age - 1, events=rate), Run(minutes=1, events=events, bad=bad)]
        before = age
    runs += [Run(minutes=before - 1, events=rate), Run(minutes=1)]
    return tuple(run for run in runs if run.minutes)


def last(placed: Placed, minutes: int) -> Window:
    """The sums of the last minutes."""
    events = bad = 0.0
    measured = 0
    rest = minutes
    for run in reversed(placed):
        taken = min(run.minutes, rest)
        rest -= taken
        if run.events is not None:
            events, bad, measured = events + run.events * taken, bad + run.bad * taken, measured + taken
    return Window(events=events, bad=bad, measured=measured, minutes=minutes)


def recorded(placed: Mapping[Stream, Placed], end: Duration) -> tuple[Input, ...]:
    """The series as the rules would have recorded them until ``end``."""
    # A sample at the very beginning: what promtool appends first bounds how old the others may be.
    found = [Input(series=named("up", TARGET), values="1")]
    for stream, runs in placed.items():
        missing = Run(minutes=end // MINUTE + 1 - sum(run.minutes for run in runs), events=None)
        events = [(run.events, run.minutes) for run in (missing, *runs)]
        bad = [(None if run.events is None else run.bad, run.minutes) for run in (missing, *runs)]
        for metric, values in ((EVENTS, events), (BAD, bad)):
            found.append(Input(series=named(metric + MINUTE_OF, stream.labels), values=in_runs(values)))
    return tuple(found)
