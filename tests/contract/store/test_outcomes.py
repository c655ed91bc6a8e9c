"""What a commit leaves behind, and what comes back at start."""

from dataclasses import replace

import pytest

from figwatch_agent.durations import DAY, HOUR
from figwatch_agent.errors import StoreError
from figwatch_agent.model.outcome import Outcome, Saved
from figwatch_agent.ports import Store
from figwatch_agent.store.outcomes import CLOSED_INCIDENTS_LOADED
from support.model_values import NOON, a_ledger_entry, a_ring_row, a_transition, an_incident, an_intent
from support.stores import a_full_outcome, everything, fill_inbox, rows_for


async def test_a_new_store_loads_as_sequence_zero_and_nothing_else(store: Store) -> None:
    assert await store.load() == Saved(sequence=0, at=None)


async def test_what_was_committed_comes_back_whole(store: Store) -> None:
    outcome = a_full_outcome()
    await store.commit(outcome)
    assert await store.load() == Saved(
        sequence=1,
        at=outcome.at,
        sections=outcome.sections,
        ring_rows=outcome.ring_rows,
        ledger=outcome.ledger,
        incidents=outcome.incidents,
        events=outcome.events,
        baselines=outcome.baselines,
    )
    assert await store.transitions() == tuple(reversed(outcome.transitions))
    assert [delivery.row for delivery in reversed(await store.deliveries())] == list(outcome.outbox)
    assert [record.intent for record in await store.rollbacks()] == list(outcome.intents)


async def test_the_same_sequence_again_changes_nothing(store: Store) -> None:
    await fill_inbox(store, 1)
    await store.commit(a_full_outcome())
    await store.begin_delivery("incident-1/1/oncall", 1, NOON)
    before = await everything(store)
    await store.commit(a_full_outcome())
    await store.commit(Outcome(sequence=1, at=NOON + 99, transitions=(a_transition("another"),)))
    assert await everything(store) == before


@pytest.mark.parametrize("sequence", [-1, 0, 1, 4, 100])
async def test_a_gap_or_a_step_back_is_refused_and_changes_nothing(store: Store, sequence: int) -> None:
    await store.commit(Outcome(sequence=1, at=NOON))
    await store.commit(Outcome(sequence=2, at=NOON))
    before = await everything(store)
    with pytest.raises(StoreError, match=f"outcome {sequence} cannot follow outcome 2"):
        await store.commit(Outcome(sequence=sequence, at=NOON, transitions=(a_transition(),)))
    assert await everything(store) == before


@pytest.mark.parametrize("sequence", [0, 2])
async def test_a_new_state_begins_with_sequence_one(store: Store, sequence: int) -> None:
    with pytest.raises(StoreError, match=f"outcome {sequence} cannot follow outcome 0"):
        await store.commit(Outcome(sequence=sequence, at=NOON))


async def test_sections_are_replaced_by_name_and_the_others_stay(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, sections=(("rings", b"old"), ("latch", b""))))
    await store.commit(Outcome(sequence=2, at=NOON, sections=(("rings", b"\x00new\xff"),)))
    assert (await store.load()).sections == (("latch", b""), ("rings", b"\x00new\xff"))


async def test_a_ring_row_replaces_what_stood_in_its_slot_of_its_level_of_its_ring(store: Store) -> None:
    first = tuple(a_ring_row(slot, level=level, ring=ring) for ring in "ab" for level in (0, 1) for slot in (0, 1))
    new = a_ring_row(1, b"new", level=1, ring="a", boundary=NOON + HOUR)
    await store.commit(Outcome(sequence=1, at=NOON, ring_rows=first))
    await store.commit(Outcome(sequence=2, at=NOON, ring_rows=(new,)))
    assert (await store.load()).ring_rows == (*first[:3], new, *first[4:])


async def test_ledger_cells_are_absolute_and_differ_in_every_part_of_their_name(store: Store) -> None:
    cells = (
        a_ledger_entry(),
        a_ledger_entry(side="legacy"),
        a_ledger_entry(route="/other"),
        a_ledger_entry(slo="other"),
        a_ledger_entry(incident="incident-1"),
    )
    await store.commit(Outcome(sequence=1, at=NOON, ledger=cells))
    await store.commit(Outcome(sequence=2, at=NOON, ledger=(a_ledger_entry(2, 2**62),)))
    found = await store.ledger()
    assert sorted(found, key=str) == sorted((a_ledger_entry(2, 2**62), *cells[1:]), key=str)


