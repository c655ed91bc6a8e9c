"""Retry-After in every form that is seen in the wild."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Final

from figwatch_agent.durations import DAY, MINUTE, SECOND, Duration, Instant

CAP: Final[Duration] = 5 * MINUTE
"""No receiver may ask for more silence than this: a page waits."""
_HUGE: Final[Duration] = DAY
_NUMBER: Final = re.compile(r"([+-]?)(\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_LONGEST: Final = 64


def parse_retry_after(text: str | None, now: Instant) -> Duration | None:
    """Milliseconds from ``now``, uncapped; 0 for what lies in the past, None for what says nothing.

    Seconds may be whole, fractional or negative; a date is read as HTTP writes it (RFC 9110, all three forms).
    """
    if text is None:
        return None
    text = text.strip()
    number = _NUMBER.fullmatch(text)
    if number is not None:
        return _seconds(number[1], number[2])
    return _date(text, now) if 0 < len(text) <= _LONGEST else None


def capped(wanted: Duration | None) -> Duration:
    """What is granted of it."""
    return 0 if wanted is None else min(max(wanted, 0), CAP)


def _seconds(sign: str, digits: str) -> Duration:
    if sign == "-":
        return 0
    # Thousands of digits are a hostile answer: Python refuses to convert them, and a day is as good.
    if len(digits) > _LONGEST:
        return _HUGE
    return int(Decimal(digits) * SECOND)


def _date(text: str, now: Instant) -> Duration | None:
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        elapsed = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    milliseconds = elapsed.days * DAY + elapsed.seconds * SECOND + elapsed.microseconds // 1000
    return max(milliseconds - now, 0)
