"""The audit: a line with everything that was asked for, in a chain that cannot be changed unseen."""

import pytest

from figwatch_agent.errors import StoreError
from figwatch_agent.model.audit import GENESIS, AuditHead, AuditKind
from figwatch_agent.model.command import Command, CommandKind
from figwatch_agent.ports import Store
from support.model_values import NOON, a_command, an_audit_note


async def kinds(store: Store) -> list[str]:
    """What the lines tell, oldest first."""
    return [line.note.kind for line in reversed(await store.audit_lines())]


async def test_a_command_is_a_line_with_who_what_when_and_from_where(store: Store) -> None:
    command = Command(
        id="oncall/1",
        kind=CommandKind.SILENCE,
        at=NOON,
        actor="oncall",
        origin="page 192.0.2.7",
        subject="/api/v1/chat",
        why="a load test",
        until=NOON + 1,
        data=(("user", "ada@laptop"),),
    )
    await store.put(command)
    (line,) = await store.audit_lines()
    note = line.note
    assert (note.at, note.kind, note.actor, note.origin) == (NOON, "silence", "oncall", "page 192.0.2.7")
    assert (note.subject, note.why, note.until) == ("/api/v1/chat", "a load test", NOON + 1)
    assert (note.command, note.user) == ("oncall/1", "ada@laptop")


async def test_an_approval_names_the_plan_as_it_was_read(store: Store) -> None:
    await store.put(
        Command(id="a", kind=CommandKind.APPROVE, at=NOON, actor="x", origin="cli", subject="inc-1", plan_digest="5f2c")
    )
    assert (await store.audit_lines())[0].note.plan_digest == "5f2c"


async def test_the_same_command_again_is_no_second_line(store: Store) -> None:
    await store.put(a_command())
    await store.put(a_command())
    assert len(await store.audit_lines()) == 1


async def test_the_first_line_follows_the_beginning_and_each_further_one_the_line_before(store: Store) -> None:
    for number in range(3):
        await store.note(an_audit_note(NOON + number))
    third, second, first = await store.audit_lines()
    assert (first.sequence, first.previous) == (1, GENESIS)
    assert (second.previous, third.previous) == (first.hash, second.hash)
    assert await store.audit_head() == AuditHead(sequence=3, hash=third.hash)
    assert await store.audit_fault() is None


async def test_without_a_line_the_chain_holds(store: Store) -> None:
    assert await store.audit_lines() == ()
    assert await store.audit_head() == AuditHead()
    assert await store.audit_fault() is None


async def test_the_newest_lines_are_shown_first_and_no_more_than_asked_for(store: Store) -> None:
    for number in range(5):
        await store.note(an_audit_note(NOON + number))
    assert [line.sequence for line in await store.audit_lines(2)] == [5, 4]


async def test_what_no_file_can_hold_leaves_no_line(store: Store) -> None:
    with pytest.raises(StoreError, match="not Unicode"):
        await store.note(an_audit_note(subject="half a character: \ud800"))
    assert await store.audit_lines() == ()


async def test_old_lines_are_forgotten_and_the_rest_still_holds(store: Store) -> None:
    for number in range(6):
        await store.note(an_audit_note(NOON + number))
    await store.prune(NOON + 4)
    lines = await store.audit_lines()
    assert [line.sequence for line in reversed(lines)] == [5, 6, 7]
    assert lines[0].note.kind == AuditKind.PRUNED
    assert lines[0].note.subject == f"4 {lines[-1].previous}"
    assert await store.audit_fault() is None


async def test_an_old_line_behind_a_newer_one_is_kept_for_the_chain(store: Store) -> None:
    for at in (NOON, NOON + 9, NOON + 1):  # another process, another clock
        await store.note(an_audit_note(at))
    await store.prune(NOON + 5)
    assert [line.sequence for line in reversed(await store.audit_lines())] == [2, 3, 4]
    assert await store.audit_fault() is None


async def test_forgetting_may_be_repeated_and_may_leave_one_line_alone(store: Store) -> None:
    for number in range(3):
        await store.note(an_audit_note(NOON + number))
    for before in (NOON + 2, NOON + 2, NOON + 3, NOON + 10, NOON + 11):
        await store.prune(before)
        assert await store.audit_fault() is None
    assert await kinds(store) == [AuditKind.PRUNED]


async def test_where_nothing_is_old_forgetting_leaves_no_line(store: Store) -> None:
    await store.note(an_audit_note(NOON))
    await store.prune(NOON)
    assert await kinds(store) == [AuditKind.SIGN_IN]


async def test_after_forgetting_the_chain_goes_on(store: Store) -> None:
    await store.note(an_audit_note(NOON))
    await store.prune(NOON + 1)
    await store.put(a_command(at=NOON + 2))
    assert await kinds(store) == [AuditKind.PRUNED, "acknowledge"]
    assert await store.audit_fault() is None
