"""Eyes on the demo while its story runs: what anybody could ask over HTTP, and whether its processes live."""

from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from figwatch_agent.demo import stack, tokens
from figwatch_agent.demo.box import Child
from figwatch_agent.demo.chronicle import Json
from figwatch_agent.errors import FigwatchError


class StoryBroken(FigwatchError):
    """The demo itself failed: a part did not start or ended early. Its log says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What is asked while the story runs."""

    client: aiohttp.ClientSession
    agent: str
    stack: stack.Stack
    load: Child

    def check(self) -> None:
        """Raises StoryBroken where a process of the demo has ended."""
        for each in self.stack.box.children:
            if not each.running:
                raise StoryBroken(f"{each.name} ended during the story; its log {each.log} ends:\n{each.log_tail()}")

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Json | None:
        """A JSON document, or None where it could not be had just now."""
        try:
            async with self.client.get(url, headers=headers) as answer:
                document: Json | None = await answer.json() if answer.status == 200 else None
                return document
        except (aiohttp.ClientError, TimeoutError):
            return None

    async def shares(self) -> dict[str, int]:
        """Service share of every route, as the gateway says."""
        headers = tokens.bearer(self.stack.tokens[tokens.GATEWAY])
        answer = await self.get(f"{self.stack.gateway.url}/routes", headers) or {"routes": []}
        return {row["route"]: row["service_share"] for row in answer["routes"]}


async def ready(client: aiohttp.ClientSession, url: str) -> bool:
    """Whether the agent at this URL says that it is ready."""
    try:
        async with client.get(f"{url}/readyz") as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
