"""Decisions on bounded windows against a list of events: is any decision that is called certain ever wrong?

On one side stand the parts that figwatch itself counts with: increases of counters, rings that are restored from what
was kept, and the decision on bounds. On the other stands a list of events with the instants at which they were told,
summed exactly for every window. The two share no code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np

from figwatch_agent.durations import DAY, HOUR, MINUTE, Duration
from figwatch_agent.evaluate.burn_rate import over_many, threshold_arrays
from figwatch_agent.evaluate.increases import CounterMemory
from figwatch_agent.evaluate.layouts import LAYOUTS, Layout
from figwatch_agent.evaluate.ring import Ring, Row
from figwatch_agent.model.batch import Batch, Series, SeriesTable
from simulate.story import KINDS, STANDING, Counts, Flags, Kind, Story, story_of, told

TARGET: Final = "http://127.0.0.1:1/metrics"
COUNTERS: Final = 64
LOOKS: Final = 2_000  # at each story
ROUNDS: Final = 4  # of one story of every kind
HEADS: Final = (
    "layout",
    "faults",
    "what is decided",
    "decided",
    "certified",
    "share",
    "certified and wrong",
    "not certified and too bold",
)
RULES: Final[tuple[tuple[Fraction, tuple[Duration, ...]], ...]] = (
    (Fraction(72, 5), (HOUR, 5 * MINUTE)),
    (Fraction(6), (6 * HOUR, 30 * MINUTE)),
    (Fraction(3), (DAY, 2 * HOUR)),
    (Fraction(1), (3 * DAY, 6 * HOUR)),
    (Fraction(1), (30 * DAY,)),
)
"""Burn rates and windows of the default tiers, where a decision needs both windows; last, whether a budget is spent."""

FINE: Final = 1_000_000
WALKED: Final = 0.002
"""This share of the sums is worked out again by walking the list, in fractions."""

Threshold = tuple[Counts, Counts]
Faults = Callable[[Kind], float]
"""How many a counter meets in a story of this kind, on average."""


@dataclass(slots=True)
class Tally:
    """Decisions of one sort."""

    made: int = 0
    certified: int = 0
    wrong: int = 0  # certified, and not what the events say
    overbold: int = 0  # not certified, and over where the events are not

    def count(self, said: Flags, certified: Flags, truth: Flags) -> None:
        """Some more."""
        self.made += len(truth)
        self.certified += int(certified.sum())
        self.wrong += int((certified & (said != truth)).sum())
        self.overbold += int((~certified & said & ~truth).sum())

    def add(self, other: Tally) -> None:
        """Those of another story."""
        self.made, self.certified = self.made + other.made, self.certified + other.certified
        self.wrong, self.overbold = self.wrong + other.wrong, self.overbold + other.overbold

    @property
    def share(self) -> Fraction:
        """Certified ones / all."""
        return Fraction(self.certified, self.made)


@dataclass(slots=True)
class Score:
    """What one layout decided."""

    decisions: Tally = field(default_factory=Tally)  # a tier fires or not, a budget is spent or not
    windows: Tally = field(default_factory=Tally)  # one window is over its threshold or not
    near: Tally = field(default_factory=Tally)  # the same for a threshold within a millionth of the very ratio

    def add(self, other: Score) -> None:
        """What it decided in another story."""
        self.decisions.add(other.decisions)
        self.windows.add(other.windows)
        self.near.add(other.near)


class Counter:
    """The counters as a page shows them, and what figwatch makes of the answers."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._memory = CounterMemory()
        count = len(story.born)
        standing = np.where(story.born > 0, np.where(story.fresh, 0, STANDING), STANDING)
        self._total, self._bad = standing.copy(), np.zeros(count, dtype=np.int64)
        self._created = np.full(count, int(story.ticks[0]) - DAY, dtype=np.int64)
        self._shown = np.flatnonzero(story.born == 0)
        self._table = self._table_of(self._shown)

    def increments(self, place: int) -> Counts:
        """What belongs to windows after one tick: totals of all counters, then bad ones."""
        story, now = self._story, int(self._story.ticks[place])
        self._count(place, now)
        found = np.zeros(2 * len(story.born), dtype=np.int64)
        if not story.answered[place]:
            self._memory.fail()
            return found
        increase = self._memory.observe(self._batch(now), story.kind.interval * 5 // 2)
        if increase.timed:
            found[np.concatenate([self._shown, self._shown + len(story.born)])] = increase.counts
        return found

    def _count(self, place: int, now: int) -> None:
        story, reset, newborn = self._story, self._story.reset[place], self._story.born == place
        self._total = np.where(reset, story.total_since_reset[place], self._total + story.total[place])
        self._bad = np.where(reset, story.bad_since_reset[place], self._bad + story.bad[place])
        self._created = np.where(reset | (newborn & story.fresh & (place > 0)), now, self._created)
        if place and newborn.any():
            self._shown = np.flatnonzero(story.born <= place)
            self._table = self._table_of(self._shown)

    def _batch(self, now: int) -> Batch:
        shown = self._shown
        values = np.concatenate([self._total[shown], self._bad[shown]]).astype(np.float64)
        created = np.concatenate([self._created[shown]] * 2)
        return Batch(target=TARGET, at=now, up=True, table=self._table, values=values, created=created)

    @staticmethod
    def _table_of(shown: Counts) -> SeriesTable:
        names = [f"{part}_{int(place)}_total" for part in ("events", "errors") for place in shown]
        return SeriesTable(tuple(Series(name=name, labels=()) for name in names), frozenset(names))


class Kept:
    """A ring, and the rows that a store would hold of it."""

    def __init__(self, layout: Layout, columns: int) -> None:
        self._layout, self._columns = layout, columns
        self.ring = Ring(layout, columns)
        self._rows: dict[tuple[int, int], Row] = {}

    def keep(self, rows: Iterable[Row]) -> None:
        """The last row of a slot replaces the one before."""
        self._rows.update({(row.level, row.slot): row for row in rows})

    def restart(self) -> None:
        """Go on with a ring that knows only what was kept."""
        before, self.ring = self.ring, Ring(self._layout, self._columns)
        self.ring.restore(before.at, before.current.copy(), before.origin.copy(), list(self._rows.values()))


class EventList:
    """Every event that was told, with its instant. A window is a sum over those inside it."""

    def __init__(self, story: Story) -> None:
        self._story = story
        totals, bads = told(story)
        self._each = np.hstack([totals, bads])
        self._summed = np.vstack([np.zeros_like(self._each[:1]), np.cumsum(self._each, axis=0)])
        self._late = [(late.told, late.at, np.concatenate([late.total, late.bad])) for late in story.late]

    def inside(self, place: int, length: Duration) -> Counts:
        """Totals and bad ones in (now - length, now] as known after one tick."""
        now = int(self._story.ticks[place])
        first = int(np.searchsorted(self._story.ticks, now - length, side="right"))
        found: Counts = self._summed[place + 1] - self._summed[first]
        for after, at, counts in self._late:
            if after <= place and now - length < at <= now:
                found = found + counts
        return found

    def walked(self, place: int, length: Duration, column: int) -> Fraction | None:
        """The share of bad events of one counter, by walking the list; None without events."""
        now, width = int(self._story.ticks[place]), len(self._story.born)
        total = bad = 0
        for at, row in zip(self._story.ticks[: place + 1].tolist(), self._each[: place + 1], strict=True):
            if now - length < at <= now:
                total, bad = total + int(row[column]), bad + int(row[width + column])
        for after, at, counts in self._late:
            if after <= place and now - length < at <= now:
                total, bad = total + int(counts[column]), bad + int(counts[width + column])
        return Fraction(bad, total) if total else None


def scores(stories: Iterable[Story], looks: int = LOOKS) -> dict[str, Score]:
    """What every layout decides at so many ticks of every story."""
    found = {name: Score() for name in LAYOUTS}
    for number, story in enumerate(stories):
        for name, score in _played(story, looks, number).items():
            found[name].add(score)
    return found


def many_stories(rounds: int, faults: Faults, counters: int = COUNTERS, first_seed: int = 0) -> Iterator[Story]:
    """One story of every kind, again and again."""
    for number in range(rounds * len(KINDS)):
        kind = KINDS[number % len(KINDS)]
        yield story_of(kind, counters, first_seed + number, faults(kind))


def rows(rounds: int = ROUNDS) -> Iterator[list[str]]:
    """The published table: what either layout decided, in ordinary weeks and where somebody always fails."""
    for word, faults, times in (("a fault a week", weekly, rounds), ("seven in every story", always, -(-rounds // 4))):
        for name, score in scores(many_stories(times, faults)).items():
            for sort, tally in (("decisions", score.decisions), ("windows", score.windows), ("hostile", score.near)):
                yield [
                    name,
                    word,
                    sort,
                    f"{tally.made:,}",
                    f"{tally.certified:,}",
                    f"{float(100 * tally.share):.4f} %",
                    str(tally.wrong),
                    str(tally.overbold),
                ]


def weekly(kind: Kind) -> float:
    """A fault a week."""
    return kind.length / (7 * DAY)


def always(kind: Kind) -> float:
    """So many that somebody always fails, however short the story is."""
    return 7.0


def _played(story: Story, looks: int, number: int) -> dict[str, Score]:
    chance = np.random.default_rng([number, 77])
    looked = frozenset(
        chance.choice(np.arange(len(story.ticks) // 50, len(story.ticks)), looks, replace=False).tolist()
    )
    budgets = [Fraction(1, 10 ** int(nines)) for nines in story.nines]
    thresholds = [threshold_arrays([factor * budget for budget in budgets]) for factor, _ in RULES]
    counter, events = Counter(story), EventList(story)
    rings = {name: Kept(layouts.budget, 2 * len(story.born)) for name, layouts in LAYOUTS.items()}
    late = {each.told: each for each in story.late}
    found = {name: Score() for name in LAYOUTS}
    for place, now in enumerate(story.ticks.tolist()):
        increments = counter.increments(place)
        for kept in rings.values():
            if story.restarted[place]:
                kept.restart()
            kept.keep(kept.ring.advance(now, increments))
            if place in late:
                kept.keep(kept.ring.amend(late[place].at, np.concatenate([late[place].total, late[place].bad])))
        if place in looked:
            for (_, windows), threshold in zip(RULES, thresholds, strict=True):
                truths = [_truth(events, place, window, threshold, chance) for window in windows]
                nudge = chance.integers(-1, 2, len(story.born))
                for name, kept in rings.items():
                    _decide(kept.ring, found[name], windows, threshold, truths, nudge)
    return found


class Truth(NamedTuple):
    """What the events of one window say, by counter."""

    total: Counts
    bad: Counts
    over: Flags


def _truth(events: EventList, place: int, window: Duration, threshold: Threshold, chance: np.random.Generator) -> Truth:
    (tops, bottoms), exact = threshold, events.inside(place, window)
    total, bad = exact[: len(tops)], exact[len(tops) :]
    over = bad * bottoms > tops * total
    if chance.random() < WALKED:
        column = int(chance.integers(0, len(tops)))
        share = events.walked(place, window, column)
        if bool(over[column]) is not (share is not None and share > Fraction(int(tops[column]), int(bottoms[column]))):
            raise AssertionError("the sums and the list disagree")
    return Truth(total, bad, over)


def _decide(
    ring: Ring,
    score: Score,
    windows: tuple[Duration, ...],
    threshold: Threshold,
    truths: list[Truth],
    nudge: Counts,
) -> None:
    """One rule on all counters: over where every window is; certain where all are over for certain, or one is not."""
    width = len(nudge)
    surely, surely_not = np.ones(width, dtype=np.bool_), np.zeros(width, dtype=np.bool_)
    for window, truth in zip(windows, truths, strict=True):
        found = ring.window(window)
        bounds = found.inside[width:], found.inside[:width], found.edge[width:], found.edge[:width]
        said, certified = over_many(*bounds, *threshold)
        score.windows.count(said, certified, truth.over)
        surely &= certified & said
        surely_not |= certified & ~said
        fine = np.full(width, FINE, dtype=np.int64)
        near = np.maximum(truth.bad * FINE // np.maximum(truth.total, 1) + nudge, 0)
        score.near.count(*over_many(*bounds, near, fine), truth.bad * FINE > near * truth.total)
    score.decisions.count(surely, surely | surely_not, np.logical_and.reduce([truth.over for truth in truths]))
