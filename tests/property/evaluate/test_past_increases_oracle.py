"""A whole history counted at once, against the same answers taken one by one as the agent takes them live."""

from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from figwatch_agent.evaluate.increases import CounterMemory
from figwatch_agent.evaluate.past_increases import past_increases
from figwatch_agent.model.batch import Batch, Series, SeriesTable
from figwatch_agent.model.past import PastTarget, Track

LONGEST, PATIENCE = 2_500, 4_000
LABELS = (("route", "/a"),)
SERIES = (
    Series(name="jobs_total", labels=()),
    Series(name="mails_total", labels=LABELS),
    Series(name="wait_seconds_bucket", labels=(("le", "0.1"), *LABELS)),
    Series(name="wait_seconds_count", labels=LABELS),
    Series(name="wait_seconds_sum", labels=LABELS),
    Series(name="depth", labels=()),
)
ORIGINS = (("jobs", ()), ("mails", LABELS), *[("wait_seconds", LABELS)] * 3, None)
"""Of each: which ``_created`` series tells when it began."""

Answer = tuple[int, dict[int, int], dict[int, int]]
"""Milliseconds since the answer before, values and seconds of creation by place in SERIES."""

gaps = st.sampled_from([1_000, 1_000, 1_000, LONGEST, LONGEST + 1, PATIENCE, PATIENCE + 1, 1])
counts = st.one_of(st.integers(0, 30), st.integers(0, 10**6))
answers = st.tuples(
    gaps,
    st.dictionaries(st.integers(0, 5), counts, min_size=1),
    st.dictionaries(st.integers(0, 4), st.sampled_from([0, 99, 100, 101, 102, 103, 105]), max_size=2),
)


def families(created: dict[int, int]) -> dict[tuple[str, Any], int]:
    """What an answer says of when its series began; one instant for a family."""
    return {origin: second for place, second in created.items() if (origin := ORIGINS[place]) is not None}


def live(story: list[Answer]) -> tuple[list[tuple[int, int, bool, dict[Series, int]]], int]:
    """(instant, gap, timed, counts) of every answer, and how many series started where they stood."""
    memory, now, started = CounterMemory(), 100_000, 0
    taken = []
    for number, (gap, values, created) in enumerate(story):
        now += gap
        if number and gap > PATIENCE:
            memory.fail()
        origins = families(created)
        shown = tuple(SERIES[place] for place in sorted(values))
        stamps = [origins.get(origin, 0) * 1_000 if (origin := ORIGINS[place]) else 0 for place in sorted(values)]
        increase = memory.observe(
            Batch(
                target="t",
                at=now,
                up=True,
                table=SeriesTable(shown, frozenset()),
                values=np.array([values[place] for place in sorted(values)], dtype=np.float64),
                created=np.array(stamps, dtype=np.int64),
            ),
            LONGEST,
        )
        started += increase.started if increase.answered_before and number else 0
        taken.append((now, increase.gap or 0, increase.timed, dict(zip(shown, increase.counts.tolist(), strict=True))))
    return taken, started


def kept(story: list[Answer]) -> PastTarget:
    """The same answers as a history keeps them."""
    samples: dict[Series, list[tuple[int, float]]] = {}
    now = 100_000
    for gap, values, created in story:
        now += gap
        for place, value in values.items():
            samples.setdefault(SERIES[place], []).append((now, value))
        for (base, labels), second in families(created).items():
            samples.setdefault(Series(name=f"{base}_created", labels=labels), []).append((now, second))
    return PastTarget(
        name="t",
        tracks=tuple(
            Track(
                series=series,
                at=np.array([at for at, _ in samples[series]], dtype=np.int64),
                values=np.array([value for _, value in samples[series]], dtype=np.float64),
            )
            for series in sorted(samples, key=lambda each: (each.name, each.labels))
        ),
    )


@settings(max_examples=100)
@given(story=st.lists(answers, max_size=10))
@example(story=[])
@example(story=[(1_000, {0: 5}, {}), (1_000, {0: 9, 1: 3}, {}), (1_000, {0: 19, 1: 3}, {})])
@example(story=[(1_000, {0: 5}, {0: 99}), (1_000, {0: 9}, {0: 102})])
def test_counting_a_history_at_once_is_counting_its_answers_one_by_one(story: list[Answer]) -> None:
    found = past_increases(kept(story), LONGEST, PATIENCE)
    taken, started = live(story)
    assert found.at.tolist() == [at for at, _, _, _ in taken]
    assert found.gaps.tolist() == [gap for _, gap, _, _ in taken]
    assert found.timed.tolist() == [timed for _, _, timed, _ in taken]
    assert found.started == started
    rows = [
        (int(found.at[answer]), row.series, int(count))
        for row in found.rows
        for answer, count in zip(row.answers, row.counts, strict=True)
    ]
    assert sorted(rows, key=str) == sorted(
        ((at, series, count) for at, _, _, counted in taken for series, count in counted.items()), key=str
    )
