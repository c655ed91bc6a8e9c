"""What is counted, on which side, and what is said where nothing can be counted."""

from dataclasses import replace

import numpy as np

from figwatch_agent.durations import SECOND
from figwatch_agent.engine import Engine
from figwatch_agent.model.batch import Batch, Series, SeriesTable
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.outcome import TransitionKind
from figwatch_agent.model.selector import Selector
from figwatch_agent.model.slo import Events
from figwatch_agent.model.view import StreamView
from figwatch_agent.model.wire import encode
from support.engine import compact
from support.world import GATEWAY, MODELS, START, World, settings


def stream(world: World, slo: str = "chat-availability") -> StreamView:
    return next(each for each in world.engine.view(world.now).streams if each.slo == slo)


def begun() -> World:
    """A world whose series all stand on the page that was scraped first."""
    world = World((compact(),))
    for side in ("service", "legacy", "unknown", "shadow"):
        world.serve(side=side, good=1, bad=1, slow=1, gone=1)
    world.tick()
    return world


def counts(world: World, slo: str = "chat-availability") -> tuple[int, int]:
    seen = stream(world, slo).counts
    return seen.bad, seen.total


def test_legacy_service_and_unknown_are_one_stream() -> None:
    world = begun()
    for side in ("service", "legacy", "unknown"):
        world.serve(side=side, good=9, bad=1)
    world.tick()
    assert counts(world) == (3, 30)


def test_shadow_is_never_counted_for_an_sli() -> None:
    world = begun()
    world.serve(side="shadow", good=10, bad=90)
    world.tick()
    assert counts(world) == (0, 0)
    assert dict(world.engine.view(world.now).routes[0].requests)["shadow"] == 100


def test_a_client_that_goes_away_is_neither_good_nor_bad() -> None:
    world = begun()
    world.serve(good=5, gone=7)
    world.tick()
    assert counts(world) == (0, 5)
    assert counts(world, "chat-latency") == (0, 5)


def test_in_a_latency_sli_slow_and_failed_requests_are_bad() -> None:
    world = begun()
    world.serve(good=5, slow=2, bad=3)
    world.tick()
    assert counts(world, "chat-latency") == (5, 10)


def test_requests_of_another_route_add_nothing() -> None:
    world = begun()
    world.serve(route=MODELS, bad=40)
    world.tick()
    world.serve(route=MODELS, bad=40)
    world.tick()
    assert counts(world) == (0, 0)


def test_idle_down_and_renamed_are_three_different_findings() -> None:
    world = begun()
    world.tick()
    idle = stream(world)
    world.up = False
    world.tick()
    lost = stream(world)
    world.up = True
    batch = world.batch()
    other = SeriesTable((), frozenset({"http_requests"}))
    nothing = np.empty(0, dtype=np.float64)
    renamed_page = replace(batch, at=world.now + SECOND, table=other, values=nothing, created=nothing.astype(np.int64))
    world.tick(batches=(renamed_page,))
    renamed = stream(world)
    assert (idle.state, idle.finding) == ("idle", "")
    assert (lost.state, renamed.state) == ("unknown", "unknown")
    assert "is down: refused" in lost.finding
    assert "renamed?" in renamed.finding


def test_idle_leaves_the_budget_untouched() -> None:
    world = begun()
    world.serve(good=100)
    world.tick()
    before = stream(world).budget_left
    for _ in range(5):
        world.tick()
    assert stream(world).budget_left == before == 1


def test_a_gateway_that_was_restarted_counts_from_zero() -> None:
    world = begun()
    world.serve(good=100, bad=10)
    world.tick()
    world.restart_gateway()
    world.serve(good=30, bad=2)
    world.tick()
    assert counts(world) == (12, 142)


def test_a_newborn_value_that_cannot_be_is_a_finding_and_not_an_outage() -> None:
    world = World((compact(),))
    for _ in range(3):
        world.serve(good=10)
        world.tick()
    world.serve(good=10, bad=100_000)
    world.born = dict.fromkeys(world.born, 0)  # a page without created-timestamps
    world.tick()
    assert counts(world)[0] == 0
    assert any("cannot have come about" in text for text in world.said(TransitionKind.FINDING))


def events_world(tick: int, total: int, good: int) -> Batch:
    table = SeriesTable(
        (Series(name="jobs_total", labels=()), Series(name="jobs_good_total", labels=())),
        frozenset({"jobs_total", "jobs_good_total"}),
    )
    return Batch(
        target=GATEWAY,
        at=START + tick * SECOND,
        up=True,
        table=table,
        values=np.array([float(total), float(good)]),
        created=np.zeros(2, dtype=np.int64),
    )


def test_more_good_events_than_events_are_shown_and_not_clipped() -> None:
    sli = Events(
        total=(Selector(metric="jobs_total", matchers=()),), good=(Selector(metric="jobs_good_total", matchers=()),)
    )
    slo = replace(compact().slos[0], name="jobs", sli=sli)
    engine = Engine((replace(compact(), slos=(slo,), criteria=()),), settings())
    ledger: dict[tuple[object, ...], tuple[int, int]] = {}
    said = []
    for tick, (total, good) in enumerate([(0, 0), (100, 100), (110, 130), (110, 135)], start=1):
        outcome = engine.advance(Inputs(batches=(events_world(tick, total, good),)), START + tick * SECOND)
        ledger |= {(e.interval, e.side, e.incident): (e.bad, e.total) for e in outcome.ledger}
        said += [each.text for each in outcome.transitions if each.kind is TransitionKind.FINDING]
        encode(engine.view(START + tick * SECOND))
    seen = engine.view(START).streams[0]
    assert (seen.counts.bad, seen.counts.total) == (-25, 110)
    assert seen.budget_left is not None
    assert seen.budget_left > 1
    assert (sum(bad for bad, _ in ledger.values()), sum(total for _, total in ledger.values())) == (-25, 110)
    assert "jobs counts more good events than events" in said


def test_the_ledger_names_the_incident_of_an_slo_of_its_own() -> None:
    bad = Selector(metric="jobs_good_total", matchers=())
    slo = replace(
        compact().slos[0], name="jobs", sli=Events(total=(Selector(metric="jobs_total", matchers=()),), bad=(bad,))
    )
    engine = Engine((replace(compact(), slos=(slo,), criteria=()),), settings())
    cells = []
    for tick in range(1, 40):
        batch = events_world(tick, 40 * tick, 40 * max(tick - 20, 0))
        outcome = engine.advance(Inputs(batches=(batch,)), START + tick * SECOND)
        cells += [entry.incident for entry in outcome.ledger]
    assert cells[0] == ""
    assert cells[-1].startswith("inc-")


def test_the_page_counts_requests_whose_side_is_unknown() -> None:
    world = begun()
    for _ in range(20):
        world.serve(side="unknown", good=40)
        world.tick()
    for _ in range(8):
        world.serve(side="unknown", bad=40)
        world.tick()
    facts = world.rows()[0].page.facts
    assert facts is not None
    assert (facts.bad, facts.total) == (80, 200)
