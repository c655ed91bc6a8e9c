"""Who did what, when and from where: lines in a chain in which each names the hash of the one before.

The hash of a line is the SHA-256 of the canonical JSON ``{"sequence": ..., "previous": ..., "note": ...}`` over the
note's text as it is stored, so that members added by a later version leave old lines as they are.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Final

from figwatch_agent.durations import Instant
from figwatch_agent.model.command import Command
from figwatch_agent.model.wire import decode, encode

GENESIS: Final = "0" * 64
"""What the first line of a state names as the one before it."""


class AuditKind(StrEnum):
    """What is audited beside the kinds of commands."""

    SIGN_IN = "sign_in"  # a session began; subject: the role
    SIGN_OUT = "sign_out"  # it was ended by the person
    REFUSED = "refused"  # no such token, not the role, too many attempts, a form from elsewhere; why says which
    RELOAD = "reload"  # the files were read anew; why says what was wrong where they were not taken
    PRUNED = "pruned"  # lines up to a number were forgotten; subject: that number and the hash of that line


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditNote:
    """What somebody did."""

    at: Instant  # by the clock of whoever wrote it
    kind: str  # a CommandKind or an AuditKind
    actor: str  # name of the token, or user@host; "" where nobody is known
    origin: str  # from where: "api 127.0.0.1", "page 127.0.0.1", "cli", "agent"
    subject: str = ""
    why: str = ""
    until: Instant | None = None
    plan_digest: str | None = None
    command: str = ""  # id of the command
    digest: str = ""  # SHA-256 of the command's canonical JSON, its data included
    user: str = ""  # who the command line says it runs as; told, not proven
    count: int = 1  # so many alike, where repeats are folded into one line


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """A note in its place in the chain."""

    sequence: int  # from 1, without gaps
    at: Instant
    text: str  # the note as canonical JSON
    previous: str  # hash of the line before, in hex
    hash: str

    @property
    def note(self) -> AuditNote:
        """The note read. Raises ValueError, KeyError or TypeError where somebody changed it beyond reading."""
        return decode(AuditNote, self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditHead:
    """The newest line."""

    sequence: int = 0
    hash: str = GENESIS


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFault:
    """The first line at which the chain does not hold, and why."""

    sequence: int
    problem: str


def note_of(command: Command) -> AuditNote:
    """What is remembered of a command that was taken."""
    return AuditNote(
        at=command.at,
        kind=command.kind.value,
        actor=command.actor,
        origin=command.origin,
        subject=command.subject,
        why=command.why,
        until=command.until,
        plan_digest=command.plan_digest,
        command=command.id,
        digest=text_digest(encode(command)),
        user=dict(command.data).get("user", ""),
    )


def text_digest(text: str) -> str:
    """SHA-256 of a command's canonical JSON, in hex."""
    return _hex(text)


def next_line(head: AuditHead, note: AuditNote) -> AuditLine:
    """The line that follows the newest."""
    sequence, text = head.sequence + 1, encode(note)
    return AuditLine(
        sequence=sequence,
        at=note.at,
        text=text,
        previous=head.hash,
        hash=line_hash(sequence, head.hash, text),
    )


def line_hash(sequence: int, previous: str, text: str) -> str:
    """The hash that a line must have, in hex."""
    return _hex(f'{{"sequence":{sequence:d},"previous":{encode(previous)},"note":{text}}}')


def pruned(at: Instant, last: AuditLine) -> AuditNote:
    """The note that takes the place of all lines up to and with ``last``: it keeps that line's hash in the chain."""
    return AuditNote(
        at=at,
        kind=AuditKind.PRUNED,
        actor="",
        origin="agent",
        subject=f"{last.sequence} {last.hash}",
        why=f"kept no longer: lines up to {last.sequence}",
        count=last.sequence,
    )


def first_fault(
    lines: Iterable[AuditLine], head: AuditHead, commands: Mapping[str, str] | None = None
) -> AuditFault | None:
    """The first thing that is wrong with the lines, oldest first, that a state holds; None where the chain holds.

    ``head`` is what the state itself says is its newest line; ``commands`` are digests of commands in its inbox by id.
    """
    return next(_faults(lines, head, commands or {}), None)


def _faults(lines: Iterable[AuditLine], head: AuditHead, commands: Mapping[str, str]) -> Iterator[AuditFault]:
    newest, begin, anchor = AuditHead(), "", ""
    for line in lines:
        if not begin:  # the oldest line that is kept
            newest = AuditHead(sequence=line.sequence - 1, hash=line.previous)
            begin = f"{newest.sequence} {newest.hash}"
        problem = _problem(line, newest)
        if problem is None:
            note = line.note
            anchor = note.subject if note.kind == AuditKind.PRUNED else anchor
            if note.command in commands and commands[note.command] != note.digest:
                problem = f"the command {note.command} was changed after it was taken"
        if problem is not None:
            yield AuditFault(sequence=line.sequence, problem=problem)
        newest = AuditHead(sequence=line.sequence, hash=line.hash)
    if begin and begin != (anchor or f"0 {GENESIS}"):
        first = int(begin.partition(" ")[0]) + 1
        yield AuditFault(sequence=first, problem="lines before it are gone, and nothing says that they were pruned")
    if newest != head:
        yield AuditFault(
            sequence=min(newest.sequence, head.sequence) + 1,
            problem=f"the newest line is {newest.sequence}, and the state says that it was {head.sequence}",
        )


def _problem(line: AuditLine, before: AuditHead) -> str | None:
    if line.sequence != before.sequence + 1:
        return f"line {before.sequence + 1} is missing, or lines stand in another order"
    if line.previous != before.hash:
        return "it does not follow the line before it"
    if line.hash != line_hash(line.sequence, line.previous, line.text):
        return "it was changed after it was written"
    try:
        return None if line.note.at == line.at else "its time was changed after it was written"
    except (ValueError, KeyError, TypeError):
        return "it cannot be read"


def _hex(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
