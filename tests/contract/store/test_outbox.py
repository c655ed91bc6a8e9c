"""Deliveries: first in, first out per incident and receiver, whatever interrupts them."""

import pytest

from figwatch_agent.durations import DAY, MINUTE
from figwatch_agent.errors import StoreError
from figwatch_agent.model.effect import DeliveryState
from figwatch_agent.model.outcome import Outcome
from figwatch_agent.model.page import PageKind
from figwatch_agent.ports import Store
from support.model_values import NOON, a_delivery_effect, a_row, an_incident
from support.stores import everything, rows_for

ACCEPTED, UNCONFIRMED, DEAD = DeliveryState.ACCEPTED, DeliveryState.UNCONFIRMED, DeliveryState.DEAD


async def next_id(store: Store, receiver: str, now: int = NOON) -> str | None:
    """Id of the row to be tried next."""
    delivery = await store.next_delivery(receiver, now)
    return None if delivery is None else delivery.row.id


async def finish(
    store: Store, row: str, state: DeliveryState, *, receiver: str = "oncall", fallback: str | None = None
) -> None:
    """One attempt that ends so."""
    await store.begin_delivery(row, 1, NOON)
    await store.finish_delivery(row, state, a_delivery_effect(row, state, receiver=receiver, reason="why"), fallback)


async def test_a_new_row_is_pending_and_due_at_once(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=(a_row(),)))
    delivery = await store.next_delivery("oncall", NOON - DAY)  # the wall clock went back between two runs
    assert delivery is not None
    assert (delivery.row, delivery.state, delivery.attempts) == (a_row(), DeliveryState.PENDING, 0)
    assert (delivery.created_at, delivery.ambiguous, delivery.original_receiver) == (NOON, False, "")


async def test_a_receiver_without_rows_has_nothing_to_do(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=(a_row(),)))
    assert await store.next_delivery("chat-ops", NOON) is None
    assert await store.next_due("chat-ops") is None


@pytest.mark.parametrize("state", [ACCEPTED, UNCONFIRMED, DEAD])
async def test_a_resolve_waits_until_its_trigger_has_ended(store: Store, state: DeliveryState) -> None:
    trigger, resolve = a_row("i/1/oncall"), a_row("i/2/oncall", kind=PageKind.RESOLVE)
    await store.commit(Outcome(sequence=1, at=NOON, outbox=(trigger, resolve)))
    assert await next_id(store, "oncall") == trigger.id
    await store.begin_delivery(trigger.id, 1, NOON)
    assert await next_id(store, "oncall") == trigger.id
    await store.postpone_delivery(trigger.id, NOON + MINUTE, "status_503", False)
    assert await next_id(store, "oncall") is None
    await finish(store, trigger.id, state)
    assert await next_id(store, "oncall") == resolve.id


async def test_a_stuck_incident_does_not_hold_up_the_others(store: Store) -> None:
    await store.commit(
        Outcome(sequence=1, at=NOON, outbox=(*rows_for("oncall", 1, 2), *rows_for("oncall", 1, incident="incident-2")))
    )
    await store.postpone_delivery("incident-1/1/oncall", NOON + MINUTE, "timeout", False)
    assert await next_id(store, "oncall") == "incident-2/1/oncall"


async def test_a_stuck_receiver_does_not_hold_up_the_others(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=(*rows_for("oncall", 1), *rows_for("chat-ops", 1))))
    await store.postpone_delivery("incident-1/1/oncall", NOON + MINUTE, "timeout", False)
    assert await next_id(store, "chat-ops") == "incident-1/1/chat-ops"


async def test_the_oldest_row_of_all_incidents_comes_first(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=rows_for("oncall", 1, incident="z")))
    await store.commit(Outcome(sequence=2, at=NOON, outbox=rows_for("oncall", 1, incident="a")))
    assert await next_id(store, "oncall") == "z/1/oncall"


async def test_an_interrupted_attempt_comes_back_at_once_as_ambiguous(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=(a_row(),)))
    await store.postpone_delivery(a_row().id, NOON + MINUTE, "timeout", False)
    await store.begin_delivery(a_row().id, 2, NOON + MINUTE)
    delivery = await store.next_delivery("oncall", NOON)
    assert delivery is not None
    assert (delivery.state, delivery.attempts, delivery.ambiguous) == (DeliveryState.SENDING, 2, True)
    assert delivery.reason == "timeout"
    assert await store.next_due("oncall") == 0


