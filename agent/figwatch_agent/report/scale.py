"""Axes that people can read: round ticks, units, times in UTC. All in exact arithmetic, so that nothing is ever NaN."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Final, Literal

from figwatch_agent.durations import DAY, HOUR, MINUTE, SECOND, Duration, Instant

Unit = Literal["ratio", "ms", "requests"]

TICKS: Final = 4
"""At most so many steps of a y axis."""

LABELS: Final = 8
"""At most so many times under an x axis."""

_TIME_STEPS: Final = (
    *(each * SECOND for each in (10, 30)),
    *(each * MINUTE for each in (1, 2, 5, 10, 15, 30)),
    *(each * HOUR for each in (1, 2, 3, 6, 12)),
    *(each * DAY for each in (1, 2, 5, 10, 30)),
)
_PREFIXES: Final = ("", "k", "M", "G", "T", "P", "E", "Z", "Y")
_LEAST: Final[dict[Unit, Fraction]] = {"ratio": Fraction(1, 1000), "ms": Fraction(1), "requests": Fraction(1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """From ``low`` to ``high``, both of them ticks."""

    low: Fraction
    high: Fraction
    ticks: tuple[Fraction, ...]
    unit: Unit

    def place(self, value: Fraction, length: int) -> int:
        """Where a value lies on ``length`` steps, counted from ``low``; what lies outside is put at the end."""
        inside = min(max(value, self.low), self.high)
        return int((inside - self.low) * length / (self.high - self.low))


def scale(values: Sequence[Fraction], unit: Unit) -> Scale:
    """Round ticks around all values and zero; a ratio that is never above one ends at one."""
    low = min([Fraction(0), *values])
    high = max([_LEAST[unit] if low == 0 else Fraction(0), *values])
    step = _round_step((high - low) / TICKS)
    first, last = low // step, -(-high // step)
    ticks = tuple(step * number for number in range(first, last + 1))
    return Scale(low=ticks[0], high=ticks[-1], ticks=ticks, unit=unit)


def figure(value: Fraction, unit: Unit) -> str:
    """A value with its unit, short: ``0.5%``, ``-20×``, ``200 ms``, ``1.5 s``, ``12k``."""
    if unit == "ratio":
        return f"{_short(value * 100)}%" if abs(value) < 10 else f"{_short(value)}×"
    if unit == "ms" and abs(value) >= SECOND:
        return f"{_short(value / SECOND)} s"
    return f"{_short(value)} ms" if unit == "ms" else _short(value)


def times(start: Instant, end: Instant) -> tuple[tuple[Instant, str], ...]:
    """Instants between ``start`` and ``end`` with their labels in UTC; where a day begins, the day."""
    step = next((each for each in _TIME_STEPS if (end - start) <= LABELS * each), None) or _long_step(end - start)
    first = -(-start // step) * step
    return tuple((at, _label(at, step)) for at in range(first, end + 1, step))


def clock_time(at: Instant, *, seconds: bool = False) -> str:
    """``22 Nov 16:39`` in UTC, or ``22 Nov 16:39:56``."""
    moment = _moment(at)
    return f"{moment.day} {moment:%b} {moment:{'%H:%M:%S' if seconds else '%H:%M'}}"


def _label(at: Instant, step: Duration) -> str:
    moment = _moment(at)
    if at % DAY == 0:
        return f"{moment.day} {moment:%b}"
    return f"{moment:%H:%M:%S}" if step < MINUTE else f"{moment:%H:%M}"


def _moment(at: Instant) -> datetime:
    return datetime.fromtimestamp(at // SECOND, UTC)


def _long_step(length: Duration) -> Duration:
    return -(-length // (LABELS * DAY)) * DAY


def _round_step(at_least: Fraction) -> Fraction:
    """The smallest of 1, 2, 5 times a power of ten that is no less."""
    power = Fraction(1)
    while power > at_least:
        power /= 10
    while power * 10 <= at_least:
        power *= 10
    return next(power * each for each in (1, 2, 5, 10) if power * each >= at_least)


def _short(value: Fraction) -> str:
    sign, size, prefix = "-" if value < 0 else "", abs(value), 0
    while size >= 1000 and prefix < len(_PREFIXES) - 1:
        size, prefix = size / 1000, prefix + 1
    return f"{sign}{_decimals(size)}{_PREFIXES[prefix]}"


def _decimals(size: Fraction) -> str:
    """Three digits that count; small ones are never written as zero."""
    if size == 0 or size >= 100:
        return str(round(size))
    places = 1 if size >= 10 else 2
    while size * 10**places < 100 and size * 10**places != int(size * 10**places):
        places += 1
    scaled = round(size * 10**places)
    return f"{scaled // 10**places}.{scaled % 10**places:0{places}d}".rstrip("0").rstrip(".")