async def test_load_gives_the_ledger_cells_of_the_current_interval_only(store: Store) -> None:
    old, new = a_ledger_entry(interval=NOON - HOUR), a_ledger_entry(interval=NOON)
    await store.commit(Outcome(sequence=1, at=NOON, ledger=(new, old)))
    assert (await store.load()).ledger == (new,)
    assert await store.ledger() == (old, new)


async def test_the_ledger_of_one_slo_leaves_the_others_out(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, ledger=(a_ledger_entry(slo="a"), a_ledger_entry(slo="b"))))
    assert await store.ledger("b") == (a_ledger_entry(slo="b"),)


async def test_an_incident_is_kept_as_it_last_was(store: Store) -> None:
    changed = replace(an_incident(), acknowledged_at=NOON + 5, acknowledged_by="operator")
    await store.commit(Outcome(sequence=1, at=NOON, incidents=(an_incident(), an_incident("incident-2"))))
    await store.commit(Outcome(sequence=2, at=NOON, incidents=(changed,)))
    assert (await store.load()).incidents == (changed, an_incident("incident-2"))


async def test_open_incidents_come_first_then_the_newest_thousand_closed(store: Store) -> None:
    closed = tuple(an_incident(f"closed-{n:04}", resolved_at=NOON + n) for n in range(CLOSED_INCIDENTS_LOADED + 5))
    opened = tuple(an_incident(f"open-{n}", at=NOON - DAY) for n in range(3))
    await store.commit(Outcome(sequence=1, at=NOON, incidents=(*closed[7:], *opened, *closed[:7])))
    found = (await store.load()).incidents
    assert found[:3] == opened
    assert found[3:] == tuple(reversed(closed))[:CLOSED_INCIDENTS_LOADED]


async def test_of_incidents_closed_at_once_the_later_opened_is_the_newer(store: Store) -> None:
    first, second = an_incident("b", resolved_at=NOON), an_incident("a", resolved_at=NOON)
    await store.commit(Outcome(sequence=1, at=NOON, incidents=(first, second)))
    assert (await store.load()).incidents == (second, first)


async def test_transitions_come_newest_first_up_to_the_limit(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, transitions=(a_transition("1"), a_transition("2"))))
    await store.commit(Outcome(sequence=2, at=NOON - HOUR, transitions=(a_transition("3", at=NOON - HOUR),)))
    assert [each.text for each in await store.transitions(2)] == ["3", "2"]


async def test_a_row_id_that_is_known_is_not_sent_again(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, outbox=rows_for("oncall", 1)))
    await store.commit(Outcome(sequence=2, at=NOON + 1, outbox=rows_for("oncall", 1)))
    (delivery,) = await store.deliveries()
    assert delivery.created_at == NOON


async def test_an_incident_has_at_most_one_rollback_whatever_its_id(store: Store) -> None:
    await store.commit(Outcome(sequence=1, at=NOON, intents=(an_intent(),)))
    await store.commit(Outcome(sequence=2, at=NOON, intents=(an_intent("another"), an_intent(at=NOON + 7))))
    assert [record.intent for record in await store.rollbacks()] == [an_intent()]


async def test_pruning_forgets_what_ended_before_and_keeps_the_rest(store: Store) -> None:
    await store.commit(
        Outcome(
            sequence=1,
            at=NOON,
            transitions=(a_transition("old", at=NOON - 1), a_transition("new", at=NOON)),
            incidents=(
                an_incident("ended", resolved_at=NOON - 1),
                an_incident("ended later", resolved_at=NOON),
                an_incident("open", at=NOON - DAY),
            ),
            ledger=(a_ledger_entry(interval=NOON - DAY),),
            intents=(an_intent(at=NOON - DAY),),
        )
    )
    await store.prune(NOON)
    saved = await store.load()
    assert [each.text for each in await store.transitions()] == ["new"]
    assert [each.id for each in saved.incidents] == ["open", "ended later"]
    assert saved.ledger == (a_ledger_entry(interval=NOON - DAY),)
    assert len(await store.rollbacks()) == 1
    assert saved.sequence == 1
