"""Part of an outage lies inside an exclusion: what is told of it later is set aside as if it had been read in time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from figwatch_agent.durations import DAY, Instant, format_instant
from figwatch_agent.model.command import Command, CommandKind
from figwatch_agent.model.ledger import Key, settle
from figwatch_agent.model.outcome import LedgerEntry
from support.kept_samples import INTERVAL, KeptSamples, Reader
from support.world import START

UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)
LONG = 30 * DAY
"""Every window of this length holds the whole story, whole slots alone: its figures are exact."""


class Outage(NamedTuple):
    """A story in scrapes: the engine is away in [away, back), and the exclusion is (begins, ends]."""

    away: int
    back: int
    begins: int
    ends: int | None  # left open
    declared: int
    killed: int  # 0: never


LAST = 130
"""Scrapes of a story: the longest outage is told well before."""

places = st.integers(5, 100)
outages = st.builds(
    lambda away, lasts, begins, ends, declared, killed: Outage(
        away, away + lasts, begins, None if ends is None else begins + ends, max(2, declared), killed
    ),
    places,
    st.one_of(st.integers(1, 6), st.integers(1, 25)),  # of up to four looks what was missed comes with what is new
    places,
    st.one_of(st.none(), st.integers(1, 30)),
    st.integers(2, LAST - 3),
    st.one_of(st.just(0), st.integers(20, LAST - 3)),
)


class Told(NamedTuple):
    """What is known at the end."""

    whole: tuple[int, int]  # bad, total
    left: tuple[int, int]
    aside: int  # milliseconds
    ledger: tuple[tuple[bool, int, int], ...]  # set aside, bad, total


@contextmanager
def looping() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    try:
        yield loop
    finally:
        loop.close()


def excluded(outage: Outage, now: Instant) -> Command:
    """The declaration, as it is made at ``now``."""
    said = {"scope": "slo", "from": format_instant(START + outage.begins * INTERVAL), "who": "ann"}
    if outage.ends is not None:
        said["to"] = format_instant(START + outage.ends * INTERVAL)
    return Command(
        id="x",
        kind=CommandKind.EXCLUDE,
        at=now,
        actor="bob",
        origin="cli",
        subject="orders",
        why="upgrade",
        data=tuple(sorted(said.items())),
    )


def events(number: int) -> tuple[int, int]:
    """(good, bad) of a scrape: no two the same, so that one that is set aside wrongly shows."""
    return 100 + number, 1 + number % 3


def played(loop: asyncio.AbstractEventLoop, outage: Outage, *, missing: bool) -> Told:
    kept = KeptSamples()
    reader = Reader(kept, loop)
    cells: dict[Key, LedgerEntry] = {}
    good, bad = 1000, 100
    for number in range(LAST):
        more = events(number)
        good, bad = good + more[0], bad + more[1]
        kept.scrape("a:1", START + number * INTERVAL + 2_000, {"200": good, "500": bad})
        now = START + (number + 1) * INTERVAL - 100
        kept.state = "refused" if missing and outage.away <= number < outage.back else "well"
        commands = (excluded(outage, now),) if number == outage.declared else ()
        settle(cells, reader.tick(now, commands=commands))
        if missing and number == outage.killed:
            reader.killed()
    assert reader.engine.missing() == ()
    return told(reader, cells)


def told(reader: Reader, cells: dict[Key, LedgerEntry]) -> Told:
    rings = reader.engine._rings
    whole, left = rings.whole(LONG), rings.streams(LONG)
    assert not any(part.edge.any() for window in (whole, left) for part in (window.bad, window.total))
    ledger: dict[bool, tuple[int, int]] = {}
    for each in cells.values():
        before = ledger.get(bool(each.exclusion), (0, 0))
        ledger[bool(each.exclusion)] = before[0] + each.bad, before[1] + each.total
    return Told(
        whole=(int(whole.bad.inside.sum()), int(whole.total.inside.sum())),
        left=(int(left.bad.inside.sum()), int(left.total.inside.sum())),
        aside=int(left.aside.sum()),
        ledger=tuple((aside, *counts) for aside, counts in sorted(ledger.items()) if counts != (0, 0)),
    )


def agrees(outage: Outage) -> None:
    with looping() as loop:
        late, in_time = played(loop, outage, missing=True), played(loop, outage, missing=False)
    assert late == in_time
    set_aside = late.whole[0] - late.left[0], late.whole[1] - late.left[1]
    ledger = {aside: (bad, total) for aside, bad, total in late.ledger}
    assert ledger.get(False, (0, 0)) == late.left
    assert ledger.get(True, (0, 0)) == set_aside


@pytest.mark.parametrize(
    "outage",
    [
        pytest.param(Outage(30, 50, 35, 45, 10, 0), id="declared before the outage"),
        pytest.param(Outage(30, 50, 35, 45, 40, 0), id="declared during it"),
        pytest.param(Outage(30, 50, 35, 45, 100, 0), id="declared when all was told"),
        pytest.param(Outage(30, 50, 20, 40, 51, 0), id="declared while it is told, reaching over its begin"),
        pytest.param(Outage(30, 50, 40, 70, 10, 52), id="reaching over its end, killed while it is told"),
        pytest.param(Outage(30, 50, 40, None, 60, 0), id="left open"),
        pytest.param(Outage(42, 43, 42, 43, 40, 0), id="over when one look that was lost is made up for"),
        pytest.param(
            Outage(42, 46, 43, 45, 10, 46), id="inside four looks that were lost, killed when they are made up for"
        ),
        pytest.param(
            Outage(42, 48, 44, 47, 10, 0), id="at the end of a silence whose last scrapes come with what is new"
        ),
    ],
)
def test_what_is_told_of_an_outage_later_is_set_aside_as_if_read_in_time(outage: Outage) -> None:
    agrees(outage)


@pytest.mark.slow
@settings(max_examples=20, phases=UNSHRUNK, deadline=None)
@given(outage=outages)
def test_many_outages_and_exclusions_agree(outage: Outage) -> None:
    agrees(outage)
