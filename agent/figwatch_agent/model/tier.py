"""Tiers: how fast the budget may burn, over which pair of windows, before somebody is told. Some come by default."""

from dataclasses import dataclass
from fractions import Fraction

from figwatch_agent.durations import DAY, HOUR, MINUTE, Duration, format_duration
from figwatch_agent.model.names import Severity

EARLY = "early"
"""Name of the page tier that the early lane stands for."""

EARLY_NULL_BUDGETS = 5
"""The early lane is silent while the error ratio is at most this many error budgets."""
EARLY_OFF_FROM = Fraction(1, 2)
"""It is off where that ratio reaches this (an objective of 90 %): nothing that fails is early any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Fires when both windows burn faster than ``factor`` and the evidence on the long one is strong enough."""

    name: str  # unique within an SLO, such as "1h"
    share: Fraction  # of the period's error budget that the long window may spend
    long: Duration
    short: Duration
    severity: Severity
    allow_slow: bool = False  # a factor below 1 is meant

    def factor(self, period: Duration) -> Fraction:
        """Burn rate at which this tier fires: share x period / long (Google's SRE workbook, chapter 5)."""
        return self.share * period / self.long


def _usual(share: Fraction, long: Duration, short: Duration, severity: Severity) -> Tier:
    return Tier(name=format_duration(long), share=share, long=long, short=short, severity=severity)


# Google, The Site Reliability Workbook, chapter 5 "Alerting on SLOs", table 5-8: the first three rows with their
# share of the budget, and the second ticket tier of 10 % in three days; a short window is a twelfth of the long one.
DEFAULT_TIERS: tuple[Tier, ...] = (
    _usual(Fraction(2, 100), HOUR, 5 * MINUTE, Severity.PAGE),
    _usual(Fraction(5, 100), 6 * HOUR, 30 * MINUTE, Severity.PAGE),
    _usual(Fraction(10, 100), DAY, 2 * HOUR, Severity.TICKET),
    _usual(Fraction(10, 100), 3 * DAY, 6 * HOUR, Severity.TICKET),
)


def early_possible(objective: Fraction) -> bool:
    """Whether the early lane can tell an outage from what the objective allows."""
    return EARLY_NULL_BUDGETS * (1 - objective) < EARLY_OFF_FROM
