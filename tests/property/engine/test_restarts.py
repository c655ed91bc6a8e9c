"""An engine that was rebuilt from what the store keeps decides as one that never stopped, byte for byte."""

from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from figwatch_agent.model.batch import ProbeResult
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.wire import encode
from support.engine import Memory, circumstances, deeds, traffic, worlds
from support.world import World


def inputs_of(world: World, probed: bool) -> Inputs:
    """What the next tick is handed; the world's waiting effects and commands are taken."""
    effects, world.waiting = tuple(world.waiting), []
    commands, world.commands = tuple(world.commands), []
    return Inputs(
        batches=(world.batch(),),
        probes=(ProbeResult(slo="chat-uptime", at=world.now, up=world.legacy_ok),) if probed else (),
        readings=tuple(world.readings()),
        commands=commands,
        effects=effects,
        kill_switch=world.kill_switch,
    )


# Without shrinking: it would take minutes, and the story that is printed can be followed as it is.
@settings(max_examples=10, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(world=worlds(), story=st.lists(deeds, min_size=1, max_size=8))
def test_a_restart_at_any_tick_changes_nothing_that_follows(world: World, story: list[dict[str, Any]]) -> None:
    memory = Memory()
    again = memory.engine(world.services, world.settings)
    for number, deed in enumerate(story):
        circumstances(world, deed, number)
        for _ in range(deed["ticks"]):
            traffic(world, deed)
            world.now += round(deed["pause"] * 1_000)
            inputs = inputs_of(world, deed["probes"])
            outcome = world.engine.advance(inputs, world.now)
            other = again.advance(inputs, world.now)
            assert encode(other) == encode(outcome)
            world.outcomes.append(outcome)
            memory.commit(outcome)
        assert encode(again.view(world.now)) == encode(world.engine.view(world.now))
        if deed["restart"]:
            again = memory.engine(world.services, world.settings)
