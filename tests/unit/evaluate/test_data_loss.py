"""Samples bound what was lost; time without a sample is unknown and never zero loss."""

from __future__ import annotations

from fractions import Fraction

import pytest

from figwatch_agent.durations import HOUR, MINUTE, SECOND
from figwatch_agent.evaluate.data_loss import Check, DataLoss, Lag, data_loss

EVERY = 10 * MINUTE


def account(checks: list[tuple[int, int, int]], lags: list[tuple[int, int]] | None = None, end: int = HOUR) -> DataLoss:
    """Of one hour, from (minute, checked, mismatched) and (minute, seconds behind)."""
    found = data_loss(
        [Check(at=minute * MINUTE, checked=checked, mismatched=wrong) for minute, checked, wrong in checks],
        [Lag(at=minute * MINUTE, seconds=Fraction(seconds)) for minute, seconds in lags or []],
        EVERY,
        end - HOUR,
        end,
    )
    assert found is not None
    return found


FULL = [(minute, 100, 0) for minute in range(10, 70, 10)]


def test_without_a_check_there_is_no_account() -> None:
    assert data_loss([], [Lag(at=1, seconds=Fraction(0))], EVERY, 0, HOUR) is None


def test_a_whole_window_of_clean_checks_is_zero_loss() -> None:
    found = account(FULL)
    assert (found.records_low, found.records_high, found.coverage) == (0, 0, Fraction(1))
    assert (found.ratio_low, found.ratio_high) == (Fraction(0), Fraction(0))


def test_a_missing_sample_leaves_the_loss_open() -> None:
    found = account([each for each in FULL if each[0] not in (20, 30)])
    assert found.coverage == Fraction(50, 60)  # the check at 40 speaks for 20 to 40, the one at 10 for 0 to 10
    assert found.records_high is None
    assert found.ratio_low == 0
    assert found.ratio_high == Fraction(10, 60)


def test_one_sample_missed_is_bridged_by_the_next() -> None:
    assert account([each for each in FULL if each[0] != 30]).coverage == 1


def test_checks_that_stop_leave_the_time_since_unknown() -> None:
    found = account(FULL[:2])
    assert found.coverage == Fraction(20, 60)


def test_the_same_records_may_be_seen_again_or_be_others() -> None:
    found = account([(10, 100, 0), (20, 100, 3), (30, 100, 3), (40, 100, 2), (50, 100, 0), (60, 100, 0)])
    assert (found.records_low, found.records_high) == (3, 8)
    assert found.ratio == Fraction(8, 600)


def test_records_that_differ_while_the_copy_is_behind_may_only_be_late() -> None:
    checks = [*FULL[:5], (60, 100, 4)]
    found = account(checks, [(59, 30)])
    assert (found.records_low, found.records_high, found.worst_lag) == (0, 4, Fraction(30))
    assert found.coverage == 1  # up to what the newest check proves


def test_a_lag_that_is_too_old_says_nothing_of_a_check() -> None:
    found = account([*FULL[:5], (60, 100, 4)], [(39, 30)])
    assert found.records_low == 4


def test_a_copy_that_was_behind_in_between_is_proven_by_the_next_check() -> None:
    assert account(FULL, [(30, 600)]).coverage == 1


@pytest.mark.parametrize(("start", "end", "every"), [(0, 0, SECOND), (5, 1, SECOND), (0, HOUR, 0)])
def test_a_window_has_a_length(start: int, end: int, every: int) -> None:
    with pytest.raises(ValueError, match="have a length"):
        data_loss([], [], every, start, end)


def test_more_records_cannot_differ_than_were_compared() -> None:
    with pytest.raises(ValueError, match="mismatched"):
        Check(at=1, checked=1, mismatched=2)


def test_a_window_that_one_check_speaks_for_is_covered_by_its_proven_part() -> None:
    """The copy was behind by nearly the whole window: what is proven may be no time at all, and is never divided by."""
    found = data_loss([Check(at=10, checked=1, mismatched=0)], [Lag(at=10, seconds=Fraction(5, 1000))], 100, 5, 10)
    assert found is not None
    assert found.coverage == 0
    assert found.checks == 1
    one = data_loss([Check(at=6, checked=1, mismatched=0)], [], 100, 5, 10)
    assert one is not None
    assert one.coverage == 1  # one millisecond of one


@pytest.mark.parametrize(
    ("at", "worst"),
    [
        (0, None),  # the window begins after its start
        (1, Fraction(7)),
        (60, Fraction(7)),  # and ends with its end
        (61, None),
    ],
)
def test_the_worst_lag_is_that_of_the_window(at: int, worst: Fraction | None) -> None:
    assert account(FULL, [(at, 7)]).worst_lag == worst


def test_a_lag_at_the_very_end_says_that_the_newest_check_may_only_be_late() -> None:
    found = account([*FULL[:5], (60, 100, 4)], [(60, 30)])
    assert (found.records_low, found.checks) == (0, 6)
