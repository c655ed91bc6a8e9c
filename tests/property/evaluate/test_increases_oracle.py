"""Counter memory against an oracle that keeps a dictionary and applies the counting rules one series at a time."""

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from figwatch_agent.evaluate.increases import CounterMemory
from figwatch_agent.model.batch import Batch, Series, SeriesTable

NAMES = ("a", "b", "c", "d")
LONGEST = 2_500


def series_of(name: str) -> Series:
    return Series(name="requests_total", labels=(("kind", name),))


@dataclass
class Process:
    """A scrape target as it truly is: counters that are born, grow, are reset, hidden and shown again."""

    value: dict[str, int] = field(default_factory=dict)
    created: dict[str, int] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)


@dataclass
class Oracle:
    """What must be counted."""

    last: dict[str, int] = field(default_factory=dict)
    stamps: dict[str, int] = field(default_factory=dict)  # created-timestamps as shown last
    at: int | None = None
    answered: bool = False
    rate: Fraction = Fraction(0)
    on_the_line: bool = False  # a value stood exactly where plausible ends; rounding may decide either way

    def answer(self, at: int, shown: dict[str, int], created: dict[str, int]) -> tuple[dict[str, int], int, int, int]:
        gap = None if self.at is None else at - self.at
        counted: dict[str, int] = {}
        born = started = reset = 0
        for name, value in shown.items():
            if name in self.last:
                anew = 0 < self.stamps.get(name, 0) < created.get(name, 0)
                back = value < self.last[name] or anew
                reset += back
                counted[name] = value if back else value - self.last[name]
            elif self._from_zero(name, value, gap, created):
                born += 1
                counted[name] = value
            else:
                started += 1
                counted[name] = 0
        self.last.update(shown)
        self.stamps.update({name: created.get(name, 0) for name in shown})
        if gap:
            now = Fraction(sum(counted.values()), gap)
            self.rate = now if self.rate == 0 else Fraction(9, 10) * self.rate + Fraction(1, 10) * now
        self.at, self.answered = at, True
        return counted, born, started, reset

    def _from_zero(self, name: str, value: int, gap: int | None, created: dict[str, int]) -> bool:
        if gap is None or self.at is None or not self.answered:
            return False
        if name in created:
            return created[name] >= self.at - 1_000
        most = 10 * self.rate * gap
        self.on_the_line |= abs(value - most) <= Fraction(1, 1_000_000) * (most + 1) and value > 0
        return value <= most


step = st.fixed_dictionaries(
    {
        "gap": st.one_of(st.just(1_000), st.integers(1, 4_000)),
        "up": st.sampled_from([True, True, True, True, False]),
        "restart": st.sampled_from([False, False, False, True]),
        "deeds": st.lists(
            st.tuples(
                st.sampled_from(NAMES),
                st.sampled_from(
                    [
                        "grow",
                        "grow",
                        "grow",
                        "birth",
                        "stamped birth",
                        "old stamp",
                        "reset",
                        "stamped reset",
                        "hide",
                        "show",
                    ]
                ),
                st.one_of(st.integers(0, 60), st.integers(0, 10**7)),
            ),
            max_size=5,
        ),
    }
)


def do(process: Process, name: str, deed: str, amount: int, now: int, before: int) -> None:
    """One thing that happens in the target before a scrape."""
    if deed in ("birth", "stamped birth", "old stamp"):
        if name not in process.value:
            process.value[name] = amount
            if deed != "birth":
                process.created[name] = now if deed == "stamped birth" else before - 60_000
    elif name in process.value:
        if deed == "grow":
            process.value[name] += amount
        elif deed in ("reset", "stamped reset"):
            process.value[name] = amount
            if deed == "stamped reset":
                process.created[name] = now
        elif deed == "hide":
            process.hidden.add(name)
        else:
            process.hidden.discard(name)


@settings(max_examples=120)
@given(steps=st.lists(step, min_size=1, max_size=25))
def test_counts_are_those_of_the_counting_rules(steps: list[dict[str, object]]) -> None:
    process, oracle, memory, now = Process(), Oracle(), CounterMemory(), 1_000_000
    table: SeriesTable | None = None
    shown_before: tuple[str, ...] | None = None
    for each in steps:
        before, now = now, now + int(each["gap"])  # type: ignore[call-overload]  # drawn as an int above
        for name, deed, amount in each["deeds"]:  # type: ignore[attr-defined]  # drawn as a list above
            do(process, name, deed, amount, now, before)
        if not each["up"]:
            memory.fail()
            oracle.answered = False
            continue
        shown = tuple(name for name in process.value if name not in process.hidden)
        if table is None or shown != shown_before or each["restart"]:  # a restarted agent reads its page anew
            table = SeriesTable(tuple(series_of(name) for name in shown), frozenset({"requests"}))
            shown_before = shown
        since = None if oracle.at is None else now - oracle.at
        answered = oracle.answered
        counted, born, started, reset = oracle.answer(
            now, {name: process.value[name] for name in shown}, process.created
        )
        if oracle.on_the_line:
            return
        batch = Batch(
            target="http://t/metrics",
            at=now,
            up=True,
            table=table,
            values=np.array([process.value[name] for name in shown], dtype=np.float64),
            created=np.array([process.created.get(name, 0) for name in shown], dtype=np.int64),
        )
        increase = memory.observe(batch, LONGEST)
        assert dict(zip(shown, increase.counts.tolist(), strict=True)) == counted
        assert (increase.born, increase.started, increase.reset) == (born, started, reset)
        assert increase.gap == since
        assert increase.timed == (since is not None and since <= LONGEST)
        assert increase.answered_before == answered


@settings(max_examples=60)
@given(
    growth=st.lists(st.lists(st.integers(0, 1_000), min_size=2, max_size=2), min_size=2, max_size=20),
    gaps=st.lists(st.integers(1, 100_000), min_size=20, max_size=20),
    missed=st.sets(st.integers(0, 19)),
)
def test_no_event_of_a_known_counter_is_lost_or_counted_twice(
    growth: list[list[int]], gaps: list[int], missed: set[int]
) -> None:
    table = SeriesTable(tuple(series_of(name) for name in NAMES[:2]), frozenset({"requests"}))
    memory, values, now, counted = CounterMemory(), [7, 11], 5_000, [0, 0]
    for place, added in enumerate([[0, 0], *growth, [0, 0]]):
        values = [value + more for value, more in zip(values, added, strict=True)]
        now += gaps[place % 20]
        if place in missed and 0 < place <= len(growth):
            memory.fail()
            continue
        batch = Batch(
            target="t",
            at=now,
            up=True,
            table=table,
            values=np.array(values, dtype=np.float64),
            created=np.zeros(2, dtype=np.int64),
        )
        counted = [so_far + int(n) for so_far, n in zip(counted, memory.observe(batch, LONGEST).counts, strict=True)]
    assert counted == [values[0] - 7, values[1] - 11]
