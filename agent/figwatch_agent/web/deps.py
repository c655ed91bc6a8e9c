"""What the server needs of the rest of the agent."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from figwatch_agent.clock import Clock
from figwatch_agent.model.outcome import Transition
from figwatch_agent.model.view import View
from figwatch_agent.ports import Inbox, Journal, Outbox
from figwatch_agent.telemetry import Telemetry


class Newest(Protocol):
    """Gives the newest view."""

    @property
    def latest(self) -> View | None:
        """None before the first tick."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """Ports and callables; nothing here is opened or closed by the server."""

    publisher: Newest
    inbox: Inbox
    outbox: Outbox
    journal: Journal
    history: Callable[[int], Awaitable[tuple[Transition, ...]]]  # the newest transitions, at most so many
    telemetry: Telemetry
    healthy: Callable[[], Mapping[str, bool]]  # loop, store, outbox
    tokens: Sequence[tuple[str, str, str]] = field(repr=False)  # name, secret value, role
    clock: Clock
    new_id: Callable[[], str]
    document: Callable[[View, Mapping[str, bool]], dict[str, object]]
    runbooks: Mapping[str, str] = field(default_factory=dict)  # alert name -> Markdown
