"""What a backtest gave: the same history under several promises, page for page."""

from dataclasses import dataclass
from fractions import Fraction

from figwatch_agent.durations import Duration, Instant
from figwatch_agent.model.labelled import Labelled, Swept
from figwatch_agent.model.replayed import Replayed


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One incident that would have paged: however many of its alerts fired, it wakes a person once."""

    route: str  # or the SLO, where it is about no route
    impact_start: Instant
    fired_at: Instant  # when its first page tier fired
    resolved_at: Instant | None  # None: not by the end
    fired: tuple[str, ...]  # "SLO tier", of all page tiers that fired, in their order
    would_roll_back_at: Instant | None

    @property
    def detection(self) -> Duration:
        """From the start of the first bad tick to the page."""
        return self.fired_at - self.impact_start


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """How often something was right. A ratio is None where there is nothing to divide."""

    right: int  # of those that happened
    happened: int
    found: int  # of those that were to happen
    wanted: int
    unjudged: int = 0  # happened where nobody said whether that would be right

    @property
    def precision(self) -> Fraction | None:
        """Right / happened."""
        return Fraction(self.right, self.happened) if self.happened else None

    @property
    def recall(self) -> Fraction | None:
        """Found / wanted."""
        return Fraction(self.found, self.wanted) if self.wanted else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One replay, with its pages and, where people remember incidents, how right these were."""

    name: str  # base | head, or what was tried
    replayed: Replayed
    pages: tuple[Page, ...]
    tickets: int
    by_pages: Scored | None = None
    by_rollbacks: Scored | None = None
    tried: Swept | None = None
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtested:
    """All of them."""

    base: Judged
    head: Judged | None
    sweep: tuple[Judged, ...]
    labels: tuple[Labelled, ...] | None  # those that lie in the history
    outside: int  # labels that do not
    assumptions: tuple[str, ...]
