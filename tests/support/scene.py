"""An agent that watches a gateway with users, told in the words of a story; everything else stays real."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from figwatch_agent.demo.pager import Received
from figwatch_agent.model.decision import Decision
from figwatch_agent.model.incident import Incident, IncidentKind
from figwatch_agent.model.outcome import TransitionKind
from support.agent_process import AgentProcess, Home, Nursery
from support.fake_gateway import until

WITHIN: Final = 20.0
"""Seconds for whatever is waited for, unless the test knows better; the things themselves take one or two."""


class Scene:
    """One agent at a time."""

    def __init__(self, home: Home, nursery: Nursery) -> None:
        self.home = home
        self.gateway = home.gateway
        self.pager = home.pager
        self.nursery = nursery
        self.agent: AgentProcess | None = None

    async def begin(self, *arguments: str, **named: Any) -> AgentProcess:
        """Write the files and start the agent; users have been served for half a second when this returns."""
        if not self.home.folder.exists():
            self.home.write()
        self.agent = await self.home.run(self.nursery, *arguments, **named)
        await self.home.ready(self.agent)
        await self.scrapes(5)
        return self.agent

    async def end(self) -> None:
        """Stop the agent as an operator does."""
        assert self.agent is not None
        assert await self.agent.stop() == 0, self.agent.log.read_text("utf-8")

    async def until(self, what: Callable[[], bool], why: str, within: float = WITHIN) -> None:
        """Wait for it; the agent must live meanwhile."""
        agent = self.agent

        def dead() -> bool:
            return agent is not None and not agent.running

        await until(lambda: dead() or what(), within, why)
        assert not dead(), agent.log.read_text("utf-8") if agent is not None else ""

    async def scrapes(self, number: int) -> None:
        """Let so many more scrapes happen."""
        start = self.gateway.scrapes
        await self.until(lambda: self.gateway.scrapes >= start + number, f"{number} more scrapes")

    async def paged(self, within: float = WITHIN) -> None:
        """Wait until a person was told."""
        await self.until(lambda: bool(self.pager.people()), "a page", within)

    async def over(self, within: float = WITHIN) -> None:
        """Wait until the incident and everything about it has ended."""

        def ended() -> bool:
            incidents = self.incidents()
            return bool(incidents) and not any(incident.open for incident in incidents) and self.home.quiet()

        await self.until(ended, "the end of the incident", within)

    def incidents(self) -> list[Incident]:
        """Those of the route; one about a receiver that fails is another matter."""
        return [incident for incident in self.home.incidents() if incident.kind is IncidentKind.ROUTE]

    def incident(self) -> Incident:
        """The only one of the route that there ever was."""
        (incident,) = self.incidents()
        return incident

    def decision(self) -> Decision | None:
        """What was decided last about the only incident, if there is one."""
        incidents = self.incidents()
        return incidents[0].decision if incidents else None

    async def decided(self, reason: str) -> Decision:
        """Wait until a rollback was decided about for this reason."""

        def found() -> bool:
            decision = self.decision()
            return decision is not None and decision.reason.value == reason

        await self.until(found, f"a decision because of {reason}, not {self.decision()}")
        decision = self.decision()
        assert decision is not None
        return decision

    def said(self, kind: TransitionKind) -> list[str]:
        """Texts of transitions, oldest first."""
        return [each.text for each in reversed(self.home.transitions()) if each.kind is kind]

    def events(self) -> list[dict[str, Any]]:
        """What PagerDuty accepted, in order."""
        return [json.loads(one.body) for one in self.attempts() if one.accepted]

    def attempts(self) -> list[Received]:
        """Everything that was sent to PagerDuty, accepted or not."""
        return self.pager.received("pagerduty")

    def untouched(self) -> bool:
        """Whether nobody changed the gateway through the agent."""
        return not self.gateway.calls


def hold_write_lock(state: Path) -> closing[sqlite3.Connection]:
    """What another process does that writes to the state and does not end."""
    connection = sqlite3.connect(state, isolation_level=None, timeout=10)
    connection.execute("BEGIN IMMEDIATE")
    return closing(connection)
