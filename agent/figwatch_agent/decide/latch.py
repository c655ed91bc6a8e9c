"""What rollbacks of the past forbid: the latch of a route, the cool-down, the cap on how many at once."""

from dataclasses import dataclass, field

from figwatch_agent.durations import Instant


@dataclass(slots=True)
class Latches:
    """Who was rolled back when."""

    latched: dict[str, str] = field(default_factory=dict)  # route -> incident that used its one automatic rollback
    past: list[tuple[Instant, str, bool]] = field(default_factory=list)  # when, route, automatic; oldest first

    def fasten(self, route: str, incident: str, now: Instant, *, automatic: bool) -> None:
        """A rollback was decided."""
        self.latched[route] = incident
        self.past.append((now, route, automatic))

    def rearm(self, route: str) -> bool:
        """A person allows the next automatic rollback; False where nothing was latched. The cool-down ends with it."""
        self.past = [entry for entry in self.past if entry[1] != route]
        return self.latched.pop(route, None) is not None

    def last(self, route: str) -> Instant | None:
        """When this route was rolled back last since it was re-armed."""
        return max((at for at, name, _ in self.past if name == route), default=None)

    def automatic_since(self, start: Instant) -> int:
        """How many automatic rollbacks of any route were decided since then."""
        return sum(automatic and at >= start for at, _, automatic in self.past)

    def forget(self, before: Instant) -> None:
        """Drop what no rule asks for any more."""
        self.past = [entry for entry in self.past if entry[0] >= before]
