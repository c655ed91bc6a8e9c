"""Runs of bad ticks, the stages of an incident as values, and what the past forbids."""

import numpy as np
import pytest

from figwatch_agent.decide.latch import Latches
from figwatch_agent.decide.runs import NEVER, Marks, Runs
from figwatch_agent.decide.verify import verdict
from figwatch_agent.model.incident import RollbackVerdict

ONE = np.array([1])


def run(*ticks: tuple[int, int], ratio: tuple[int, int] = (1, 5), failing: tuple[int, int] = (1, 20)) -> Runs:
    """Ticks of (bad, total), one a second from 100 s on, against a ratio that fires and one that speaks for it."""
    runs, marks = Runs.none(1), Marks(*(np.array([part]) for part in (*ratio, *failing)))
    for second, (bad, total) in enumerate(ticks):
        at = np.array([100_000 + 1_000 * second])
        runs.advance(at, int(at[0]) + 1_000, np.array([bad]), np.array([total]), marks)
    return runs


def test_nothing_has_happened_at_first() -> None:
    of_their_own, shared = Runs.none(3), Runs.none(3, np.array([0, 1, 1]), 2)
    assert (of_their_own.lane.tolist(), shared.lane.tolist()) == ([0, 1, 2], [0, 1, 1])
    assert (len(of_their_own.seen_bad), len(of_their_own.seen_total)) == (3, 3)
    assert (len(shared.seen_bad), len(shared.seen_total)) == (2, 2)
    for runs in (of_their_own, shared):
        for instants in (runs.start, runs.last_bad, runs.first_failure, runs.last_failure):
            assert instants.tolist() == [NEVER] * 3
        for counts in (runs.run_bad, runs.run_total, runs.failure_bad, runs.failure_total):
            assert counts.tolist() == [0] * 3
        assert not runs.seen_bad.any()
        assert not runs.seen_total.any()


@pytest.mark.parametrize(
    ("bad", "total", "is_bad"),
    [
        (2, 9, True),
        (2, 10, False),  # exactly the ratio is not above it
        (1, 1, False),  # one failure is never a bad tick
        (2, 2, True),
        (0, 0, False),
    ],
)
def test_a_bad_tick_has_two_bad_events_and_a_ratio_above_the_one_that_fires(bad: int, total: int, is_bad: bool) -> None:
    assert (int(run((bad, total)).start[0]) != NEVER) is is_bad


def test_a_run_reaches_from_the_start_of_its_first_bad_tick_to_the_end_of_its_last() -> None:
    runs = run((0, 10), (5, 10), (0, 10), (5, 10), (0, 10))
    assert (runs.impact_start(0, 7), runs.last_impact(0)) == (101_000, 104_000)
    assert runs.since(0) == (0, 10)


def test_single_failures_stand_in_where_no_tick_was_bad() -> None:
    runs = run((0, 1), (1, 1), (0, 0), (1, 1), (0, 3))
    assert (runs.impact_start(0, 7), runs.last_impact(0), runs.since(0)) == (101_000, 104_000, (0, 3))


def test_failures_that_speak_against_the_alert_are_no_part_of_a_run() -> None:
    runs = run((1, 1000), (1, 10), (1, 1000), (2, 1000))
    assert (runs.impact_start(0, 7), runs.last_impact(0), runs.since(0)) == (101_000, 102_000, (3, 2000))


def test_a_clean_stretch_ends_failing_ticks_unless_an_alert_stands_on_them() -> None:
    runs = run((1, 1), (0, 14))
    assert runs.relieved(14 * ONE, np.array([True])).tolist() == []
    assert runs.relieved(15 * ONE, np.array([False])).tolist() == []
    assert runs.relieved(14 * ONE, np.array([False])).tolist() == [0]
    runs.forget_failures(0)
    assert runs.last_impact(0) is None


def test_a_run_that_has_ended_has_no_impact() -> None:
    runs = run((5, 10), (0, 10))
    assert runs.rested(106_000, 5_000, np.array([False])).tolist() == [0]
    assert runs.rested(105_999, 5_000, np.array([False])).tolist() == []
    assert runs.rested(106_000, 5_000, np.array([True])).tolist() == []
    runs.end(0)
    assert (runs.impact_start(0, 7), runs.last_impact(0)) == (7, None)


def test_a_latch_holds_until_a_person_re_arms_it() -> None:
    latches = Latches()
    latches.fasten("/a", "inc-1", 50, automatic=True)
    assert (latches.latched, latches.last("/a"), latches.last("/b")) == ({"/a": "inc-1"}, 50, None)
    assert latches.rearm("/a")
    assert not latches.rearm("/a")
    assert latches.last("/a") is None


def test_the_cap_counts_automatic_rollbacks_of_all_routes() -> None:
    latches = Latches()
    for at, automatic in ((10, True), (20, False), (30, True)):
        latches.fasten(f"/{at}", "inc", at, automatic=automatic)
    assert [latches.automatic_since(start) for start in (10, 11, 30, 31)] == [2, 1, 1, 0]
    latches.forget(30)
    assert [entry[0] for entry in latches.past] == [30]


@pytest.mark.parametrize(
    ("rejects", "enough", "deadline", "said"),
    [
        (True, True, False, RollbackVerdict.HELPED),
        (True, False, True, RollbackVerdict.HELPED),
        (False, True, False, RollbackVerdict.PENDING),  # it may still get better
        (False, True, True, RollbackVerdict.INEFFECTIVE),
        (False, False, True, RollbackVerdict.UNVERIFIED),
        (False, False, False, RollbackVerdict.PENDING),
    ],
)
def test_whether_a_rollback_helped(rejects: bool, enough: bool, deadline: bool, said: RollbackVerdict) -> None:
    assert verdict(rejects_burning=rejects, enough=enough, deadline=deadline) is said
