"""Instants and durations: integer milliseconds, so that every figure is exact and a record replays byte for byte."""

import re
from datetime import UTC, datetime, timedelta

Instant = int
"""Milliseconds since the epoch, UTC."""

Duration = int
"""Milliseconds."""

MILLISECOND: Duration = 1
SECOND: Duration = 1_000
MINUTE: Duration = 60 * SECOND
HOUR: Duration = 60 * MINUTE
DAY: Duration = 24 * HOUR
WEEK: Duration = 7 * DAY
YEAR: Duration = 365 * DAY

_UNITS: dict[str, Duration] = {"ms": MILLISECOND, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}
_PART = re.compile(r"([0-9]+)(ms|s|m|h|d|w)")
_WHOLE = re.compile(r"(?:[0-9]+(?:ms|s|m|h|d|w))+")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_duration(text: str) -> Duration:
    """Milliseconds of a duration written as Prometheus writes it: ``200ms``, ``5m``, ``1h30m``, ``30d``.

    Raises ValueError when the text is anything else; zero is allowed as ``0s``.
    """
    if not _WHOLE.fullmatch(text):
        raise ValueError(
            f"{text!r} is not a duration: write a whole number and a unit, such as 200ms, 5m, 1h30m or 30d"
        )
    return sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def format_duration(duration: Duration) -> str:
    """The shortest exact form: 5400000 is ``1h30m``, 0 is ``0s``. Negative durations carry a minus sign."""
    if duration < 0:
        return "-" + format_duration(-duration)
    parts: list[str] = []
    rest = duration
    for unit in ("d", "h", "m", "s", "ms"):
        number, rest = divmod(rest, _UNITS[unit])
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"


def format_seconds(duration: Duration) -> str:
    """For people: ``8.2 s``, ``3 min 05 s``, ``2 h 10 min``, ``4 d 3 h``, and ``5 min`` where nothing is over."""
    if duration < MINUTE:
        return f"{duration / SECOND:.1f} s"
    if duration < HOUR:
        return _two(duration // MINUTE, "min", duration % MINUTE // SECOND, "s", 2)
    if duration < 2 * DAY:
        return _two(duration // HOUR, "h", duration % HOUR // MINUTE, "min", 2)
    return _two(duration // DAY, "d", duration % DAY // HOUR, "h", 1)


def _two(number: int, unit: str, rest: int, small: str, digits: int) -> str:
    return f"{number} {unit} {rest:0{digits}d} {small}" if rest else f"{number} {unit}"


def format_instant(instant: Instant) -> str:
    """ISO 8601 in UTC with milliseconds, such as ``2026-11-22T16:39:56.120Z``."""
    moment = _EPOCH + timedelta(milliseconds=instant)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant % SECOND:03d}Z"


def parse_instant(text: str) -> Instant:
    """Milliseconds since the epoch of an ISO 8601 text that names its offset (``Z`` or ``+02:00``).

    Raises ValueError when the text is no instant or names no offset.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} names no offset from UTC: append Z or an offset such as +02:00")
    return round((moment - _EPOCH) / timedelta(milliseconds=1))
