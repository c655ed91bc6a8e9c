"""Whatever is lost and whoever is restarted: in the end an Alertmanager holds what is open, each as one alert."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from figwatch_agent.durations import MINUTE, SECOND
from figwatch_agent.model.page import PageKind
from support.alertmanager_story import NAME, ONE, TWO, Agent, named, page
from support.model_values import NOON

INCIDENTS = 3
AT_LAST = 25 * MINUTE
"""Longer than any pause between two attempts, an end that is said again, and what nobody says any more."""

Step = tuple[str, int, int]
"""What happens, to whom, and how much of it."""

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "news",
                "news",
                "asks",
                "over",
                "work",
                "time",
                "agent dies",
                "agent dies telling",
                "server dies",
                "trouble",
            ]
        ),
        st.integers(0, INCIDENTS - 1),
        st.integers(0, 7),
    ),
    max_size=25,
)
TROUBLE = ("lost", "unheard", "503", "429", "500", "unheard", "lost", "408")


@dataclass(slots=True)
class Truth:
    """What is open, and what asks for a person."""

    agent: Agent = field(default_factory=lambda: Agent(urls=(ONE, TWO)))
    number: int = 0  # of incidents so far
    open: dict[int, tuple[int, bool]] = field(default_factory=dict)  # whose turn -> incident, whether it asks

    async def news(self, who: int, much: int, *, asks: bool = False) -> None:
        at = self.agent.clock.now()
        if who in self.open:
            incident, _ = self.open[who]
            self.open[who] = (incident, asks)
            await self.agent.tell(page(incident, PageKind.UPDATE, at, asks=asks))
        else:
            self.number += 1
            self.open[who] = (self.number, False)
            await self.agent.tell(page(self.number, PageKind.TRIGGER, at))

    async def asks(self, who: int, much: int) -> None:
        await self.news(who, much, asks=True)

    async def over(self, who: int, much: int) -> None:
        if who in self.open:
            incident, _ = self.open.pop(who)
            await self.agent.tell(page(incident, PageKind.RESOLVE, self.agent.clock.now()))

    async def work(self, who: int, much: int) -> None:
        await self.agent.work()

    async def time(self, who: int, much: int) -> None:
        await self.agent.pass_time(1 + much * much * 13 * SECOND)

    async def agent_dies(self, who: int, much: int) -> None:
        self.agent.clock.advance(much * MINUTE)
        self.agent.begin()

    async def agent_dies_telling(self, who: int, much: int) -> None:
        """The attempt is committed, and what comes of it is not."""
        now = self.agent.clock.now()
        delivery = await self.agent.store.next_delivery(NAME, now)
        if delivery is not None:
            await self.agent.store.begin_delivery(delivery.row.id, delivery.attempts + 1, now)
            await self.agent.notifier.deliver(delivery)
        self.agent.begin()

    async def server_dies(self, who: int, much: int) -> None:
        self.agent.ends[(ONE, TWO)[who % 2]].held.clear()

    async def trouble(self, who: int, much: int) -> None:
        self.agent.wire.faults.extend([TROUBLE[much]] * (who + 1))

    async def lived(self, steps: list[Step]) -> None:
        for what, who, much in steps:
            happen: Callable[[int, int], Awaitable[None]] = getattr(self, what.replace(" ", "_"))
            await happen(who, much)
        self.agent.wire.faults.clear()
        await self.agent.pass_time(AT_LAST)


@given(STEPS)
@settings(max_examples=15)
def test_in_the_end_both_hold_what_is_open_each_as_one_alert_and_nothing_else(steps: list[Step]) -> None:
    truth = Truth()
    asyncio.run(truth.lived(steps))
    wanted = sorted(
        name
        for incident, asks in truth.open.values()
        for name in (f"incident-{incident}/page", *((f"incident-{incident}?/page",) if asks else ()))
    )
    for url, server in truth.agent.ends.items():
        active = server.active()
        assert named(list(active)) == wanted, url
        for labels, alert in active.items():
            number = int(dict(labels)["figwatch_incident"].removeprefix("incident-"))
            assert "asks" in dict(labels) or alert.starts_at == NOON + number
        # One incident was never two alerts, whatever was posted.
        told = [alert for post in server.posted for alert in post if alert["labels"]["severity"] == "page"]
        own = {(frozenset(one["labels"].items()), one["startsAt"]) for one in told if "asks" not in one["labels"]}
        assert len(own) == len({dict(labels)["figwatch_incident"] for labels, _ in own})
