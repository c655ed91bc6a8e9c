"""A tier: how fast the budget may burn, over which pair of windows, before somebody is told."""

from dataclasses import dataclass
from fractions import Fraction

from figwatch_agent.durations import Duration
from figwatch_agent.model.names import Severity

EARLY = "early"
"""Name of the page tier that the early lane stands for."""


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
