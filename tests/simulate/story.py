"""What happened to some counters, at random: crowds, nights, faults, resets, births, failed scrapes, an agent off.

Nothing here knows how figwatch counts. ``told`` says, from the rules alone, which events could be seen, and when.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SECOND: Final = 1_000
DAY: Final = 86_400 * SECOND
BEGINS: Final = 1_790_000_000_000
BUSIEST: Final = 10_000  # requests a second
LONGEST_GAP: Final = 5  # halves of an interval: events counted over a longer gap belong to no window
STANDING: Final = 500  # what a counter may hold that was there long before it was first shown


class Kind(NamedTuple):
    """How often is counted, and for how long."""

    name: str
    interval: int
    length: int


KINDS: Final = (
    Kind("every second for three hours", SECOND, 3 * 3_600 * SECOND),
    Kind("every 5 s for a day", 5 * SECOND, DAY),
    Kind("every 15 s for four days", 15 * SECOND, 4 * DAY),
    Kind("every minute for 33 days", 60 * SECOND, 33 * DAY),
)


class Late(NamedTuple):
    """Events of a past instant that are told later."""

    told: int  # place of the tick after which they are told
    at: int
    total: Counts
    bad: Counts


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Story:
    """By [tick] and by [tick, counter]. Events are those since the tick before, whether somebody looked or not."""

    kind: Kind
    nines: Counts  # by counter: how many the objective has, from 99 % on
    ticks: Counts
    answered: Flags
    restarted: Flags  # the agent was off before this tick and knows only what it had kept
    total: Counts
    bad: Counts
    reset: Flags  # the counter was created anew since the tick before
    total_since_reset: Counts
    bad_since_reset: Counts
    born: Counts  # by counter: the tick at which it is there first; 0: from the beginning
    fresh: Flags  # by counter: it came into being since the tick before; else it had stood long, unseen
    late: tuple[Late, ...]


def story_of(kind: Kind, counters: int, seed: int, faults: float) -> Story:
    """One story in which every counter meets so many faults on average."""
    chance = np.random.default_rng(seed)
    ticks, restarted = _ticks(kind, chance)
    nines = chance.integers(2, 5, counters)
    total, bad = _events(ticks, np.array([0.01, 0.001, 0.0001])[nines - 2], faults, chance)
    reset = chance.random(total.shape) < 20 / len(ticks)
    reset[chance.integers(1, len(ticks), 2)] = True  # the whole target
    share = chance.random(total.shape)
    bad_kept = chance.binomial(bad, share)
    born = np.where(chance.random(counters) < 0.3, chance.integers(1, len(ticks) // 2, counters), 0)
    before = np.arange(len(ticks))[:, None] < born
    total[before] = bad[before] = 0
    reset[before] = False
    answered = chance.random(len(ticks)) >= 0.004
    for start in chance.integers(1, len(ticks), 6):
        answered[start : start + chance.integers(1, 40)] = False
    answered[0] = True
    return Story(
        kind=kind,
        nines=nines,
        ticks=ticks,
        answered=answered,
        restarted=restarted,
        total=total,
        bad=bad,
        reset=reset,
        total_since_reset=bad_kept + chance.binomial(total - bad, share),
        bad_since_reset=bad_kept,
        born=born,
        fresh=chance.random(counters) < 0.7,
        late=tuple(_late(ticks, total, bad, chance) for _ in range(12)),
    )


def told(story: Story) -> tuple[Counts, Counts]:
    """(total, bad) by [tick, counter]: what the answer at each tick can tell about the time since the answer before.

    A reset hides what was counted before it. An answer after too long a gap tells of no time; a counter that is shown
    for the first time tells of none either, unless it is known to have come into being since an answer.
    """
    totals, bads = np.zeros_like(story.total), np.zeros_like(story.bad)
    total, bad = np.zeros_like(story.total[0]), np.zeros_like(story.bad[0])
    last: int | None = None
    seen = np.zeros(len(story.born), dtype=np.bool_)
    answered_before = False
    for place, now in enumerate(story.ticks.tolist()):
        total = np.where(story.reset[place], story.total_since_reset[place], total + story.total[place])
        bad = np.where(story.reset[place], story.bad_since_reset[place], bad + story.bad[place])
        if not story.answered[place]:
            answered_before = False
            continue
        if last is not None and 2 * (now - last) <= LONGEST_GAP * story.kind.interval:
            counts = seen | ((story.born == place) & story.fresh & answered_before)
            totals[place], bads[place] = np.where(counts, total, 0), np.where(counts, bad, 0)
        seen |= story.born <= place
        total, bad, last, answered_before = np.zeros_like(total), np.zeros_like(bad), now, True
    return totals, bads


def _ticks(kind: Kind, chance: np.random.Generator) -> tuple[Counts, Flags]:
    """Instants that tremble, or keep to their step exactly, and the ticks before which the agent was off."""
    count = kind.length // kind.interval
    tremble = int(chance.choice([0, 3, 200, kind.interval // 4]))
    ticks = BEGINS + int(chance.integers(0, DAY)) + kind.interval * np.arange(count, dtype=np.int64)
    ticks += chance.integers(0, tremble + 1, count)
    restarted = np.zeros(count, dtype=np.bool_)
    for place in chance.integers(1, count, 4):
        ticks[place:] += int(kind.interval * 10 ** chance.uniform(0, np.log10(count / 10)))
        restarted[place] = True
    return ticks, restarted


def _events(ticks: Counts, budgets: Floats, faults: float, chance: np.random.Generator) -> tuple[Counts, Counts]:
    counters = len(budgets)
    rate = 10 ** chance.uniform(-3.5, 4, counters)  # a request an hour to 10,000 a second
    failing = budgets * 10 ** chance.uniform(-1.5, 0.3, counters)  # a thirtieth of the budget to twice the budget
    seconds = np.diff(ticks, prepend=ticks[0] - 1_000) / SECOND
    night = chance.uniform(0.0, 0.98, counters)
    noon = chance.uniform(0, 2 * np.pi, counters)
    day = 1 - night * (0.5 + 0.5 * np.cos((ticks[:, None] % DAY) * (2 * np.pi / DAY) + noon))
    rates: Floats = rate * day * seconds[:, None]
    errors: Floats = np.broadcast_to(failing, rates.shape).copy()
    for counter in range(counters):
        for _ in range(int(chance.poisson(faults))):  # outages and faint ones, from one tick to a tenth of the story
            begin, length = int(chance.integers(0, len(ticks))), int((len(ticks) / 10) ** chance.uniform())
            errors[begin : begin + length, counter] = 10 ** chance.uniform(-4, 0)
        for _ in range(int(chance.integers(0, 8))):  # crowds, and hours in which nobody comes
            begin, length = int(chance.integers(0, len(ticks))), int((len(ticks) / 20) ** chance.uniform())
            rates[begin : begin + length, counter] *= chance.choice([0.0, 0.1, 10.0, 100.0])
    total = chance.poisson(np.minimum(rates, BUSIEST * seconds[:, None]))
    return total, chance.binomial(total, np.minimum(errors, 1.0))


def _late(ticks: Counts, total: Counts, bad: Counts, chance: np.random.Generator) -> Late:
    """As many and as bad ones as are usual at some tick of the past, told now."""
    place = int(chance.integers(1, len(ticks)))
    past = int(chance.integers(0, place))
    at = int(chance.integers(ticks[past], ticks[past + 1]))
    failed = chance.binomial(bad[past], 0.5)
    return Late(place, at, failed + chance.binomial(total[past] - bad[past], 0.5), failed)
