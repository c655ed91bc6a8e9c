"""Which tiers can do their work at all."""

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from figwatch_agent.durations import Duration, format_duration
from figwatch_agent.model.tier import Tier

SCRAPES_PER_WINDOW = 4
"""A window holds at least this many scrapes, or its counts are chance."""


class Flaw(NamedTuple):
    """Why a tier cannot do its work. ``member`` is the key of the file to look at."""

    member: str
    message: str
    hint: str


def tier_flaws(tier: Tier, period: Duration, objective: Fraction) -> Iterator[Flaw]:
    """Everything that is wrong with a tier whatever the source, in words that need no table."""
    if not 0 < tier.share <= 1:
        yield Flaw("share", "a share of the error budget lies between 0% and 100%", "")
        return
    if tier.short >= tier.long:
        yield Flaw("short", f"the short window ({format_duration(tier.short)}) is not shorter than the long one", "")
    if tier.long > period:
        yield Flaw("long", f"the long window ({format_duration(tier.long)}) is longer than the SLO's window", "")
        return
    factor = tier.factor(period)
    budget = 1 - objective
    if factor * budget >= 1:
        hint = "choose a smaller share, a longer long window, or a stricter objective"
        yield Flaw(
            "share", f"this tier can never fire: at burn rate {_short(factor)} more than all requests would fail", hint
        )
    if factor < 1 and not tier.allow_slow:
        hint = "choose a larger share or a shorter long window, or write allow_slow: true"
        yield Flaw("share", f"this tier fires at burn rate {_short(factor)}, while the budget is kept", hint)


def interval_flaw(window: Duration, interval: Duration) -> str | None:
    """Why a window is too short for a source that is read every ``interval``; None if it is not."""
    if window >= SCRAPES_PER_WINDOW * interval:
        return None
    return (
        f"a window of {format_duration(window)} holds fewer than {SCRAPES_PER_WINDOW} scrapes"
        f" at an interval of {format_duration(interval)}"
    )


def _short(number: Fraction) -> str:
    return f"{float(number):.3g}"
