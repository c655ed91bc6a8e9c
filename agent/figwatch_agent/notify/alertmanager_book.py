"""What is to be said to an Alertmanager again, and when. It forgets what is not said again, and so do its restarts."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from figwatch_agent.durations import MINUTE, Duration, Instant
from figwatch_agent.model.alertmanager import Standing
from figwatch_agent.notify.alertmanager import Entry

OVER_FOR: Final[Duration] = 15 * MINUTE
"""An end is said again for as long (Prometheus, ``resolvedRetention``): whoever was away when it came hears of it."""


@dataclass(frozen=True, slots=True)
class _Line:
    entry: Entry
    sent_at: Instant | None  # None: not by this process
    until: Instant | None  # None: for as long as it is open


class Book:
    """Entries by group. Times are passed in; nothing is random."""

    def __init__(self, every: Duration) -> None:
        self._every = every
        self._lines: dict[str, _Line] = {}
        self._held: dict[str, Standing | None] = {}

    def take(self, entry: Entry, now: Instant) -> None:
        """It was taken just now."""
        self._held.pop(entry.group, None)
        self._lines[entry.group] = _Line(entry, now, None if entry.standing.ended_at is None else now + OVER_FOR)

    def recall(self, entry: Entry) -> None:
        """It stood before this process began; what is known better stays."""
        if entry.group not in self._lines and entry.group not in self._held:
            ended_at = entry.standing.ended_at
            self._lines[entry.group] = _Line(entry, None, None if ended_at is None else ended_at + OVER_FOR)

    def hold(self, group: str) -> None:
        """Its end is on the way: nobody may say meanwhile that it is open."""
        if group not in self._held:
            self._held[group] = self.standing(group)
        self._lines.pop(group, None)

    def standing(self, group: str) -> Standing | None:
        """What stands for the group, as far as this process knows."""
        line = self._lines.get(group)
        return self._held.get(group) if line is None else line.entry.standing

    def due(self, now: Instant) -> tuple[str, ...]:
        """The groups that are to be said again at ``now``."""
        self._lines = {group: line for group, line in self._lines.items() if line.until is None or now < line.until}
        return tuple(group for group, line in self._lines.items() if self._at(line) <= now)

    def entries(self, groups: Iterable[str]) -> tuple[Entry, ...]:
        """What is to be said of them now: an end that came meanwhile took the place of what was open."""
        return tuple(self._lines[group].entry for group in groups if group in self._lines)

    def sent(self, groups: Iterable[str], now: Instant) -> None:
        """They were said again, whoever heard it."""
        for group in groups:
            line = self._lines.get(group)
            if line is not None:
                self._lines[group] = _Line(line.entry, now, line.until)

    def next_due(self) -> Instant | None:
        """The earliest instant at which something is to be said again; None where nothing is."""
        return min((self._at(line) for line in self._lines.values()), default=None)

    def _at(self, line: _Line) -> Instant:
        return 0 if line.sent_at is None else line.sent_at + self._every
