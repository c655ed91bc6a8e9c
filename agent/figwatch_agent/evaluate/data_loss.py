"""Whether data was lost, from samples: records of both stores compared, and how far the copy was behind.

A sample speaks for the time before it, at most two intervals back, and not for the newest records that the copy had
not seen yet. Time for which no sample speaks is unknown, and unknown is never zero loss.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from figwatch_agent.durations import SECOND, Duration, Instant

HOLD_INTERVALS = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """Records of both stores compared at one instant."""

    at: Instant
    checked: int
    mismatched: int

    def __post_init__(self) -> None:
        if not 0 <= self.mismatched <= self.checked:
            raise ValueError(f"a check needs 0 <= mismatched <= checked, got {self.mismatched} of {self.checked}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Lag:
    """How far the copy was behind at one instant."""

    at: Instant
    seconds: Fraction


@dataclass(frozen=True, kw_only=True, slots=True)
class DataLoss:
    """What the samples of a window say."""

    checks: int
    checked: int  # comparisons; a record is compared anew in each check
    mismatched: int
    sure: int  # of those, seen while the copy was not behind
    worst: int  # the most that one check saw for sure
    coverage: Fraction  # time that a check speaks for / window
    worst_lag: Fraction | None  # seconds; None without samples of lag

    @property
    def records_low(self) -> int:
        """Records lost at least: those of the worst check, since later checks may have seen the same again."""
        return self.worst

    @property
    def records_high(self) -> int | None:
        """Records lost at most, had every check seen others; None while some time is not covered."""
        return self.mismatched if self.coverage == 1 else None

    @property
    def ratio(self) -> Fraction | None:
        """Mismatched / checked; None where nothing was compared."""
        return Fraction(self.mismatched, self.checked) if self.checked else None

    @property
    def ratio_low(self) -> Fraction | None:
        """The ratio of what was seen for sure, had nothing been lost in the time without checks."""
        return Fraction(self.sure, self.checked) * self.coverage if self.checked else None

    @property
    def ratio_high(self) -> Fraction | None:
        """The ratio had everything been lost in the time without checks, at the covered rate."""
        ratio = self.ratio
        return None if ratio is None else ratio * self.coverage + 1 - self.coverage


def data_loss(
    checks: Sequence[Check], lags: Sequence[Lag], every: Duration, start: Instant, end: Instant
) -> DataLoss | None:
    """The account of (start, end] from samples that should come every `every` milliseconds; None without a check.

    Samples are in any order. The window ends with the newest time that a check proves, while the newest check is no
    older than two intervals.
    """
    if end <= start or every <= 0:
        raise ValueError(f"a window and an interval have a length, got {start} to {end} every {every}")
    inside = sorted((check for check in checks if start < check.at <= end), key=_at)
    if not inside:
        return None
    ordered = sorted((lag for lag in lags if lag.at <= end), key=_at)
    behind = [_behind(check.at, ordered, HOLD_INTERVALS * every) for check in inside]
    sure = [0 if late else check.mismatched for check, late in zip(inside, behind, strict=True)]
    proven = max(check.at - late for check, late in zip(inside, behind, strict=True))
    until = proven if end - inside[-1].at <= HOLD_INTERVALS * every else end
    return DataLoss(
        checks=len(inside),
        checked=sum(check.checked for check in inside),
        mismatched=sum(check.mismatched for check in inside),
        sure=sum(sure),
        worst=max(sure),
        coverage=Fraction(_covered(inside, behind, HOLD_INTERVALS * every, start), max(until - start, 1)),
        worst_lag=max((lag.seconds for lag in ordered if start < lag.at), default=None),
    )


def _at(sample: Check | Lag) -> Instant:
    return sample.at


def _behind(at: Instant, lags: Sequence[Lag], hold: Duration) -> Duration:
    """How far the copy was behind at an instant, by the newest sample that still speaks for it; 0 without one."""
    place = bisect_right(lags, at, key=_at)
    if not place or at - lags[place - 1].at > hold:
        return 0
    late = lags[place - 1].seconds * SECOND
    return min(-(-late.numerator // late.denominator), hold)


def _covered(checks: Sequence[Check], behind: Sequence[Duration], hold: Duration, start: Instant) -> Duration:
    """Time after `start` that some check speaks for; of a copy that is behind, the newest time is not proven."""
    covered, reached = 0, start
    for check, late in zip(checks, behind, strict=True):
        begin, end = max(check.at - hold, reached), check.at - late
        covered += max(end - begin, 0)
        reached = max(reached, end)
    return covered
