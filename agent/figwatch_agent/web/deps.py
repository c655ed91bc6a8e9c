"""What the server needs of the rest of the agent."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from figwatch_agent.clock import Clock
from figwatch_agent.durations import Duration, Instant
from figwatch_agent.model.agent import AgentFacts
from figwatch_agent.model.explanation import Explanation
from figwatch_agent.model.gate import GateAnswer
from figwatch_agent.model.history import RouteHistory, Shares
from figwatch_agent.model.names import Stage
from figwatch_agent.model.outcome import Transition
from figwatch_agent.model.plan import RollbackPlan
from figwatch_agent.model.settings import IncomingWebhook
from figwatch_agent.model.view import View
from figwatch_agent.ports import Audit, Inbox, Journal, Outbox, Told
from figwatch_agent.report.redaction import Redaction
from figwatch_agent.telemetry import Telemetry
from figwatch_agent.web.caps import Caps


class Newest(Protocol):
    """Gives the newest view."""

    @property
    def latest(self) -> View | None:
        """None before the first tick."""

    async def after(self, view: View | None) -> View:
        """The newest view, as soon as it is another than this one."""

    def before_each(self, forget: Callable[[], None]) -> None:
        """Have ``forget`` called before a view is replaced."""


class Past(Protocol):
    """Gives what was counted slot by slot, up to the newest tick."""

    def history(self, route: str, span: Duration) -> RouteHistory | None:
        """One route over a span of model.history.SPANS; None for one that no file declares, or before a tick."""

    def shares(self, span: Duration) -> Shares:
        """Legacy's share of every route over a span of model.history.SPANS."""

    def gate(self, route: str, to: Stage | None, now: Instant, over: Duration | None = None) -> GateAnswer | None:
        """Whether a route may move on; None for one that no file declares, or before a tick."""

    def explain(self, subject: str) -> Explanation | None:
        """Why it pages, or not, at the newest tick; None where there is no such subject, or before a tick."""

    def subjects(self) -> tuple[str, ...]:
        """What can be explained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Who may come in, and how the agent is reached."""

    access: Literal["public", "token"] = "public"  # whether strangers may look
    secure: bool = False  # whether browsers reach it by HTTPS, of its own or of a proxy's
    host: str = "127.0.0.1"  # where it listens
    external_url: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    caps: Caps = field(default_factory=Caps)


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
    audit: Audit
    new_secret: Callable[[], str]  # a text that nobody can guess
    runbooks: Mapping[str, str] = field(default_factory=dict)  # alert name -> Markdown
    gate: Gate = field(default_factory=Gate)
    plans: Mapping[str, tuple[str, RollbackPlan]] = field(default_factory=dict)  # name -> digest and plan
    webhooks: Mapping[str, tuple[str, IncomingWebhook]] = field(
        default_factory=dict, repr=False
    )  # name -> secret value
    told: Told | None = None  # events and baselines as the store keeps them
    redaction: Redaction = field(default_factory=Redaction)  # what strangers do not get to see
