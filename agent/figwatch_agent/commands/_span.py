"""Where a history comes from and which part of it is meant, as options; what reads it is loaded when it is needed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from figwatch_agent.durations import Duration, Instant, parse_duration, parse_instant

F = TypeVar("F", bound=Callable[..., Any])

SAMPLES: Final = "samples"
"""What --tick says for a tick at every instant that has a sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which part of a history, and how finely."""

    start: Instant | None
    end: Instant | None
    step: Duration | None
    tick: Duration | str | None  # SAMPLES for each instant that has one


def _instant(context: click.Context, option: click.Parameter, value: str | None) -> Instant | None:
    if value is None:
        return None
    try:
        return round(float(value) * 1000) if value.replace(".", "", 1).isdecimal() else parse_instant(value)
    except ValueError:
        hint = "write 2026-11-22T16:00:00Z, or seconds since 1970"
        raise click.BadParameter(f"{value!r} is no instant: {hint}", context, option) from None


def _duration(context: click.Context, option: click.Parameter, value: str | None) -> Duration | None:
    if value is None:
        return None
    try:
        found = parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error), context, option) from None
    if found <= 0:
        raise click.BadParameter("it must be longer than nothing", context, option)
    return found


def _tick(context: click.Context, option: click.Parameter, value: str | None) -> Duration | str | None:
    return SAMPLES if value == SAMPLES else _duration(context, option, value)


def history_options(function: F) -> F:
    """``--history``, ``--from``, ``--to``, ``--step``, ``--tick``."""
    for option in reversed(
        (
            click.option(
                "--history",
                multiple=True,
                type=click.Path(exists=True, dir_okay=False, path_type=Path),
                help="OpenMetrics text with timestamps, gzip too; may be given several times.",
            ),
            click.option(
                "--prometheus",
                metavar="URL",
                help="A Prometheus-compatible engine to read the history from, in place of files; needs --from.",
            ),
            click.option(
                "--from", "start", metavar="INSTANT", callback=_instant, help="Replay what came after this instant."
            ),
            click.option(
                "--to", "end", metavar="INSTANT", callback=_instant, help="Replay what came up to this instant."
            ),
            click.option(
                "--step",
                metavar="DURATION",
                callback=_duration,
                help="How far apart samples are; found from the history if left out.",
            ),
            click.option(
                "--tick",
                metavar="DURATION",
                callback=_tick,
                help="How far apart decisions are, as long as --step if left out; `samples`: at each sample.",
            ),
        )
    ):
        function = option(function)
    return function
