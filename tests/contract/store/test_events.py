"""Events are kept once by their key, baselines until they are replaced, and many commands all or not at all."""

from dataclasses import replace
from fractions import Fraction

import pytest

from figwatch_agent.durations import DAY, HOUR
from figwatch_agent.errors import StoreError
from figwatch_agent.model.event import EventKind
from figwatch_agent.model.outcome import Outcome
from figwatch_agent.ports import Store
from support.model_values import NOON, a_baseline, a_command, an_event

LAG = an_event("s1", EventKind.LAG, at=NOON - HOUR, seconds="2.5")


async def test_events_come_back_oldest_first_at_start_and_newest_first_when_asked_for(store: Store) -> None:
    late, early = an_event("d2", at=NOON), an_event("d1", at=NOON - DAY)
    await store.commit(Outcome(sequence=1, at=NOON, events=(late, early, LAG)))
    assert (await store.load()).events == (early, LAG, late)
    assert await store.events() == (late, LAG, early)
    assert await store.events(limit=1) == (late,)
    assert await store.events(EventKind.LAG) == (LAG,)


async def test_the_first_event_of_a_key_stands(store: Store) -> None:
    first, second = an_event("d1", version="1", service="chat"), an_event("d1", version="2", service="chat")
    await store.commit(Outcome(sequence=1, at=NOON, events=(first, second)))
    await store.commit(Outcome(sequence=2, at=NOON + 1, events=(second,)))
    assert await store.events() == (first,)


async def test_a_deployment_that_failed_and_then_succeeded_under_one_id_is_two_events(store: Store) -> None:
    failed = an_event("d1", service="chat", status="failure")
    await store.commit(Outcome(sequence=1, at=NOON, events=(failed, an_event("d1", service="chat", status="success"))))
    assert len(await store.events()) == 2


async def test_a_baseline_takes_the_place_of_the_one_before_it(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, baselines=(a_baseline("b"), a_baseline("a"))))
    newer = a_baseline("b", Fraction(1, 3))
    await store.commit(Outcome(sequence=2, at=NOON + 1, baselines=(newer,)))
    assert await store.baselines() == (a_baseline("a"), newer)
    assert (await store.load()).baselines == (a_baseline("a"), newer)


async def test_old_events_are_pruned_and_baselines_stay(store: Store) -> None:
    kept = an_event("new", at=NOON)
    await store.commit(
        Outcome(sequence=1, at=NOON, events=(an_event("old", at=NOON - 1), kept), baselines=(a_baseline(),))
    )
    await store.prune(NOON)
    assert await store.events() == (kept,)
    assert await store.baselines() == (a_baseline(),)


async def test_many_commands_are_put_at_once_and_known_ids_are_told_apart(store: Store) -> None:
    await store.put(a_command("b"))
    assert await store.put_all([a_command("a"), a_command("b"), a_command("c"), a_command("a")]) == ("a", "c")
    assert [command.id for command in (await store.waiting())[0]] == ["b", "a", "c"]
    assert len(await store.audit_lines()) == 3


async def test_of_many_commands_one_that_cannot_be_kept_keeps_all_out(store: Store) -> None:
    with pytest.raises(StoreError):
        await store.put_all([a_command("a"), replace(a_command("b"), why="\udc80")])
    assert await store.waiting() == ((), ())
    assert await store.audit_lines() == ()
