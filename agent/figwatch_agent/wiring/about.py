"""What the agent says of itself, when asked."""

import contextlib
import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from figwatch import contract
from figwatch_agent.clock import Clock
from figwatch_agent.durations import Instant
from figwatch_agent.errors import StoreError
from figwatch_agent.files.load import Loaded
from figwatch_agent.loop import Loop
from figwatch_agent.model.agent import AgentFacts, FileDigest, Queue, Reload, StoreFacts
from figwatch_agent.sources.prometheus import PrometheusSource
from figwatch_agent.sources.scrape import ScrapeSource
from figwatch_agent.store import schema
from figwatch_agent.store.sqlite import SqliteStore
from figwatch_agent.wiring.health import Health


class About:
    """What the agent says of itself, when asked."""

    def __init__(
        self,
        loaded: Loaded,
        store: SqliteStore,
        source: PrometheusSource | ScrapeSource,
        loop: Loop,
        health: Health,
        clock: Clock,
        kill_switch: Callable[[], bool],
        reloaded: Callable[[], Reload | None],
    ) -> None:
        self._settings = loaded.settings
        self._store = store
        self._source = source
        self._loop = loop
        self._clock = clock
        self._kill_switch = kill_switch
        self._reloaded = reloaded
        self._began = clock.now()
        self._files = _digests([loaded.settings.path, *(service.path for service in loaded.services)])
        self.healthy = health.parts

    async def facts(self) -> AgentFacts:
        """Now. The figures of a store that cannot be read are left out."""
        queues, oldest = await self._outbox()
        return AgentFacts(
            at=self._clock.now(),
            version=contract.__version__,
            started_at=self._began,
            healthy=self.healthy(),
            store=StoreFacts(
                path=self._settings.state,
                healthy=self._loop.store_healthy,
                bytes=_size(self._settings.state),
                schema=schema.VERSION,
                last_commit=self._loop.last_commit,
            ),
            queues=queues,
            oldest_pending=oldest,
            interval=self._settings.interval,
            last_tick=self._loop.last_took,
            kill_switch=self._kill_switch(),
            reload=self._reloaded(),
            files=self._files,
            faults=self._source.faults,
        )

    async def _outbox(self) -> tuple[tuple[Queue, ...], Instant | None]:
        try:
            return await self._store.queues(), await self._store.oldest_pending()
        except StoreError:
            return (), None  # the store's own health says so


def _digests(paths: Sequence[str]) -> tuple[FileDigest, ...]:
    """Of the files as they are now; one that is gone already has none."""
    found: list[FileDigest] = []
    for path in dict.fromkeys(paths):
        with contextlib.suppress(OSError):
            found.append(FileDigest(path=path, sha256=hashlib.sha256(Path(path).read_bytes()).hexdigest()))
    return tuple(found)


def _size(path: str) -> int | None:
    """Bytes of the state with its write-ahead log; None where there is no file."""
    sizes: list[int] = []
    for each in (path, path + "-wal"):
        with contextlib.suppress(OSError):
            sizes.append(os.stat(each).st_size)
    return sum(sizes) if sizes else None
