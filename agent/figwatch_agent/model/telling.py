"""An event as a wish for the inbox: the same event by any way in is the same wish."""

from typing import Final

from figwatch_agent.durations import Instant, format_instant
from figwatch_agent.model.command import Command, CommandKind
from figwatch_agent.model.event import Event

PREFIX: Final = "event:"
"""How the ids of such wishes begin; ids of others hold a token's name or are random."""


def command_of(event: Event, *, origin: str, taken_at: Instant, user: str = "") -> Command:
    """The wish to have an event remembered. Its id derives from the event, so that the inbox takes it once."""
    data = {**dict(event.fields), "kind": event.kind.value, "id": event.id, "at": format_instant(event.at)}
    if user:
        data["user"] = user
    return Command(
        id=PREFIX + event.key,
        kind=CommandKind.EVENT,
        at=taken_at,
        actor=event.actor,
        origin=origin,
        subject=event.service or event.kind.value,
        data=tuple(sorted(data.items())),
    )
