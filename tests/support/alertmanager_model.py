"""An Alertmanager without sockets or time: what it makes of alerts that are posted, after its own rules.

A session that reaches a few of them by URL, loses what it is told to lose, and is all that a notifier needs.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, cast

import aiohttp

from figwatch_agent.clock import ManualClock
from figwatch_agent.durations import Instant, parse_instant

Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Held:
    """An alert, as it is held."""

    starts_at: Instant
    ends_at: Instant
    annotations: Mapping[str, str]


@dataclass(slots=True)
class ModelAlertmanager:
    """Keeps alerts by their labels, in memory alone: a restart forgets all of them."""

    clock: ManualClock
    held: dict[Labels, Held] = field(default_factory=dict)
    posted: list[list[dict[str, Any]]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    def take(self, alerts: list[dict[str, Any]]) -> int:
        """What its API answers."""
        self.posted.append(alerts)
        for alert in alerts:
            starts_at, ends_at = parse_instant(alert["startsAt"]), parse_instant(alert["endsAt"])
            if not alert["labels"] or ends_at < starts_at:
                return 400
            labels = frozenset((name, value) for name, value in alert["labels"].items() if value)
            fresh = Held(starts_at, ends_at, alert["annotations"])
            old = self.held.get(labels)
            self.held[labels] = fresh if old is None else self._merged(old, fresh)
        return 200

    def active(self) -> dict[Labels, Held]:
        """What is not over."""
        now = self.clock.now()
        return {labels: held for labels, held in self.held.items() if held.ends_at > now}

    def _merged(self, old: Held, new: Held) -> Held:
        """Only what overlaps is merged (provider/mem, types.Alert.Merge); all ends here are explicit ones."""
        overlaps = old.starts_at < new.ends_at < old.ends_at or old.starts_at < new.starts_at < old.ends_at
        if not overlaps:
            return new
        now = self.clock.now()
        over = new.ends_at <= now
        later = max(old.ends_at, new.ends_at)
        ends_at = later if not over or old.ends_at <= now else new.ends_at
        return Held(min(old.starts_at, new.starts_at), ends_at, new.annotations)


@dataclass(slots=True)
class _Answer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.status < 400

    @property
    def content(self) -> _Answer:
        return self

    async def read(self, most: int) -> bytes:
        found, self.body = self.body[:most], self.body[most:]
        return found


@dataclass(slots=True)
class _Call:
    session: Wire
    url: str
    data: bytes
    headers: Mapping[str, str]

    async def __aenter__(self) -> _Answer:
        return self.session.carry(self.url, self.data, self.headers)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return


@dataclass(slots=True)
class Wire:
    """A session whose other ends are models, by the beginning of their URL; ``faults`` come first, one a request.

    A fault is ``lost`` (the request), ``unheard`` (the reply), or the status that something in between answers.
    """

    ends: dict[str, ModelAlertmanager]
    faults: deque[str] = field(default_factory=deque)
    body: bytes = b""  # of what something in between answers

    @property
    def session(self) -> aiohttp.ClientSession:
        """As a notifier wants it."""
        return cast(aiohttp.ClientSession, self)

    def post(self, url: str, *, data: bytes, headers: Mapping[str, str], **_: object) -> _Call:
        return _Call(self, url, data, headers)

    def carry(self, url: str, data: bytes, headers: Mapping[str, str]) -> _Answer:
        """One request."""
        fault = self.faults.popleft() if self.faults else ""
        base = url.removesuffix("/api/v2/alerts")
        if fault == "lost" or base not in self.ends:
            raise aiohttp.ServerTimeoutError
        if fault.isdigit():
            return _Answer(int(fault), self.body)
        end = self.ends[base]
        end.headers.append(headers)
        status = end.take(json.loads(data))
        if fault == "unheard":
            raise aiohttp.ServerDisconnectedError
        return _Answer(status)
