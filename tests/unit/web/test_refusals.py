"""Refusals in the audit: few lines, however many there are."""

from figwatch_agent.clock import ManualClock
from figwatch_agent.durations import HOUR
from figwatch_agent.errors import StoreUnavailable
from figwatch_agent.model.audit import AuditNote
from figwatch_agent.store.memory import MemoryStore
from figwatch_agent.web.refusals import INTERVAL, MOST, OTHERS, Refusals


async def lines(store: MemoryStore) -> list[tuple[str, int]]:
    """From where, and how many, oldest first."""
    return [(line.note.origin, line.note.count) for line in reversed(await store.audit_lines(10_000))]


async def test_the_first_is_a_line_at_once_and_repeats_are_counted_in_one_more() -> None:
    store, clock = MemoryStore(), ManualClock(1)
    refusals = Refusals(store, clock)
    for _ in range(1000):
        await refusals.note("192.0.2.1", "api", "this token is not known here")
    assert await lines(store) == [("api 192.0.2.1", 1)]
    await refusals.flush()
    assert await lines(store) == [("api 192.0.2.1", 1), ("api 192.0.2.1", 999)]
    await refusals.flush()
    assert len(await lines(store)) == 2


async def test_many_addresses_share_the_lines_that_are_left() -> None:
    store = MemoryStore()
    refusals = Refusals(store, ManualClock(1))
    for number in range(5000):
        await refusals.note(f"192.0.{number // 250}.{number % 250}", "api", "no")
    await refusals.flush()
    found = await lines(store)
    assert len(found) == MOST + 2
    assert found[-2:] == [(f"api {OTHERS}", 1), (f"api {OTHERS}", 5000 - MOST - 1)]


async def test_an_attack_of_a_day_fills_a_bounded_number_of_lines() -> None:
    store, clock = MemoryStore(), ManualClock(1)
    refusals = Refusals(store, clock)
    for minute in range(24 * 60):
        for number in range(20):
            await refusals.note(f"192.0.2.{number}", "page", f"no {minute}")
        clock.advance(HOUR // 60)
    assert len(await lines(store)) <= 24 * 2 * (MOST + 1)


async def test_a_new_interval_begins_with_a_line_at_once() -> None:
    store, clock = MemoryStore(), ManualClock(1)
    refusals = Refusals(store, clock)
    await refusals.note("192.0.2.1", "api", "no")
    clock.advance(INTERVAL)
    await refusals.note("192.0.2.1", "api", "no")
    assert await lines(store) == [("api 192.0.2.1", 1)] * 2


async def test_what_is_asked_for_is_kept_short() -> None:
    store = MemoryStore()
    await Refusals(store, ManualClock(1)).note("a", "api", "no", subject="x" * 10_000)
    assert len((await store.audit_lines())[0].text) < 1000


class _Gone(MemoryStore):
    async def note(self, note: AuditNote) -> None:
        raise StoreUnavailable("disk full")


async def test_whoever_is_refused_stays_refused_while_nothing_can_be_written() -> None:
    refusals = Refusals(_Gone(), ManualClock(1))
    await refusals.note("a", "api", "no")
    await refusals.flush()
