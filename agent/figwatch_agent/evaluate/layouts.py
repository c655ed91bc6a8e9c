"""Which boundaries the rings of a state keep: two layouts to choose from, by what an SLO may weigh."""

from dataclasses import dataclass
from typing import Final

from figwatch_agent.durations import DAY, HOUR, MINUTE, SECOND, Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Boundaries every ``resolution`` over at least ``span`` back."""

    resolution: Duration
    span: Duration

    @property
    def slots(self) -> int:
        """One for each boundary of the span, one for the boundary below a start that lies between two, one for now."""
        return self.span // self.resolution + 2


Layout = tuple[Level, ...]

DEFAULT: Layout = (
    Level(resolution=10 * SECOND, span=6 * HOUR),
    Level(resolution=2 * MINUTE, span=3 * DAY),
    Level(resolution=30 * MINUTE, span=30 * DAY),
)
"""For budgets and tiers: 10 s to 30 min, where alert windows need them. 46 kB for total and bad events."""


def reaching(layout: Layout, longest: Duration) -> Layout:
    """The layout with its last level stretched so that windows of ``longest`` fit."""
    last = layout[-1]
    if longest <= last.span:
        return layout
    return (*layout[:-1], Level(resolution=last.resolution, span=longest))


@dataclass(frozen=True, slots=True, kw_only=True)
class Layouts:
    """One layout per kind of figure. All reach 30 days where they must, and one hour at least."""

    budget: Layout  # what alerts and budgets are decided on: total and bad events of a stream, covered time
    sides: Layout  # the sides of a stream's requests while somebody decides about them
    traffic: Layout  # who served the requests of a route
    buckets: Layout  # their latency
    shown: Layout  # the sides over days, only shown; the ring of the sides holds the last hour


_LONG: Final[Layout] = (
    Level(resolution=10 * SECOND, span=HOUR),
    Level(resolution=10 * MINUTE, span=3 * DAY),
    Level(resolution=2 * HOUR, span=30 * DAY),
)
_COARSE: Final[Layout] = (
    Level(resolution=10 * MINUTE, span=6 * HOUR),
    Level(resolution=HOUR, span=3 * DAY),
    Level(resolution=6 * HOUR, span=30 * DAY),
)
_HOUR: Final = Level(resolution=MINUTE, span=HOUR)

LAYOUTS: Final[dict[str, Layouts]] = {
    "default": Layouts(
        budget=DEFAULT,
        sides=(Level(resolution=SECOND, span=10 * MINUTE), Level(resolution=10 * SECOND, span=HOUR)),
        traffic=_LONG,
        buckets=_LONG,
        shown=_LONG[1:],
    ),
    "compact": Layouts(
        budget=(
            Level(resolution=10 * SECOND, span=HOUR),
            Level(resolution=MINUTE, span=6 * HOUR),
            Level(resolution=15 * MINUTE, span=3 * DAY),
            Level(resolution=2 * HOUR, span=30 * DAY),
        ),
        sides=(
            Level(resolution=SECOND, span=MINUTE),
            Level(resolution=10 * SECOND, span=15 * MINUTE),
            _HOUR,
        ),
        traffic=(Level(resolution=10 * SECOND, span=15 * MINUTE), _HOUR, *_COARSE),
        buckets=(_HOUR, *_COARSE),
        shown=_COARSE,
    ),
}
"""By the word that figwatch.yaml says. 30 days of total and bad events take 46 kB or 11 kB."""
