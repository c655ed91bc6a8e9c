"""What sources deliver, in columns: one Batch is one scrape target's answer at one instant."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series: sample name (``..._bucket`` included) and its labels without the name, sorted by label."""

    name: str
    labels: tuple[tuple[str, str], ...]

    def mapping(self) -> Mapping[str, str]:
        """The labels as a mapping."""
        return dict(self.labels)


@dataclass(frozen=True, slots=True, eq=False)
class SeriesTable:
    """The series of a page, in its order. A source hands out the same object while the page keeps its series, so that
    whoever maps rows to columns does it once per table, keyed by identity."""

    series: tuple[Series, ...]
    families: frozenset[str]  # metric families the page names in TYPE or HELP lines or samples


EMPTY_TABLE = SeriesTable((), frozenset())

DOWN: Final = "down"
"""Why there is no answer: an engine says that its own scrape failed. Any other reason: whoever was asked gave none."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """One answer, or one failure to answer."""

    target: str  # URL of the scrape target
    at: Instant  # when the answer was complete
    up: bool
    reason: str = (
        ""  # closed word when not up: timeout, refused, status, too_large, malformed, encoding, down, partial, failed
    )
    table: SeriesTable = EMPTY_TABLE
    values: NDArray[
        np.float64
    ]  # one per series: cumulative counters; a value that is no number is left out of the table
    created: NDArray[
        np.int64
    ]  # one per series: when the counter was born, in milliseconds, or 0 where the page does not say


def down(target: str, at: Instant, reason: str) -> Batch:
    """A scrape target that did not answer."""
    return Batch(
        target=target,
        at=at,
        up=False,
        reason=reason,
        values=np.empty(0, dtype=np.float64),
        created=np.empty(0, dtype=np.int64),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counted:
    """Events that a source counted itself, by stream: what range reads and replays of a history deliver.

    Like a batch it belongs to the tick that takes it. One whose ``at`` is no later than the tick before is told late:
    it is counted at that instant where nobody had measured the time, and what is known already is refused. A source
    hands out the same ``keys`` while its streams stay the same, so that they are mapped to columns once, by identity.
    Every stream is named once, or once for each side where the source knows who served.
    """

    keys: tuple[str, ...]  # of streams: the SLO's name, a blank, and the route's template where it has one
    at: Instant  # when the answer was complete
    total: NDArray[np.int64]  # one per key: events since the tick before
    bad: NDArray[np.int64]
    covered: NDArray[np.int64]  # milliseconds that they are from; 0: unknown, what was counted is in no window
    sides: tuple[str, ...] = ()  # one per key: who served, the same object like ``keys``; empty: nobody knows
    untimed_total: NDArray[np.int64] | None = (
        None  # events of no window. Where they are told, ``total`` and ``bad`` all
    )
    untimed_bad: NDArray[np.int64] | None = None  # belong to windows: of a stream counted in part, it is not measured


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """The answer to one probe of an uptime SLO."""

    slo: str
    at: Instant
    up: bool
    detail: str = ""  # such as "200 in 3 ms" or "refused"


SAMPLE = "sample/"
"""How the name of a reading begins that answers the query of a criterion, named behind it; its value is the row as a
JSON object of texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one of a plan's regular questions was answered (see model.plan.plan_questions)."""

    name: str  # "<plan>/legacy", "<plan>/gateway", "<plan>/precondition-0"
    at: Instant
    ok: bool
    detail: str  # for people
    value: str = ""  # canonical JSON of the fields that count, for gateway readings
