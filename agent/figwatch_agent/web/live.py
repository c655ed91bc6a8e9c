"""Open pages are kept current by server-sent events: what changed of a page since its client saw it, and nothing else.

A page is rendered once for all who watch it, however many they are. A client that reads slowly is never queued for: as
long as bytes wait for it, it is passed over, and what it is sent then is the newest. Events:

- ``page``: ``at``, ``title``, ``icon``, ``say`` and ``parts``, the HTML of every changed fragment with its digest
- ``beat``: ``at`` alone, where nothing changed for a while
- ``again``: ask anew; a stream ends now and then, so that whoever may no longer look does not see for ever
- ``reload``: the page has other fragments now, or other assets; what the client has cannot be mended
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping
from contextlib import asynccontextmanager, suppress
from time import process_time
from typing import Final

import structlog
from aiohttp import web

from figwatch_agent.errors import StoreError
from figwatch_agent.model.view import View
from figwatch_agent.web.answers import errors
from figwatch_agent.web.deps import Newest
from figwatch_agent.web.pages_rendering import Content

MOST: Final = 300
"""Clients at a time: a wall, every laptop of a department, and some to spare."""

BEAT: Final = 5.0
"""Seconds of silence after which a client hears that it is still connected."""

STUCK: Final = 60.0
"""Seconds after which a client that takes nothing is let go; it may come again."""

LONGEST: Final = 900.0
"""Seconds after which a client has to ask again."""

LEAST_PACE: Final = 0.25
"""Seconds between two looks at a page; nobody reads faster."""

SHARE: Final = 0.1
"""Of one core that keeping all watched pages current may take; with more to render, each is rendered less often."""

LONGEST_HAVE: Final = 4000
"""Characters that are read of what a client says it has."""

HEADERS: Final[Mapping[str, str]] = {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}

Render = Callable[[], Awaitable[Content | None]]
"""Renders a page as it is now; None where there is no such page any more."""

Find = Callable[[web.Request, str], tuple[Hashable, Render] | None]
"""The page at a path as whoever asks may see it: a key that is the same for all who see the same, and how to render."""

_log = structlog.get_logger(__name__)


class Live:
    """GET /live?page=PATH."""

    def __init__(self, newest: Newest, find: Find, assets: str, most: int = MOST) -> None:
        """``assets`` names the script and the style sheet that pages carry now."""
        self._newest = newest
        self._find = find
        self._assets = assets
        self._most = most
        self._channels: dict[Hashable, _Channel] = {}
        self._clients: set[asyncio.Task[object]] = set()

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Events until the client or the agent goes; 503 where there are too many clients already."""
        found = self._find(request, request.query.get("page", "/"))
        if found is None:
            return errors(404, ["there is no such page to follow"])
        if len(self._clients) >= self._most:
            told = f"{self._most} pages are followed already; this one is as good as its last load"
            return errors(503, [told], {"Retry-After": "30"})
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a request is answered outside of a task")
        self._clients.add(task)
        try:
            async with self._watched(*found) as channel:
                have = _digests(request.query.get("have", ""))
                current = request.query.get("assets", self._assets) == self._assets
                await _Client(request, response, have, current).follow(channel)
        except ConnectionError:
            pass  # the client went away in the middle of an event
        finally:
            self._clients.discard(task)
        return response

    async def close(self, app: web.Application) -> None:
        """End all streams, so that a stopping agent need not wait for them; clients come again by themselves."""
        for task in self._clients:
            task.cancel()

    @asynccontextmanager
    async def _watched(self, key: Hashable, render: Render) -> AsyncIterator["_Channel"]:
        channel = self._channels.get(key)
        if channel is None or channel.task.done():
            channel = self._channels[key] = _Channel(render, self._newest, self._pace)
        channel.watchers += 1
        try:
            yield channel
        finally:
            channel.watchers -= 1
            if channel.watchers == 0:
                channel.task.cancel()
                if self._channels.get(key) is channel:
                    del self._channels[key]

    def _pace(self) -> float:
        """Seconds until a page is looked at again: such that rendering all that are watched keeps to its share."""
        return max(LEAST_PACE, sum(channel.cost for channel in self._channels.values()) / SHARE)


