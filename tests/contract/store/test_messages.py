"""What a receiver calls its message: kept with the end of the row, given to every later row that belongs to it."""

from dataclasses import replace

import pytest

from figwatch_agent.durations import DAY
from figwatch_agent.errors import StoreError
from figwatch_agent.model.effect import DeliveryState
from figwatch_agent.model.journal import Topic
from figwatch_agent.model.outcome import Outcome
from figwatch_agent.model.page import OutboxRow
from figwatch_agent.ports import Store
from support.model_values import NOON, a_delivery_effect, an_incident
from support.stores import everything, rows_for

ACCEPTED, DEAD = DeliveryState.ACCEPTED, DeliveryState.DEAD


async def accept(store: Store, row: str, message_id: str, *, receiver: str = "oncall") -> None:
    """One attempt that the receiver takes."""
    await store.begin_delivery(row, 1, NOON)
    effect = a_delivery_effect(row, ACCEPTED, receiver=receiver)
    await store.finish_delivery(row, ACCEPTED, effect, None, message_id)


async def known_to(store: Store, receiver: str) -> str | None:
    """The id that comes with the receiver's next row."""
    delivery = await store.next_delivery(receiver, NOON)
    return None if delivery is None else delivery.message_id


def in_group(row: OutboxRow, group: str) -> OutboxRow:
    """The same row in a group of its own."""
    return replace(row, page=replace(row.page, group=group))


async def test_the_first_row_of_a_receiver_knows_no_message(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=rows_for("oncall", 1)))
    assert await known_to(store, "oncall") == ""


async def test_later_rows_come_with_the_id_that_the_receiver_gave(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=rows_for("oncall", 1, 2)))
    await accept(store, "incident-1/1/oncall", "C0123/1.5")
    assert await known_to(store, "oncall") == "C0123/1.5"
    await store.commit(Outcome(sequence=2, at=NOON, outbox=rows_for("oncall", 3)))
    await accept(store, "incident-1/2/oncall", "C0123/1.5")
    assert await known_to(store, "oncall") == "C0123/1.5"
    assert {each.message_id for each in await store.deliveries("incident-1")} == {"C0123/1.5"}


async def test_a_later_id_takes_the_place_of_an_earlier_one(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=rows_for("oncall", 1, 2, 3)))
    await accept(store, "incident-1/1/oncall", "C0123/1.5")
    await accept(store, "incident-1/2/oncall", "C0123/2.5")
    assert await known_to(store, "oncall") == "C0123/2.5"


async def test_an_end_without_an_id_leaves_the_one_that_is_known(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=rows_for("oncall", 1, 2, 3)))
    await accept(store, "incident-1/1/oncall", "C0123/1.5")
    await accept(store, "incident-1/2/oncall", "")
    assert await known_to(store, "oncall") == "C0123/1.5"


async def test_an_id_belongs_to_one_receiver_one_incident_and_one_group(store: Store) -> None:
    ticket = in_group(rows_for("oncall", 2)[0], "incident-1/ticket")
    other = rows_for("oncall", 1, incident="incident-2")
    await store.commit(Outcome(sequence=1, at=NOON, outbox=(*rows_for("oncall", 1), ticket, *rows_for("chat-ops", 1))))
    await accept(store, "incident-1/1/oncall", "C0123/1.5")
    assert await known_to(store, "oncall") == "", "a ticket has a message of its own"
    assert await known_to(store, "chat-ops") == ""
    await accept(store, ticket.id, "")
    await store.commit(Outcome(sequence=2, at=NOON, outbox=other))
    assert await known_to(store, "oncall") == ""


async def test_the_fallback_does_not_inherit_what_the_failed_receiver_called_it(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=rows_for("oncall", 1, 2)))
    await accept(store, "incident-1/1/oncall", "C0123/1.5")
    dead = a_delivery_effect("incident-1/2/oncall", DEAD)
    await store.finish_delivery(dead.row, DEAD, dead, "chat-ops")
    assert await known_to(store, "chat-ops") == ""
    await accept(store, "incident-1/2/oncall", "C0999/7.5", receiver="chat-ops")
    assert [each.message_id for each in await store.deliveries()] == ["C0999/7.5", "C0123/1.5"]


async def test_the_same_end_again_keeps_the_first_id(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=rows_for("oncall", 1, 2)))
    await accept(store, "incident-1/1/oncall", "C0123/1.5")
    before = await everything(store)
    effect = a_delivery_effect("incident-1/1/oncall", ACCEPTED)
    await store.finish_delivery(effect.row, ACCEPTED, effect, None, "C0123/9.5")
    assert await everything(store) == before


@pytest.mark.parametrize("state", [DEAD, DeliveryState.UNCONFIRMED])
async def test_what_nobody_accepted_has_no_id(store: Store, state: DeliveryState) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=rows_for("oncall", 1)))
    before = await everything(store)
    effect = a_delivery_effect(state=state)
    with pytest.raises(StoreError, match="only an accepted row has one"):
        await store.finish_delivery(effect.row, state, effect, None, "C0123/1.5")
    assert await everything(store) == before


async def test_pruning_keeps_the_id_while_the_incident_is_open_and_forgets_it_afterwards(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, incidents=(an_incident(),), outbox=rows_for("oncall", 1)))
    await accept(store, "incident-1/1/oncall", "C0123/1.5")
    await store.prune(NOON + DAY)
    await store.commit(Outcome(sequence=2, at=NOON, outbox=rows_for("oncall", 2)))
    assert await known_to(store, "oncall") == "C0123/1.5"
    await accept(store, "incident-1/2/oncall", "")
    await store.commit(Outcome(sequence=3, at=NOON, incidents=(an_incident(resolved_at=NOON),)))
    await store.prune(NOON + DAY)
    await store.commit(Outcome(sequence=4, at=NOON, outbox=rows_for("oncall", 3)))
    assert await known_to(store, "oncall") == ""


async def test_topics_are_what_a_receiver_has_named_and_nobody_elses(store: Store) -> None:
    rows = (*rows_for("oncall", 1), *rows_for("chat-ops", 2))
    second = in_group(rows_for("oncall", 3)[0], "incident-1/ticket")
    await store.commit(Outcome(sequence=1, at=NOON, outbox=(*rows, second)))
    assert await store.topics("oncall") == ()
    await accept(store, "incident-1/1/oncall", "first")
    await accept(store, "incident-1/2/chat-ops", "elsewhere", receiver="chat-ops")
    await accept(store, "incident-1/3/oncall", "second")
    assert await store.topics("oncall") == (
        Topic(incident="incident-1", group=rows[0].page.group, message_id="first"),
        Topic(incident="incident-1", group="incident-1/ticket", message_id="second"),
    )