async def test_once_ambiguous_stays_ambiguous_whatever_a_later_attempt_says(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=(a_row(),)))
    await store.begin_delivery(a_row().id, 1, NOON)
    await store.begin_delivery(a_row().id, 2, NOON)
    await store.postpone_delivery(a_row().id, NOON, "refused", False)
    delivery = await store.next_delivery("oncall", NOON)
    assert delivery is not None
    assert (delivery.state, delivery.ambiguous) == (DeliveryState.PENDING, True)


@pytest.mark.parametrize("ambiguous", [True, False])
async def test_a_postponed_row_waits_for_its_time_with_its_reason(store: Store, ambiguous: bool) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=(a_row(),)))
    await store.begin_delivery(a_row().id, 1, NOON)
    await store.postpone_delivery(a_row().id, NOON + MINUTE, "status_429", ambiguous)
    assert await store.next_delivery("oncall", NOON + MINUTE - 1) is None
    delivery = await store.next_delivery("oncall", NOON + MINUTE)
    assert delivery is not None
    assert (delivery.state, delivery.attempts) == (DeliveryState.PENDING, 1)
    assert (delivery.reason, delivery.ambiguous, delivery.next_at) == ("status_429", ambiguous, NOON + MINUTE)


async def test_next_due_is_the_earliest_time_of_rows_that_nothing_holds_up(store: Store) -> None:
    rows = (*rows_for("oncall", 1, 2), *rows_for("oncall", 1, incident="incident-2"))
    await store.commit(Outcome(sequence=1, at=NOON, outbox=rows))
    assert await store.next_due("oncall") == 0
    await store.postpone_delivery("incident-1/1/oncall", NOON + 2 * MINUTE, "timeout", False)
    await store.postpone_delivery("incident-2/1/oncall", NOON + 3 * MINUTE, "timeout", False)
    assert await store.next_due("oncall") == NOON + 2 * MINUTE
    await finish(store, "incident-1/1/oncall", ACCEPTED)
    await finish(store, "incident-1/2/oncall", ACCEPTED)
    assert await store.next_due("oncall") == NOON + 3 * MINUTE
    await finish(store, "incident-2/1/oncall", ACCEPTED)
    assert await store.next_due("oncall") is None


async def test_the_end_of_a_row_goes_into_the_inbox(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=(a_row(),)))
    await finish(store, a_row().id, ACCEPTED)
    assert (await store.waiting())[1] == (a_delivery_effect(a_row().id, ACCEPTED, reason="why"),)
    (delivery,) = await store.deliveries()
    assert (delivery.state, delivery.reason) == (ACCEPTED, "why")


async def test_the_same_end_again_changes_nothing(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=rows_for("oncall", 1, 2)))
    effect = a_delivery_effect(state=DEAD)
    await store.finish_delivery("incident-1/1/oncall", DEAD, effect, "chat-ops")
    before = await everything(store)
    await store.finish_delivery("incident-1/1/oncall", DEAD, effect, "chat-ops")
    assert await everything(store) == before


async def test_a_dead_row_without_a_fallback_ends_and_lets_the_next_pass(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=rows_for("oncall", 1, 2)))
    await finish(store, "incident-1/1/oncall", DEAD)
    assert await next_id(store, "oncall") == "incident-1/2/oncall"


async def test_a_dead_row_and_those_behind_it_start_afresh_at_the_fallback_in_order(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=rows_for("oncall", 1, 2)))
    await store.begin_delivery("incident-1/1/oncall", 1, NOON)
    await finish(store, "incident-1/1/oncall", DEAD, fallback="chat-ops")
    assert await store.next_due("oncall") is None
    delivery = await store.next_delivery("chat-ops", NOON)
    assert delivery is not None
    assert (delivery.row.id, delivery.row.receiver) == ("incident-1/1/oncall", "chat-ops")
    assert (delivery.original_receiver, delivery.state, delivery.attempts) == ("oncall", DeliveryState.PENDING, 0)
    assert (delivery.ambiguous, delivery.reason) == (False, "why")
    await finish(store, "incident-1/1/oncall", ACCEPTED, receiver="chat-ops")
    assert await next_id(store, "chat-ops") == "incident-1/2/oncall"


