"""What the server needs of the rest of the agent."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from figwatch_agent.clock import Clock
from figwatch_agent.durations import Duration
from figwatch_agent.model.agent import AgentFacts
from figwatch_agent.model.history import RouteHistory, Shares
from figwatch_agent.model.outcome import Transition
from figwatch_agent.model.view import View
from figwatch_agent.ports import Inbox, Journal, Outbox
from figwatch_agent.telemetry import Telemetry


class Newest(Protocol):
    """Gives the newest view."""

    @property
    def latest(self) -> View | None:
        """None before the first tick."""


class Past(Protocol):
    """Gives what was counted slot by slot, up to the newest tick."""

    def history(self, route: str, span: Duration) -> RouteHistory | None:
        """One route over a span of model.history.SPANS; None for one that no file declares, or before a tick."""

    def shares(self, span: Duration) -> Shares:
        """Legacy's share of every route over a span of model.history.SPANS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """Ports and callables; nothing here is opened or closed by the server."""

    publisher: Newest
    inbox: Inbox
    outbox: Outbox
    journal: Journal
    past: Past
    facts: Callable[[], Awaitable[AgentFacts]]  # the agent about itself, now
    history: Callable[[int], Awaitable[tuple[Transition, ...]]]  # the newest transitions, at most so many
    telemetry: Telemetry
    healthy: Callable[[], Mapping[str, bool]]  # loop, store, outbox
    tokens: Sequence[tuple[str, str, str]] = field(repr=False)  # name, secret value, role
    clock: Clock
    new_id: Callable[[], str]
    document: Callable[[View, Mapping[str, bool]], dict[str, object]]
    runbooks: Mapping[str, str] = field(default_factory=dict)  # alert name -> Markdown
