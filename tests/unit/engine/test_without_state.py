"""An engine that keeps no state decides, pages and accounts as one that does."""

from dataclasses import replace
from fractions import Fraction

from figwatch_agent.durations import MINUTE
from figwatch_agent.engine import Engine
from figwatch_agent.model.outcome import Outcome
from figwatch_agent.model.wire import encode
from support.engine import Memory, now_or_never
from support.tally_load import BEGIN, Load, conf, own_services
from support.world import World


def bare(outcome: Outcome) -> str:
    """Without what only a store wants."""
    return encode(replace(outcome, sections=(), ring_rows=(), ledger=()))


def test_decisions_alerts_and_ledger_are_the_same_without_state() -> None:
    services, memory = own_services(30), Memory()
    keeping = Engine(services, conf(MINUTE))
    without = Engine(services, conf(MINUTE), keeps_state=False)
    load, now, seen = Load(keeping), BEGIN, 0
    for number in range(150):
        now += MINUTE
        inputs = load.inputs(now, MINUTE)
        if 40 <= number < 60:
            counted = inputs.counted[0]
            broken = replace(counted, bad=counted.bad + (counted.total - counted.bad) // 2)
            inputs = replace(inputs, counted=(broken,))
        one, other = keeping.advance(inputs, now), without.advance(inputs, now)
        assert bare(one) == encode(other)
        assert encode(keeping.view(now)) == encode(without.view(now))
        memory.commit(one)
        seen += len(other.transitions)
    assert seen > 30
    stored = now_or_never(memory.store.ledger())
    key = ["interval", "slo", "route", "side", "incident"]
    assert sorted(without.ledger(), key=lambda e: [getattr(e, part) for part in key]) == list(stored)
    assert {entry.incident == "" for entry in stored} == {True, False}


def test_a_world_of_routes_is_told_alike_without_state() -> None:
    world = World()
    world.engine = Engine(world.services, world.settings, keeps_state=False)
    other = World()
    for each in (world, other):
        each.both(20)
        each.both(15, service_bad=40, legacy_bad=1)
        each.both(20)
    assert [encode(outcome) for outcome in world.outcomes] == [bare(outcome) for outcome in other.outcomes]
    spent = sum(Fraction(entry.bad) for entry in world.engine.ledger())
    cells = {encode((e.interval, e.slo, e.route, e.side, e.incident)): e.bad for o in other.outcomes for e in o.ledger}
    assert spent == sum(cells.values()) > 0
