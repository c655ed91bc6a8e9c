"""What an SLO's windows weigh in each layout, and what a change of layout keeps."""

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from figwatch_agent.durations import DAY, HOUR, MINUTE
from figwatch_agent.engine import Engine
from figwatch_agent.model.batch import Counted
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.outcome import Outcome
from figwatch_agent.model.selector import Selector
from figwatch_agent.model.settings import Settings
from figwatch_agent.model.slo import Events, ServiceSlos
from support.engine import Memory
from support.world import START, service, settings

Layout = Literal["compact", "default"]
OTHER: dict[Layout, Layout] = {"compact": "default", "default": "compact"}
TARGETS = 4
STEP = 20 * MINUTE
BEGIN = START - START % DAY


def conf(layout: Layout) -> Settings:
    return replace(settings(interval=STEP), layout=layout)


def services(count: int) -> tuple[ServiceSlos, ...]:
    """SLOs on two series each."""
    one = service()
    sli = Events(total=(Selector(metric="a_total"),), bad=(Selector(metric="b_total"),))
    slos = tuple(replace(one.slos[0], name=f"own-{number}", sli=sli) for number in range(count))
    return (replace(one, slos=slos, routes=(), criteria=()),)


def tick(engine: Engine, now: int, number: int) -> Outcome:
    """Streams of four scrape targets, one of which does not answer now and then."""
    keys = tuple(stream.key for stream in engine.catalog.streams)
    place = np.arange(len(keys), dtype=np.int64)
    covered = np.where((place % TARGETS == 3) & (number % 5 == 0), 0, STEP)
    counted = Counted(keys=keys, at=now, total=100 + place, bad=(place + number) % 3, covered=covered)
    return engine.advance(Inputs(counted=(counted,)), now)


@pytest.mark.parametrize(("layout", "most"), [("compact", 12_000), ("default", 48_000)])
def test_thirty_days_of_an_slo_fit(layout: Layout, most: int) -> None:
    count = 400
    engine = Engine(services(count), conf(layout))
    for number in range(3):
        tick(engine, BEGIN + number * STEP, number)
    rings = engine._rings
    assert np.bincount(rings.coverage.group).tolist() == [count - count // TARGETS, count // TARGETS]
    assert (rings.coverage.ring.nbytes + sum(ring.nbytes for ring in rings.rings.values())) / count < most


@pytest.mark.parametrize("first", ["compact", "default"])
def test_another_layout_keeps_every_boundary_that_it_has(first: Layout) -> None:
    memory, engine = Memory(), Engine(services(4), conf(first))
    same = Engine(services(4), conf(OTHER[first]))
    for number in range(45):
        now = BEGIN + number * STEP
        tick(same, now, number)
        memory.commit(tick(engine, now, number))
    other = Engine(services(4), conf(OTHER[first]), memory.saved())
    for length in (30 * DAY, 3 * DAY, DAY, 6 * HOUR, HOUR, 25 * MINUTE):
        exact, found = same._rings.streams(length), other._rings.streams(length)
        for one, two in ((exact.total, found.total), (exact.bad, found.bad), (exact.covered, found.covered)):
            assert (two.inside <= one.most).all()
            assert (one.inside <= two.most).all()
    view, whole = other.view(now), same.view(now)
    assert [stream.counts for stream in view.streams] == [stream.counts for stream in whole.streams]
    assert [stream.known for stream in view.streams] == [stream.known for stream in whole.streams]


@pytest.mark.parametrize("first", ["compact", "default"])
def test_a_second_restart_after_a_change_of_layout_knows_what_the_first_one_lacked(first: Layout) -> None:
    memory, engine = Memory(), Engine(services(4), conf(first))
    same = Engine(services(4), conf(OTHER[first]))
    for number in range(90):
        now = BEGIN + number * STEP + 7 * MINUTE  # between the boundaries of the coarser levels
        tick(same, now, number)
        if number in (45, 50, 60):
            engine = Engine(services(4), conf(OTHER[first]), memory.saved())
        memory.commit(tick(engine, now, number))
        if number < 45:
            continue
        for length in (30 * DAY, 3 * DAY, DAY, 6 * HOUR, HOUR, 25 * MINUTE, 10 * HOUR, 6 * HOUR + 10 * MINUTE):
            exact, found = same._rings.streams(length), engine._rings.streams(length)
            for one, two in ((exact.total, found.total), (exact.bad, found.bad), (exact.covered, found.covered)):
                assert (two.inside <= one.most).all(), (number, length)
                assert (one.inside <= two.most).all(), (number, length)
