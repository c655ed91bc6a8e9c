"""Two stories that survive their teller's death: a page with its resolve, and a rollback of two steps.

Users, the pager and the gateway live in the test's process and go on; the agent is a real process that dies by SIGKILL
at counted points and is started again at once. What must hold in the end is judged from outside: by what the pager
accepted, what the gateway was told, and what the state says.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

from figwatch_agent.demo.pager import Received
from figwatch_agent.model.effect import DeliveryState, RollbackState
from figwatch_agent.model.outcome import TransitionKind
from support.agent_process import KILLED, AgentProcess, Home, Nursery
from support.fake_gateway import FakeGateway, running_gateway, until
from support.pager import RunningPager, running_pager

WITHIN: Final = 40.0
"""Seconds for one stage of a story; it needs one or two, but not on a busy machine."""


def in_doubt(points: Sequence[str]) -> bool | None:
    """Whether a life that ended after these points left open if the step that must not be repeated took place.

    None where it ended while another thread committed just that: then it is one or the other.
    """
    passed = {point.partition(" #")[0] for point in points}
    if "before commit of step flush intended" not in passed or "after commit of step flush done" in passed:
        return False
    if "after commit of step flush intended" not in passed:
        return None if points[-1] != "before commit of step flush intended #0" else False
    if "before commit of step flush done" in passed and points[-1] != "before commit of step flush done #0":
        return None
    return True


@dataclass(slots=True, kw_only=True)
class Lives:
    """The lives of one agent: each ends at its kill, the one after the last kill at the end of the story."""

    home: Home
    nursery: Nursery
    kills: Sequence[int | str]
    lives: list[AgentProcess] = field(default_factory=list)
    task: asyncio.Task[None] | None = None

    async def go_on(self) -> None:
        """Start the agent, and again whenever it was killed, until cancelled."""
        while True:
            number = len(self.lives)
            kill = self.kills[number] if number < len(self.kills) else None
            life = await self.home.run(self.nursery, counted=True, kill=kill)
            self.lives.append(life)
            code = await asyncio.shield(life.ended)
            assert code == KILLED, f"life {number} ended with {code}: {life.log.read_text('utf-8')}"

    @property
    def struck(self) -> list[str]:
        """Names of the points at which it was killed."""
        return [life.passed()[-1] for life in self.lives if life.killed]

    def failed(self) -> str:
        """Why the agent does not live any more though nobody killed it."""
        if self.task is None or not self.task.done() or self.task.cancelled():
            return ""
        return str(self.task.exception())


@dataclass(slots=True, kw_only=True)
class Told:
    """How a story went."""

    points: list[str]  # of the last life
    struck: list[str]


class Story:
    """One agent, its users and its pager."""

    def __init__(self, home: Home, lives: Lives) -> None:
        self.home = home
        self.lives = lives
        self.gateway: FakeGateway = home.gateway
        self.pager: RunningPager = home.pager

    async def page_and_resolve(self) -> None:
        """The service side fails until somebody was paged."""
        await self._steady()
        self.gateway.service_bad = 0.5
        await self._until(lambda: bool(self._accepted()), "a page")
        self.gateway.service_bad = 0.0
        await self._until(self._all_over, "the end of the incident")
        self._check_page()

    async def roll_back(self) -> None:
        """The service side fails for good; only the way back to legacy helps."""
        await self._steady()
        self.gateway.service_bad = 0.5
        await self._until(self._final, "the end of the rollback")
        (record,) = self.home.rollbacks()
        assert record.state in (RollbackState.NEEDS_HUMAN, RollbackState.DONE), record
        doubt = record.state is RollbackState.NEEDS_HUMAN
        possible = [in_doubt(life.passed()) for life in self.lives.lives if life.killed]
        assert any(possible) <= doubt <= (any(possible) or None in possible), record
        if doubt:
            await self._ask_a_person()
        await self._until(self._all_over, "the end of the incident")
        self._check_page()
        self._check_gateway(doubt)

    async def _ask_a_person(self) -> None:
        def told() -> bool:
            return any("a person is needed" in one.body for one in self.pager.received("pagerduty") if one.accepted)

        await self._until(lambda: told() and self.home.quiet(), "a page that asks for a person")
        (incident,) = self.home.incidents()
        assert incident.open, "what needs a person must not end by itself"
        self.home.rearm("rearm")

    def _check_gateway(self, doubt: bool) -> None:
        flushed, redirected = self.gateway.done("/flush"), self.gateway.done("/routes")
        assert flushed <= 1, "a step that must not be repeated was repeated"
        assert flushed == 1 or doubt
        assert 1 <= redirected <= 1 + len(self.lives.kills)
        assert len({key for path, key in self.gateway.calls if path == "/routes"}) == 1
        (incident,) = self.home.incidents()
        assert incident.rollback is not None
        if not doubt:
            assert incident.rollback.verdict == "helped", incident.rollback

    def _check_page(self) -> None:
        (alert,) = self.pager.people()
        events = [json.loads(one.body) for one in self._accepted()]
        actions = [event["event_action"] for event in events]
        assert actions[0] == "trigger", actions
        assert events[0]["payload"]["severity"] == "critical", events[0]
        assert actions[-1] == "resolve", actions
        assert "trigger" not in actions[actions.index("resolve") :], actions
        assert alert["state"] == "resolved", alert
        (incident,) = self.home.incidents()
        assert incident.resolved_at is not None, incident
        assert incident.paged_at is not None, incident
        assert incident.mitigated_at is not None, incident
        kinds = [transition.kind for transition in self.home.transitions()]
        for kind in (TransitionKind.INCIDENT_OPENED, TransitionKind.INCIDENT_PAGED, TransitionKind.INCIDENT_RESOLVED):
            assert kinds.count(kind) == 1, kind
        assert {delivery.state for delivery in self.home.deliveries()} == {DeliveryState.ACCEPTED}

    def _accepted(self) -> list[Received]:
        return [one for one in self.pager.received("pagerduty") if one.accepted]

    def _final(self) -> bool:
        records = self.home.rollbacks()
        return bool(records) and records[0].state.final

    def _all_over(self) -> bool:
        incidents = self.home.incidents()
        return bool(incidents) and not any(incident.open for incident in incidents) and self.home.quiet()

    async def _steady(self) -> None:
        await self._until(lambda: self.gateway.scrapes >= 5, "five scrapes")

    async def _until(self, what: Callable[[], bool], why: str) -> None:
        await until(lambda: bool(self.lives.failed()) or what(), WITHIN, why)
        assert not self.lives.failed(), self.lives.failed()


Telling = Callable[[Story], Awaitable[None]]


async def tell(nursery: Nursery, folder: Path, telling: Telling, mode: str, kills: Sequence[int | str] = ()) -> Told:
    """One story with its kills, in a folder of its own that is removed where it went well.

    AssertionError, with the points at which the agent was killed, where it did not end as it should.
    """
    async with running_gateway() as gateway, running_pager() as pager:
        home = Home(folder=folder, gateway=gateway, pager=pager, mode=mode)
        home.write()
        lives = Lives(home=home, nursery=nursery, kills=kills)
        task = asyncio.create_task(lives.go_on())
        lives.task = task
        try:
            await telling(Story(home, lives))
        except AssertionError as wrong:
            raise AssertionError(f"kills {list(kills)} at {lives.struck}: {wrong}; see {folder}") from wrong
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError, AssertionError):
                await task
            code = await lives.lives[-1].stop() if lives.lives else 0
        # A life that was born as the story ended may be told to stop before it listens for that.
        assert code in (0, KILLED, -signal.SIGTERM), f"the last life ended with {code}"
        told = Told(points=lives.lives[-1].passed(), struck=lives.struck)
    shutil.rmtree(folder)
    return told


async def tell_all(
    nursery: Nursery, folder: Path, telling: Telling, mode: str, plans: Iterable[Sequence[int | str]], at_once: int
) -> tuple[list[Told], list[str]]:
    """Many stories, so many at once; how they went, and what was wrong with those that went wrong."""
    turn = asyncio.Semaphore(at_once)
    wrong: list[str] = []
    numbers = count()

    async def one(kills: Sequence[int | str]) -> Told | None:
        async with turn:
            try:
                return await tell(nursery, folder / str(next(numbers)), telling, mode, kills)
            except AssertionError as error:
                wrong.append(str(error))
                return None

    told = await asyncio.gather(*(one(kills) for kills in plans))
    return [each for each in told if each is not None], wrong
