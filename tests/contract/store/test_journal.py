"""Rollbacks and their steps."""

import pytest

from figwatch_agent.errors import StoreError
from figwatch_agent.model.effect import RollbackState
from figwatch_agent.model.journal import RollbackRecord, StepState
from figwatch_agent.model.outcome import Outcome
from figwatch_agent.ports import Store
from support.model_values import NOON, a_rollback_effect, a_step_entry, an_intent
from support.stores import everything


async def commit_intents(store: Store, *numbers: int) -> None:
    """One Outcome per incident with an intent each."""
    for number in numbers:
        intent = an_intent(f"incident-{number}/rollback", incident=f"incident-{number}")
        await store.commit(Outcome(sequence=number, at=NOON, intents=(intent,)))


async def set_state(store: Store, number: int, state: RollbackState) -> None:
    """A change of the rollback of an incident."""
    effect = a_rollback_effect(state, rollback=f"incident-{number}/rollback", incident=f"incident-{number}")
    await store.set_rollback(effect.rollback, state, effect)


async def test_an_intent_is_committed_with_its_own_copy_of_the_plan_and_no_entries(store: Store) -> None:
    await commit_intents(store, 1)
    assert await store.unfinished_rollbacks() == (
        RollbackRecord(intent=an_intent(), state=RollbackState.COMMITTED, entries=()),
    )


async def test_the_journal_of_a_rollback_keeps_its_order_and_leaves_the_others_alone(store: Store) -> None:
    await commit_intents(store, 1, 2)
    entries = (
        a_step_entry(state=StepState.INTENDED),
        a_step_entry("incident-2/rollback"),
        a_step_entry(state=StepState.DONE, at=NOON - 5),
        a_step_entry(step="step-2", state=StepState.INTENDED),
        a_step_entry(step="step-2", state=StepState.INTENDED, attempt=2),
    )
    for entry in entries:
        await store.append_step(entry)
    newest, oldest = await store.rollbacks()
    assert oldest.entries == (entries[0], *entries[2:])
    assert newest.entries == (entries[1],)


async def test_rollbacks_come_newest_first_up_to_the_limit(store: Store) -> None:
    await commit_intents(store, 1, 2, 3)
    assert [record.intent.incident for record in await store.rollbacks(2)] == ["incident-3", "incident-2"]


async def test_unfinished_rollbacks_come_oldest_first_without_the_final_ones(store: Store) -> None:
    states = list(RollbackState)
    await commit_intents(store, *range(1, len(states) + 1))
    for number, state in enumerate(states, start=1):
        await set_state(store, number, state)
    assert [record.state for record in await store.unfinished_rollbacks()] == [
        RollbackState.COMMITTED,
        RollbackState.RUNNING,
    ]
    assert [record.state for record in reversed(await store.rollbacks())] == states


async def test_a_change_of_state_and_its_effect_come_together(store: Store) -> None:
    await commit_intents(store, 1)
    await set_state(store, 1, RollbackState.RUNNING)
    assert [record.state for record in await store.rollbacks()] == [RollbackState.RUNNING]
    assert await store.waiting() == ((), (a_rollback_effect(),))


async def test_a_known_effect_id_is_no_change_even_after_later_ones(store: Store) -> None:
    await commit_intents(store, 1)
    await set_state(store, 1, RollbackState.RUNNING)
    await set_state(store, 1, RollbackState.DONE)
    before = await everything(store)
    await set_state(store, 1, RollbackState.RUNNING)
    assert await everything(store) == before


async def test_a_step_of_a_running_rollback_may_tell_without_changing_the_state(store: Store) -> None:
    await commit_intents(store, 1)
    for step in (None, "step-1", "step-2"):
        effect = a_rollback_effect(step=step)
        await store.set_rollback(effect.rollback, effect.state, effect)
    assert len((await store.waiting())[1]) == 3


async def test_a_final_state_stands(store: Store) -> None:
    await commit_intents(store, 1)
    await set_state(store, 1, RollbackState.NEEDS_HUMAN)
    before = await everything(store)
    with pytest.raises(StoreError, match="needs_human, which is final"):
        await set_state(store, 1, RollbackState.RUNNING)
    assert await everything(store) == before


async def test_an_unknown_rollback_is_refused_and_nothing_is_kept(store: Store) -> None:
    before = await everything(store)
    with pytest.raises(StoreError, match="no rollback incident-1/rollback"):
        await store.append_step(a_step_entry())
    with pytest.raises(StoreError, match="no rollback incident-1/rollback"):
        await set_state(store, 1, RollbackState.RUNNING)
    assert await everything(store) == before
