"""Commands and effects wait until an Outcome has consumed them, and are consumed exactly with it."""

import pytest

from figwatch_agent.durations import DAY
from figwatch_agent.errors import StoreError
from figwatch_agent.model.command import CommandKind
from figwatch_agent.model.effect import DeliveryState, RollbackState
from figwatch_agent.model.outcome import Outcome
from figwatch_agent.ports import Store
from support.model_values import NOON, a_command, a_delivery_effect, a_rollback_effect, a_row, an_intent


async def test_commands_wait_in_the_order_they_were_put(store: Store) -> None:
    commands = tuple(a_command(id_, kind) for id_, kind in zip("cab", CommandKind, strict=False))
    for command in commands:
        await store.put(command)
    assert await store.waiting() == (commands, ())


async def test_the_same_command_id_twice_is_one_command_and_the_first_stands(store: Store) -> None:
    await store.put(a_command("c"))
    await store.put(a_command("c", CommandKind.RESOLVE))
    assert (await store.waiting())[0] == (a_command("c"),)


async def test_commands_are_consumed_with_the_outcome_that_names_them(store: Store) -> None:
    for id_ in "abc":
        await store.put(a_command(id_))
    await store.commit(Outcome(sequence=1, at=NOON, commands=("c", "a")))
    assert [command.id for command in (await store.waiting())[0]] == ["b"]


async def test_a_refused_outcome_consumes_nothing(store: Store) -> None:
    await store.put(a_command("a"))
    with pytest.raises(StoreError):
        await store.commit(Outcome(sequence=7, at=NOON, commands=("a",)))
    assert [command.id for command in (await store.waiting())[0]] == ["a"]


async def test_a_consumed_command_does_not_come_back_when_it_is_put_again(store: Store) -> None:
    await store.put(a_command("a"))
    await store.commit(Outcome(sequence=1, at=NOON, commands=("a",)))
    await store.put(a_command("a"))
    assert (await store.waiting())[0] == ()


async def test_consuming_an_unknown_id_changes_nothing(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, commands=("later",), effects=("never",)))
    await store.put(a_command("later"))
    assert [command.id for command in (await store.waiting())[0]] == ["later"]


async def test_effects_of_both_kinds_wait_in_the_order_they_happened(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=(a_row(),), intents=(an_intent(),)))
    running, accepted, done = (
        a_rollback_effect(),
        a_delivery_effect(),
        a_rollback_effect(RollbackState.DONE),
    )
    await store.set_rollback(running.rollback, running.state, running)
    await store.finish_delivery(accepted.row, DeliveryState.ACCEPTED, accepted, None)
    await store.set_rollback(done.rollback, done.state, done)
    assert await store.waiting() == ((), (running, accepted, done))
    await store.commit(Outcome(sequence=2, at=NOON, effects=(running.id, accepted.id)))
    assert await store.waiting() == ((), (done,))


async def test_pruning_forgets_consumed_commands_and_effects_and_no_waiting_one(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, intents=(an_intent(),)))
    running, done = a_rollback_effect(), a_rollback_effect(RollbackState.DONE)
    for effect in (running, done):
        await store.set_rollback(effect.rollback, effect.state, effect)
    for id_ in "ab":
        await store.put(a_command(id_))
    await store.commit(Outcome(sequence=2, at=NOON, commands=("a",), effects=(running.id,)))
    await store.prune(NOON + DAY)
    assert await store.waiting() == ((a_command("b"),), (done,))
    await store.put(a_command("a"))
    assert [command.id for command in (await store.waiting())[0]] == ["b", "a"]