async def test_the_fallback_inherits_rows_that_are_made_later(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=rows_for("oncall", 1)))
    await finish(store, "incident-1/1/oncall", DEAD, fallback="chat-ops")
    await finish(store, "incident-1/1/oncall", ACCEPTED, receiver="chat-ops")
    await store.commit(Outcome(sequence=2, at=NOON, outbox=rows_for("oncall", 2)))
    delivery = await store.next_delivery("chat-ops", NOON)
    assert delivery is not None
    assert (delivery.row.id, delivery.row.receiver, delivery.original_receiver) == (
        "incident-1/2/oncall",
        "chat-ops",
        "oncall",
    )
    assert await store.next_due("oncall") is None


async def test_other_incidents_stay_with_the_receiver_that_failed_one(store: Store) -> None:
    rows = (*rows_for("oncall", 1), *rows_for("oncall", 1, incident="incident-2"))
    await store.commit(Outcome(sequence=1, at=NOON, outbox=rows))
    await finish(store, "incident-1/1/oncall", DEAD, fallback="chat-ops")
    await store.commit(Outcome(sequence=2, at=NOON, outbox=rows_for("oncall", 2, incident="incident-2")))
    assert await next_id(store, "oncall") == "incident-2/1/oncall"
    await finish(store, "incident-2/1/oncall", ACCEPTED)
    assert await next_id(store, "oncall") == "incident-2/2/oncall"


async def test_a_fallback_that_fails_too_hands_on_to_its_own(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=rows_for("oncall", 1)))
    await finish(store, "incident-1/1/oncall", DEAD, fallback="chat-ops")
    await finish(store, "incident-1/1/oncall", DEAD, receiver="chat-ops", fallback="mail")
    await store.commit(Outcome(sequence=2, at=NOON, outbox=(*rows_for("oncall", 2), *rows_for("chat-ops", 2))))
    assert await next_id(store, "mail") == "incident-1/1/oncall"
    assert [(each.row.receiver, each.original_receiver) for each in await store.deliveries()] == [
        ("mail", "chat-ops"),
        ("mail", "oncall"),
        ("mail", "oncall"),
    ]


async def test_a_fallback_that_has_failed_before_is_passed_over_for_its_own(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=(*rows_for("chat-ops", 1), *rows_for("oncall", 1))))
    await finish(store, "incident-1/1/chat-ops", DEAD, receiver="chat-ops", fallback="mail")
    await finish(store, "incident-1/1/oncall", DEAD, fallback="chat-ops")
    assert [each.row.receiver for each in await store.deliveries()] == ["mail", "mail"]


async def test_two_receivers_that_fall_back_on_each_other_end_dead_and_not_in_a_ring(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=rows_for("oncall", 1)))
    await finish(store, "incident-1/1/oncall", DEAD, fallback="chat-ops")
    await finish(store, "incident-1/1/oncall", DEAD, receiver="chat-ops", fallback="oncall")
    (delivery,) = await store.deliveries()
    assert (delivery.state, delivery.row.receiver) == (DEAD, "chat-ops")
    await store.commit(Outcome(sequence=2, at=NOON, outbox=rows_for("oncall", 2)))
    assert await next_id(store, "chat-ops") == "incident-1/2/oncall"


async def test_deliveries_come_newest_first_by_incident_up_to_the_limit(store: Store) -> None:
    rows = (*rows_for("oncall", 1, 2, 3), *rows_for("oncall", 1, incident="incident-2"))
    await store.commit(Outcome(sequence=1, at=NOON, outbox=rows))
    assert [each.row.id for each in await store.deliveries("incident-1", limit=2)] == [
        "incident-1/3/oncall",
        "incident-1/2/oncall",
    ]
    assert [each.row for each in await store.deliveries()] == list(reversed(rows))


async def test_oldest_pending_is_when_the_oldest_unfinished_row_was_made(store: Store) -> None:
    assert await store.oldest_pending() is None
    await store.commit(Outcome(sequence=1, at=NOON, outbox=rows_for("oncall", 1)))
    await store.commit(Outcome(sequence=2, at=NOON + 1, outbox=rows_for("oncall", 2)))
    assert await store.oldest_pending() == NOON
    await finish(store, "incident-1/1/oncall", ACCEPTED)
    assert await store.oldest_pending() == NOON + 1


