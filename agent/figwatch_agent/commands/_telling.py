"""Puts events where the loop finds them: into the inbox of the state where it is at hand, else over HTTP."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from figwatch_agent.commands._agent import client_of, usable_token
from figwatch_agent.commands._wishes import actor
from figwatch_agent.durations import Instant, format_instant
from figwatch_agent.errors import FigwatchError
from figwatch_agent.model.event import Event
from figwatch_agent.model.settings import Settings
from figwatch_agent.model.telling import command_of
from figwatch_agent.store.writer import open_inbox

MOST_OVER_HTTP: Final = 500
"""Events of one request; more would not be taken all or not at all."""


class NowhereToTell(FigwatchError):
    """Neither the state nor an agent with a usable token is at hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of events."""

    taken: int
    known: int
    way: str  # "api" or "inbox"


def now() -> Instant:
    """By this machine's clock."""
    return time.time_ns() // 1_000_000


def way_for(settings: Settings) -> str:
    """Where events would go, for people."""
    if Path(settings.state).is_file():
        return f"the inbox of {settings.state}"
    return f"POST {client_of(settings.web).url}/api/v1/events"


def tell(events: Sequence[Event], settings: Settings) -> Told:
    """All of them or none. Raises NowhereToTell, StoreError, AgentRefused, AgentUnreachable."""
    if Path(settings.state).is_file():
        at = now()
        commands = [command_of(event, origin="cli", taken_at=at) for event in events]
        with open_inbox(settings.state) as inbox:
            taken = inbox.put_all(commands)
        return Told(taken=len(taken), known=len(commands) - len(taken), way="inbox")
    token = usable_token(settings.web, "operate")
    if token is None:
        raise NowhereToTell(
            f"there is no state at {settings.state} and no token of web.tokens that you may read: "
            "run this where the agent runs, or name a token"
        )
    if len(events) > MOST_OVER_HTTP:
        raise NowhereToTell(
            f"{len(events)} events are too many for one request, and only one request is taken whole: "
            f"import at most {MOST_OVER_HTTP} at a time, or run this where the agent's state is"
        )
    body = {"events": [_plain(event) for event in events]}
    answer: dict[str, Any] = client_of(settings.web).post(
        "/api/v1/events", body, {"Authorization": f"Bearer {token[1]}"}
    )
    return Told(taken=int(answer.get("taken", 0)), known=int(answer.get("known", 0)), way="api")


def who() -> str:
    """Whoever types."""
    return actor()


def _plain(event: Event) -> dict[str, object]:
    return {"kind": event.kind.value, "at": format_instant(event.at), "id": event.id, "fields": dict(event.fields)}