class _Channel:
    """One page as some see it, rendered once for all of them for as long as anybody watches."""

    def __init__(self, render: Render, newest: Newest, pace: Callable[[], float]) -> None:
        self.content: Content | None = None
        self.watchers = 0
        self.cost = 0.0  # CPU seconds of rendering it the last time
        self._render = render
        self._newest = newest
        self._pace = pace
        self._events: dict[frozenset[tuple[str, str]], bytes] = {}
        self._renewed = asyncio.Event()
        self.task = asyncio.create_task(self._keep(), name="live page")

    async def renewed(self, within: float) -> bool:
        """Waits for the next rendering; False where the page is rendered no more."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._renewed.wait()
        return not self.task.done()

    def event(self, have: Mapping[str, str]) -> bytes | None:
        """What brings a client with these digests up to date; None where it is, or nothing is known yet."""
        if self.content is None or have == _have(self.content):
            return None
        key = frozenset(have.items())
        if key not in self._events:
            self._events[key] = _event("page", _changes(self.content, have))
        return self._events[key]

    async def _keep(self) -> None:
        view: View | None = None
        try:
            while True:
                with suppress(TimeoutError):  # without a tick it is rendered all the same: that there is none shows
                    async with asyncio.timeout(BEAT):
                        view = await self._newest.after(view)
                if not await self._renew():
                    return
                await asyncio.sleep(self._pace())
        except Exception:  # noqa: BLE001 (the edge of a page: those who watch come again, and are told what is wrong)
            _log.exception("a page could not be kept current")
        finally:
            self._tell()

    async def _renew(self) -> bool:
        begun = process_time()
        try:
            self.content = await self._render()
        except StoreError:
            return True  # what was rendered before stands until the store can be read again
        finally:
            self.cost = process_time() - begun
        self._events.clear()
        self._tell()
        return self.content is not None

    def _tell(self) -> None:
        renewed, self._renewed = self._renewed, asyncio.Event()
        renewed.set()


class _Client:
    """One who follows a page."""

    def __init__(self, request: web.Request, response: web.StreamResponse, have: dict[str, str], current: bool) -> None:
        self._request = request
        self._response = response
        self._have = have
        self._current = current
        self._clock = asyncio.get_running_loop().time
        self._began = self._sent = self._clock()

    async def follow(self, channel: _Channel) -> None:
        """Until the client is gone, takes nothing any more, or must load the page anew."""
        going = True
        while going and (transport := self._request.transport) is not None and not transport.is_closing():
            if transport.get_write_buffer_size():
                if self._clock() - self._sent > STUCK:
                    transport.abort()
                    return
            elif channel.content is not None and not await self._bring(channel, channel.content):
                return
            going = await channel.renewed(BEAT)

    async def _bring(self, channel: _Channel, content: Content) -> bool:
        """Send what is due; False where the client must come anew."""
        if not self._current or (self._have and self._have.keys() != _have(content).keys()):
            await self._response.write(_event("reload", {"at": content.at}))
            return False
        if self._clock() - self._began >= LONGEST:
            await self._response.write(_event("again", {"at": content.at}))
            return False
        event = channel.event(self._have)
        if event is None and self._clock() - self._sent >= BEAT:
            event = _event("beat", {"at": content.at})
        if event is not None:
            await self._response.write(event)
            self._have, self._sent = _have(content), self._clock()
        return True


def _have(content: Content) -> dict[str, str]:
    return {part.name: part.digest for part in content.fragments}


def _digests(text: str) -> dict[str, str]:
    """``headline:0a1b2c.routes:3d4e5f`` as the client names what it has; what cannot be read it does not have."""
    pairs = (each.partition(":") for each in text[:LONGEST_HAVE].split("."))
    return {name: digest for name, colon, digest in pairs if colon}


def _changes(content: Content, have: Mapping[str, str]) -> dict[str, object]:
    changed = [part for part in content.fragments if have.get(part.name) != part.digest]
    return {
        "at": content.at,
        "title": content.title,
        "icon": content.state,
        "say": content.say,
        "parts": {part.name: [part.digest, part.html] for part in changed},
    }


def _event(name: str, data: Mapping[str, object]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'), allow_nan=False)}\n\n".encode("ascii")
