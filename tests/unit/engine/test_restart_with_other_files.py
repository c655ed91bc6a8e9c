"""What is kept when the files changed between two processes, and what was counted while nobody looked."""

from dataclasses import replace

import numpy as np

from figwatch_agent.durations import SECOND
from figwatch_agent.engine import Engine
from figwatch_agent.model.batch import Batch, Series, SeriesTable
from figwatch_agent.model.incident import IncidentKind
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.selector import Selector
from figwatch_agent.model.settings import Scrape
from figwatch_agent.model.slo import Events, ServiceSlos
from figwatch_agent.model.view import StreamView
from figwatch_agent.model.wire import encode
from support.engine import Memory, compact, restarted
from support.world import CHAT, GATEWAY, START, World, settings


def stream(world: World, slo: str = "chat-availability") -> StreamView:
    return next(each for each in world.engine.view(world.now).streams if each.slo == slo)


def figures(world: World, slo: str = "chat-availability") -> tuple[int, int, int, int]:
    """(bad, total) in the window, (bad, total) since the beginning."""
    seen = stream(world, slo)
    return seen.counts.bad, seen.counts.total, seen.totals.bad, seen.totals.total


def without(services: ServiceSlos, name: str) -> ServiceSlos:
    return replace(services, slos=tuple(slo for slo in services.slos if slo.name != name))


def again(world: World, memory: Memory, service: ServiceSlos) -> None:
    """Restart with another file."""
    world.services = (service,)
    restarted(world, memory)


def test_a_budget_survives_the_removal_and_reordering_of_other_slos() -> None:
    world, memory = World((compact(),)), Memory()
    world.both(30, service_bad=1)
    before = figures(world)
    again(world, memory, replace(compact(), slos=tuple(reversed(without(compact(), "chat-latency").slos))))
    world.tick()
    assert before[1] > 0
    assert figures(world) == before


def test_an_slo_that_was_added_counts_from_its_first_tick() -> None:
    world, memory = World((without(compact(), "chat-availability"),)), Memory()
    world.both(30)
    again(world, memory, compact())
    world.both(3)
    assert figures(world) == (0, 150, 0, 150)


def test_an_slo_that_was_taken_out_and_put_back_counts_anew_and_never_below_zero() -> None:
    world, memory = World((compact(),)), Memory()
    world.both(30, service_bad=1)
    again(world, memory, without(compact(), "chat-availability"))
    world.both(30)
    again(world, memory, compact())
    world.both(3)
    assert figures(world) == (0, 150, 0, 150)
    again(world, memory, compact())
    world.both(1)
    assert figures(world) == (0, 200, 0, 200)


def test_events_while_the_agent_was_off_are_counted_in_totals_and_in_no_window() -> None:
    world, memory = World((compact(),)), Memory()
    world.both(10)
    before = figures(world)
    restarted(world, memory)
    world.serve(good=900, bad=100)
    world.tick(600)
    assert figures(world) == (before[0], before[1], before[2] + 100, before[3] + 1000)
    assert world.rows() == []


def test_an_alert_that_the_files_no_longer_ask_for_does_not_keep_its_incident_open() -> None:
    world, memory = World((compact(),)), Memory()
    world.both(20)
    world.both(10, service_bad=40, legacy_bad=10)
    assert {alert.slo for alert in world.incident().alerts} >= {"chat-availability"}
    again(world, memory, replace(without(without(compact(), "chat-availability"), "chat-latency"), criteria=()))
    world.both(2)
    assert not world.incident().open


def test_a_scrape_target_that_was_replaced_does_not_leave_its_streams_unknown() -> None:
    world, memory = World((compact(),)), Memory()
    world.both(5)
    restarted(world, memory)
    other = "http://127.0.0.1:5/metrics"
    world.settings = replace(world.settings, source=Scrape(targets=(other,), interval=SECOND))
    world.engine = memory.engine(world.services, world.settings)
    for _ in range(3):
        world.serve(good=10)
        world.tick(batches=(replace(world.batch(), target=other, at=world.now + SECOND),))
    assert stream(world).finding == ""
    assert [target.target for target in world.engine.view(world.now).targets] == [other]


def test_scrape_targets_in_any_order_give_the_same_outcomes_after_a_restart() -> None:
    targets = ("http://b/metrics", "http://a/metrics")
    conf = replace(settings(), source=Scrape(targets=targets, interval=SECOND))
    table = SeriesTable((Series(name="jobs_total", labels=()),), frozenset({"jobs_total"}))
    selector = Selector(metric="jobs_total", matchers=())
    slo = replace(compact().slos[0], name="jobs", sli=Events(total=(selector,), bad=(selector,)))
    services = (replace(compact(), slos=(slo,), criteria=()),)
    memory, engine = Memory(), Engine(services, conf)
    other = memory.engine(services, conf)
    for tick in range(1, 6):
        at = START + tick * SECOND
        batches = tuple(
            Batch(
                target=target,
                at=at,
                up=True,
                table=table,
                values=np.array([float(tick * 3)]),
                created=np.zeros(1, dtype=np.int64),
            )
            for target in targets
        )
        outcome = engine.advance(Inputs(batches=batches), at)
        assert encode(other.advance(Inputs(batches=batches), at)) == encode(outcome)
        memory.commit(outcome)
        if tick == 3:
            other = memory.engine(services, conf)


def test_an_incident_and_its_stages_survive_a_restart() -> None:
    world, memory = World((compact(),)), Memory()
    world.both(20)
    world.both(6, service_bad=40)
    before = world.incident()
    restarted(world, memory)
    world.both(1, service_bad=40)
    kept = [i for i in world.engine.view(world.now).incidents if i.kind is IncidentKind.ROUTE]
    assert [(i.id, i.impact_start, i.detected_at) for i in kept] == [
        (before.id, before.impact_start, before.detected_at)
    ]
    assert kept[0].route == CHAT
    assert GATEWAY in {target.target for target in world.engine.view(world.now).targets}
