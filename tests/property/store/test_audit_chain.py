"""Whatever is done to stored lines, the chain says so, and says nothing where nothing was done."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from figwatch_agent.model.audit import (
    AuditHead,
    AuditKind,
    AuditLine,
    AuditNote,
    first_fault,
    line_hash,
    next_line,
    pruned,
)
from figwatch_agent.model.wire import encode

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NOTES = st.builds(
    AuditNote,
    at=st.integers(0, 2**42),
    kind=st.sampled_from([*(kind.value for kind in AuditKind if kind is not AuditKind.PRUNED), "silence"]),
    actor=TEXTS,
    origin=TEXTS,
    subject=TEXTS,
    why=TEXTS,
    until=st.none() | st.integers(0, 2**42),
)


def chain(notes: list[AuditNote]) -> tuple[list[AuditLine], AuditHead]:
    """The lines of these notes, and the newest."""
    lines: list[AuditLine] = []
    head = AuditHead()
    for note in notes:
        line = next_line(head, note)
        lines.append(line)
        head = AuditHead(sequence=line.sequence, hash=line.hash)
    return lines, head


CHAINS = st.lists(NOTES, min_size=1, max_size=8).map(chain)


@settings(max_examples=100, deadline=None)
@given(made=CHAINS)
def test_a_chain_that_nobody_touched_holds(made: tuple[list[AuditLine], AuditHead]) -> None:
    assert first_fault(*made) is None


@settings(max_examples=200, deadline=None)
@given(made=CHAINS, data=st.data())
def test_every_change_of_a_line_is_found_at_that_line(
    made: tuple[list[AuditLine], AuditHead], data: st.DataObject
) -> None:
    lines, head = made
    place = data.draw(st.integers(0, len(lines) - 1))
    line = lines[place]
    member = data.draw(st.sampled_from(["sequence", "at", "text", "previous", "hash"]))
    others = {
        "sequence": st.integers(-5, 50),
        "at": st.integers(0, 2**42),
        "text": NOTES.map(encode) | st.text(max_size=20) | st.integers(0, len(line.text)).map(lambda n: line.text[:n]),
        "previous": st.text("0123456789abcdef", min_size=64, max_size=64),
        "hash": st.text("0123456789abcdef", min_size=64, max_size=64),
    }
    value = data.draw(others[member])
    assume(value != getattr(line, member))
    lines[place] = replace(line, **{member: value})  # type: ignore[arg-type]  # of the member's own type
    found = first_fault(lines, head)
    assert found is not None
    if member in ("at", "text"):
        assert found.sequence == place + 1


@settings(max_examples=100, deadline=None)
@given(made=CHAINS, data=st.data())
def test_every_removal_is_found(made: tuple[list[AuditLine], AuditHead], data: st.DataObject) -> None:
    lines, head = made
    gone = data.draw(st.sets(st.integers(0, len(lines) - 1), min_size=1))
    assert first_fault([line for place, line in enumerate(lines) if place not in gone], head) is not None


@settings(max_examples=100, deadline=None)
@given(made=st.lists(NOTES, min_size=2, max_size=8).map(chain), data=st.data())
def test_every_other_order_is_found(made: tuple[list[AuditLine], AuditHead], data: st.DataObject) -> None:
    lines, head = made
    order = data.draw(st.permutations(range(len(lines))).filter(lambda order: list(order) != sorted(order)))
    assert first_fault([lines[place] for place in order], head) is not None


@settings(max_examples=100, deadline=None)
@given(made=CHAINS, note=NOTES, data=st.data())
def test_every_insertion_is_found_even_one_with_a_hash_of_its_own(
    made: tuple[list[AuditLine], AuditHead], note: AuditNote, data: st.DataObject
) -> None:
    lines, head = made
    place = data.draw(st.integers(0, len(lines)))
    before = AuditHead(sequence=place, hash=lines[place - 1].hash) if place else AuditHead()
    lines.insert(place, next_line(before, note))
    assert first_fault(lines, head) is not None


@settings(max_examples=100, deadline=None)
@given(made=CHAINS, note=NOTES, data=st.data())
def test_a_line_written_anew_breaks_what_follows_it(
    made: tuple[list[AuditLine], AuditHead], note: AuditNote, data: st.DataObject
) -> None:
    lines, head = made
    place = data.draw(st.integers(0, len(lines) - 1))
    old, text = lines[place], encode(note)
    assume(text != old.text)
    lines[place] = replace(old, at=note.at, text=text, hash=line_hash(old.sequence, old.previous, text))
    found = first_fault(lines, head)
    assert found is not None
    assert found.sequence == place + 2


@settings(max_examples=100, deadline=None)
@given(notes=st.lists(NOTES, min_size=2, max_size=8), data=st.data())
def test_what_was_pruned_is_vouched_for_and_what_was_taken_beside_it_is_found(
    notes: list[AuditNote], data: st.DataObject
) -> None:
    lines, head = chain(notes)
    kept = data.draw(st.integers(1, len(lines)))
    anchor = next_line(head, pruned(0, lines[kept - 1]))
    rest, newest = [*lines[kept:], anchor], AuditHead(sequence=anchor.sequence, hash=anchor.hash)
    assert first_fault(rest, newest) is None
    assert first_fault(rest[1:], newest) is not None
    assert first_fault([lines[kept - 1], *rest], newest) is not None
