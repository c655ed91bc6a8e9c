"""Everything that was told, each once, in the order in which it happened."""

from bisect import bisect_right, insort
from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

from figwatch_agent.durations import Instant
from figwatch_agent.model.baseline import RecordedBaseline
from figwatch_agent.model.event import Event, EventKind

T = TypeVar("T")


class Book:
    """Events by kind, and recorded baselines by criterion."""

    def __init__(self) -> None:
        self.version = 0  # changes with every event that comes or goes
        self.baselines: dict[str, RecordedBaseline] = {}
        self._keys: set[str] = set()
        self._made: dict[str, tuple[Hashable, Any]] = {}
        self._events: dict[EventKind, list[Event]] = {kind: [] for kind in EventKind}

    def restore(self, events: Iterable[Event], baselines: Iterable[RecordedBaseline]) -> None:
        """What a store kept."""
        for event in events:
            self.add(event)
        self.baselines = {each.criterion: each for each in baselines}

    def add(self, event: Event) -> bool:
        """Keep an event; False where its key is known."""
        if event.key in self._keys:
            return False
        self._keys.add(event.key)
        insort(self._events[event.kind], event, key=_when)
        self.version += 1
        return True

    def forget(self, before: Instant) -> None:
        """Let go of what happened before an instant."""
        for kind, events in self._events.items():
            if events and events[0].at < before:
                cut = bisect_right(events, (before - 1, "\U0010ffff"), key=_when)
                self._keys -= {event.key for event in events[:cut]}
                self._events[kind] = events[cut:]
                self.version += 1

    def between(self, kind: EventKind, start: Instant, end: Instant) -> list[Event]:
        """Events of a kind in (start, end], oldest first."""
        events = self._events[kind]
        first = bisect_right(events, start, key=_at)
        return events[first : bisect_right(events, end, key=_at)]

    def remembered(self, name: str, key: Hashable, make: Callable[[], T]) -> T:
        """What ``make`` gave for this name and key the last time; it is asked again when the key changes."""
        found = self._made.get(name)
        if found is None or found[0] != key:
            found = self._made[name] = (key, make())
        made: T = found[1]
        return made

    def all(self, kind: EventKind) -> list[Event]:
        """Of a kind, oldest first."""
        return self._events[kind]

    def first(self, kind: EventKind) -> Event | None:
        """The oldest of a kind."""
        return self._events[kind][0] if self._events[kind] else None


def _when(event: Event) -> tuple[Instant, str]:
    return event.at, event.key


def _at(event: Event) -> Instant:
    return event.at