async def test_queues_count_the_rows_of_each_receiver_and_state(store: Store) -> None:
    assert await store.queues() == ()
    await store.commit(Outcome(sequence=1, at=NOON, outbox=(*rows_for("oncall", 1, 2, 3), *rows_for("team", 1))))
    await finish(store, "incident-1/1/oncall", ACCEPTED)
    assert [(each.receiver, each.state, each.rows) for each in await store.queues()] == [
        ("oncall", "accepted", 1),
        ("oncall", "pending", 2),
        ("team", "pending", 1),
    ]


@pytest.mark.parametrize("row", ["nobody/1/oncall", "incident-1/1/oncall"])
async def test_an_unknown_or_ended_row_is_refused_and_nothing_changes(store: Store, row: str) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=rows_for("oncall", 1)))
    await finish(store, "incident-1/1/oncall", ACCEPTED)
    before = await everything(store)
    with pytest.raises(StoreError, match=row):
        await store.begin_delivery(row, 2, NOON)
    with pytest.raises(StoreError, match=row):
        await store.postpone_delivery(row, NOON, "timeout", False)
    with pytest.raises(StoreError, match=row):
        await store.finish_delivery(row, DEAD, a_delivery_effect(row, DEAD), None)
    assert await everything(store) == before


@pytest.mark.parametrize(
    ("state", "fallback"),
    [(DeliveryState.SENDING, None), (DeliveryState.PENDING, None), (ACCEPTED, "chat-ops"), (UNCONFIRMED, "chat-ops")],
)
async def test_an_end_that_is_none_or_a_fallback_without_a_death_is_refused(
    store: Store, state: DeliveryState, fallback: str | None
) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=(a_row(),)))
    with pytest.raises(StoreError, match=f"{state.value}"):
        await store.finish_delivery(a_row().id, state, a_delivery_effect(state=state), fallback)
    assert (await store.waiting())[1] == ()


async def test_pruning_forgets_ended_rows_and_never_an_unfinished_one(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON - 1, outbox=rows_for("oncall", 1, 2)))
    await store.commit(Outcome(sequence=2, at=NOON, outbox=rows_for("chat-ops", 1)))
    await finish(store, "incident-1/1/oncall", ACCEPTED)
    await finish(store, "incident-1/1/chat-ops", ACCEPTED, receiver="chat-ops")
    await store.prune(NOON)
    assert [each.row.id for each in await store.deliveries()] == ["incident-1/1/chat-ops", "incident-1/2/oncall"]


async def test_pruning_keeps_the_inheritance_of_an_open_incident(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, incidents=(an_incident(),), outbox=rows_for("oncall", 1)))
    await finish(store, "incident-1/1/oncall", DEAD, fallback="chat-ops")
    await finish(store, "incident-1/1/oncall", ACCEPTED, receiver="chat-ops")
    await store.prune(NOON + DAY)
    assert await store.deliveries() == ()
    await store.commit(Outcome(sequence=2, at=NOON, outbox=rows_for("oncall", 2)))
    assert await next_id(store, "chat-ops") == "incident-1/2/oncall"


async def test_pruning_forgets_the_inheritance_of_an_incident_that_is_gone(store: Store) -> None:
    resolved = an_incident(resolved_at=NOON)
    await store.commit(Outcome(sequence=1, at=NOON, incidents=(resolved,), outbox=rows_for("oncall", 1)))
    await finish(store, "incident-1/1/oncall", DEAD, fallback="chat-ops")
    await finish(store, "incident-1/1/oncall", ACCEPTED, receiver="chat-ops")
    await store.prune(NOON + DAY)
    await store.commit(Outcome(sequence=2, at=NOON, outbox=rows_for("oncall", 2)))
    assert await next_id(store, "oncall") == "incident-1/2/oncall"


async def test_pruning_keeps_the_inheritance_while_a_row_is_on_its_way(store: Store) -> None:
    resolved = an_incident(resolved_at=NOON)
    await store.commit(Outcome(sequence=1, at=NOON, incidents=(resolved,), outbox=rows_for("oncall", 1)))
    await finish(store, "incident-1/1/oncall", DEAD, fallback="chat-ops")
    await store.prune(NOON + DAY)
    await store.commit(Outcome(sequence=2, at=NOON, outbox=rows_for("oncall", 2)))
    assert [each.row.receiver for each in await store.deliveries()] == ["chat-ops", "chat-ops"]
