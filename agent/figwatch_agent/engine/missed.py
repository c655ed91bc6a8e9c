"""Answers that were not read in time: what they counted waits until they are told, and is counted exactly once.

When a scrape target answers again after a silence, and its source can still be asked for what came between, the values
before and after the silence are kept. Answers of the silence are counted from there on as if they had been read in
time, by the same rules; the last of them is the answer after the silence itself. Until then their events are counted
nowhere. What will never be told is counted as the difference of both values, in number and in no window.

After less than a silence a source hands over what it could not read with what is new. That is counted at once, at the
ticks that would have taken it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Duration, Instant
from figwatch_agent.engine.catalog import Catalog
from figwatch_agent.engine.claiming import claim
from figwatch_agent.engine.counting import Counter
from figwatch_agent.engine.less import boundary_below
from figwatch_agent.engine.measuring import Rings
from figwatch_agent.engine.tally import Tally
from figwatch_agent.engine.unknown import Unknown
from figwatch_agent.evaluate.increases import CounterMemory
from figwatch_agent.model.batch import Batch
from figwatch_agent.model.missing import Missing, Past
from figwatch_agent.model.settings import PrometheusServer

Counts = NDArray[np.int64]
Counted = list[tuple[Instant, Tally]]

MOST = 1000
"""Silences that may wait; the oldest gives way. A target that flaps all day must not fill the state."""


@dataclass(slots=True, eq=False)
class Silence:
    """Of one scrape target."""

    target: str
    told_to: Instant  # every answer up to here is counted
    lag: Duration  # how long after an answer its events were counted before the silence
    memory: CounterMemory  # as of ``told_to``
    final: Batch  # the answer after the silence


@dataclass(slots=True)
class Untimed:
    """Events of no window, by stream."""

    total: Counts
    bad: Counts

    def add(self, tally: Tally, *, whole: bool) -> None:
        """What a tally counts in no window; the ``whole`` of it where none can take it any more."""
        self.total += tally.untimed_total
        self.bad += tally.untimed_bad
        if whole:
            self.total += tally.total.sum(axis=1)
            self.bad += tally.bad.sum(axis=1)


@dataclass(slots=True)
class Missed:
    """All silences that wait, oldest first."""

    catalog: Catalog
    counter: Counter
    rings: Rings
    unknown: Unknown
    silences: list[Silence] = field(default_factory=list)
    version: int = 0  # counts changes

    def __post_init__(self) -> None:
        if self.tellable:
            self.counter.jumped = self._jumped

    @property
    def tellable(self) -> bool:
        """Whether the source keeps what nobody read."""
        return isinstance(self.catalog.settings.source, PrometheusServer)

    def missing(self) -> tuple[Missing, ...]:
        """What is to be asked for: of every scrape target its oldest silence."""
        return tuple(
            Missing(target=each.target, after=each.told_to, until=each.final.at) for each in self._oldest().values()
        )

    def _oldest(self) -> dict[str, Silence]:
        found: dict[str, Silence] = {}
        for each in self.silences:
            found.setdefault(each.target, each)
        return found

    def _jumped(self, memory: CounterMemory, batch: Batch, streams: Iterable[int]) -> None:
        """A scrape target answers after a silence; ``memory`` is as before."""
        at, lag = memory.at or 0, self._lag(memory.at or 0, streams)
        before = copy(memory)
        before.answered = True  # then: whether the silence was the target's own is told with its answers
        self.silences.append(Silence(batch.target, at, lag, before, batch))
        self.version += 1

    def _lag(self, at: Instant, streams: Iterable[int]) -> Duration:
        """How long after the last answer of a scrape target its events were counted."""
        known = max((int(self.unknown.known_until[stream]) for stream in streams), default=at)
        return min(max(known - at, 0), self.catalog.longest_gap)

    def _lag_of(self, batch: Batch) -> Duration:
        memory = self.counter.memories.get(batch.target)
        at = batch.at if memory is None or memory.at is None else memory.at
        return self._lag(at, self.counter.streams_of(batch))

    def take(self, many: Iterable[Past]) -> tuple[Counted, Untimed]:
        """What is told: events by instant, in their order, and events of no window."""
        counted: Counted = []
        untimed = self._none()
        for past in many:
            told = [each for each in self._oldest().values() if past.after <= each.told_to < past.until]
            if told:
                self._count(told, past, counted, untimed)
        return sorted(counted, key=lambda pair: pair[0]), untimed

    def overdue(self, batches: tuple[Batch, ...], since: Instant | None) -> tuple[tuple[Batch, ...], Counted, Untimed]:
        """Answers that ticks up to ``since`` would have taken, had they got them, are for those; the others come back.

        The newest round of answers is never overdue.
        """
        counted: Counted = []
        untimed = self._none()
        if since is None or not self.tellable or len({batch.target for batch in batches}) == len(batches):
            return batches, counted, untimed
        lags: dict[str, Duration] = {}
        for batch in batches:
            lags[batch.target] = max(lags.get(batch.target, 0), self._lag_of(batch))
        step = self.catalog.settings.interval
        rounds, latest = list(_rounds(batches, lags, step, since)), since + _slack(step)
        if len(rounds) < 2 or rounds[0].due > latest:
            return batches, counted, untimed
        shadow = self._shadow(self.counter.memories)
        shadow.jumped = self._jumped
        while len(rounds) > 1 and rounds[0].due <= latest:
            each = rounds.pop(0)
            self._put(shadow.count(each.batches, each.due), each.due, counted, untimed)
        self.counter.judge.restore(shadow.judge.carriers)
        return tuple(batch for each in rounds for batch in each.batches), counted, untimed

    def give_up(self, now: Instant) -> Untimed:
        """Count in no window what no window reaches any more, and what no source will tell."""
        untimed = self._none()
        oldest = now - self.catalog.longest_window if self.tellable else now
        surplus = self.silences[: max(len(self.silences) - MOST, 0)]
        for each in [each for each in self.silences if each in surplus or each.final.at <= oldest]:
            each.memory.fail()
            shadow = self._shadow({each.target: each.memory})
            untimed.add(shadow.count((each.final,), now), whole=True)
            self._drop([each])
        return untimed

    def _count(self, told: list[Silence], past: Past, counted: Counted, untimed: Untimed) -> None:
        by_target = {each.target: each for each in told}
        lags = {name: silence.lag for name, silence in by_target.items()}
        batches = [batch for batch in past.batches if _belongs(batch, by_target.get(batch.target))]
        finals = [each.final for each in told if each.final.at <= past.until]
        batches = sorted([*batches, *finals], key=lambda batch: (batch.at, batch.target))
        rounds, torn = list(_rounds(batches, lags, self.catalog.settings.interval)), []
        if len(finals) < len(told):  # more will come, and with it the rest of a round that ends beyond what is told
            while len(rounds) > 1 and rounds[-1].due > past.until + min(lags.values()):
                torn.append(rounds.pop())
        shadow = self._shadow({each.target: each.memory for each in told})
        for looked in rounds:
            self._put(shadow.count(looked.batches, looked.due), looked.due, counted, untimed)
        left = {batch.target: batch.at for looked in torn for batch in reversed(looked.batches)}  # the oldest of each
        for each in told:
            each.told_to = min(past.until, left.get(each.target, past.until + 1) - 1)
        self._drop([each for each in told if each.final.at <= each.told_to])
        self.version += 1

    def _put(self, tally: Tally, at: Instant, counted: Counted, untimed: Untimed) -> None:
        budget = self.rings.rings["budget"]
        at = min(at, budget.at or 0)
        kept = at > self.rings.began and boundary_below(budget, at - 1) is not None
        untimed.add(tally, whole=not kept)
        if kept:
            tally.covered = self._claimed(tally, at)
            counted.append((at, tally))

    def _claimed(self, tally: Tally, at: Instant) -> Counts:
        """How much of the time that answers cover was unknown, by stream; it is known from now on."""
        found = np.zeros_like(tally.covered)
        for covered in np.unique(tally.covered[tally.covered > 0]).tolist():
            streams = np.flatnonzero(tally.covered == covered)
            found[streams] = claim(self.unknown, streams, at - covered, at)
        return found

    def _shadow(self, memories: dict[str, CounterMemory]) -> Counter:
        """Counts from where these are, and moves them on."""
        shadow = Counter(self.catalog)
        shadow.memories = memories
        shadow.judge.restore(self.counter.judge.carriers)
        return shadow

    def _drop(self, ended: list[Silence]) -> None:
        self.silences = [each for each in self.silences if each not in ended]
        self.version += 1

    def _none(self) -> Untimed:
        streams = len(self.catalog.streams)
        return Untimed(np.zeros(streams, dtype=np.int64), np.zeros(streams, dtype=np.int64))


def _belongs(batch: Batch, silence: Silence | None) -> bool:
    return silence is not None and silence.told_to < batch.at < silence.final.at


class _Round(NamedTuple):
    """Answers that one tick would have taken."""

    due: Instant  # when that tick was
    batches: tuple[Batch, ...]


def _rounds(
    batches: Sequence[Batch], lags: Mapping[str, Duration], step: Duration, tick: Instant | None = None
) -> Iterator[_Round]:
    """The answers by the ticks that would have taken them: each comes as long after its scrape as those before did.

    ``tick`` is one of these ticks, where any is known; else the first answer was for one.
    """
    if not batches:
        return
    dues = np.array([batch.at + lags[batch.target] for batch in batches], dtype=np.int64)
    first, slack = (int(dues.min()), step // 2) if tick is None else (tick, _slack(step))
    places = -((first + slack - dues) // step)
    for place in np.unique(places).tolist():
        here = np.flatnonzero(places == place)
        yield _Round(int(dues[here].max()), tuple(batches[each] for each in here.tolist()))


def _slack(step: Duration) -> Duration:
    """How much later than its tick an answer may seem to be due: neither scrapes nor ticks are punctual."""
    return step // 4
