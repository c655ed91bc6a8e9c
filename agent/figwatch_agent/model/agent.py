"""What the agent knows of itself beside the engine: its parts, its store, its outbox and its files."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from figwatch_agent.durations import Duration, Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Reload:
    """The newest time that the files were read anew, or that this failed."""

    at: Instant
    ok: bool
    reason: str = ""  # why it failed; the files before it are in force


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDigest:
    """A file in force."""

    path: str
    sha256: str  # of its bytes, hexadecimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Rows of the outbox in one state for one receiver."""

    receiver: str
    state: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFacts:
    """Where the state is kept."""

    path: str
    healthy: bool
    bytes: int | None  # None where the size cannot be read
    schema: int | None
    last_commit: Instant | None  # None before the first in this process


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFacts:
    """All of it, at one instant."""

    at: Instant
    version: str
    started_at: Instant  # of this process
    healthy: Mapping[str, bool]
    store: StoreFacts
    queues: tuple[Queue, ...]
    oldest_pending: Instant | None  # when the oldest page was made that nobody has taken yet
    interval: Duration  # between two ticks
    last_tick: Duration | None  # how long the newest took, scraping included
    kill_switch: bool
    reload: Reload | None = None  # None where the files were read at the start only
    files: tuple[FileDigest, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)  # by scrape target: why it has no usable answer, in words
