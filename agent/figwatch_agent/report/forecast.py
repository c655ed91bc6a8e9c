"""When legacy will serve nothing any more, with the range that the pace leaves open, or why that cannot be said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from figwatch_agent.durations import YEAR, Instant, format_instant
from figwatch_agent.evaluate.legacy_ratio import Bucket, NoForecast, Requests, forecast_range, forecast_zero
from figwatch_agent.model.history import Axis, Count

_REASONS: Final[Mapping[str, str]] = {
    NoForecast.TOO_FEW: "measured for too short a time to see a trend",
    NoForecast.ALREADY_ZERO: "legacy serves nothing already",
    NoForecast.NOT_FALLING: "legacy's share does not fall",
    NoForecast.LEVELLED_OFF: "legacy's share stopped falling before it reached zero",
    "too_slow": "at this pace not within a hundred years",
}


FARTHEST: Final = 100 * YEAR
"""A date beyond this says nothing but that the pace is too slow."""

TOO_SLOW: Final = "too_slow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Zero:
    """When, with the range; or the word for why there is no date."""

    at: Instant | None
    reason: str | None  # a closed word; None where there is a date
    earliest: Instant | None = None
    latest: Instant | None = None


def forecast(axis: Axis, legacy: Sequence[Count], total: Sequence[Count]) -> Zero:
    """The forecast from complete slots."""
    whole = len(total) - (1 if axis.until < axis.end else 0)
    return _forecast(axis.start, axis.step, tuple(legacy[:whole]), tuple(total[:whole]))


def forecast_document(axis: Axis, legacy: Sequence[Count], total: Sequence[Count]) -> dict[str, object]:
    """The same as JSON; ``earliest`` and ``latest`` are null where the pace leaves that side open."""
    found = forecast(axis, legacy, total)
    return {
        "zero_at": _iso(found.at),
        "earliest": _iso(found.earliest),
        "latest": _iso(found.latest),
        "reason": found.reason,
        "text": _words(found),
    }


@lru_cache(maxsize=4096)
def _forecast(start: Instant, step: int, legacy: tuple[Count, ...], total: tuple[Count, ...]) -> Zero:
    """Complete slots stand still until the next one is complete, so most pages find their forecast made."""
    buckets = [
        Bucket(at=start + place * step + step // 2, requests=Requests(legacy=mine, total=everything))
        for place, (mine, everything) in enumerate(zip(legacy, total, strict=True))
        if mine is not None and everything is not None
    ]
    found = forecast_zero(buckets)
    if found.at is None:
        return Zero(at=None, reason=None if found.reason is None else found.reason.value)
    farthest = start + FARTHEST
    if found.at > farthest:
        return Zero(at=None, reason=TOO_SLOW)
    earliest, latest = (None if at is None or at > farthest else at for at in forecast_range(buckets))
    return Zero(at=found.at, reason=None, earliest=earliest, latest=latest)


def _words(found: Zero) -> str:
    if found.at is None:
        return _REASONS.get(found.reason or "", "no forecast")
    sides = [
        f"earliest {_day(found.earliest)}" if found.earliest is not None else "earliest open",
        f"latest {_day(found.latest)}" if found.latest is not None else "latest open",
    ]
    return f"zero on {_day(found.at)} at this pace ({', '.join(sides)})"


def _day(at: Instant) -> str:
    return format_instant(at)[:10]


def _iso(at: Instant | None) -> str | None:
    return None if at is None else format_instant(at)
