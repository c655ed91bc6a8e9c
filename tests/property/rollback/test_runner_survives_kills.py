"""Kill a rollback at every instant, and at every pair of instants, and resume it each time.

The oracle knows nothing of the runner: it looks at where the kills struck, and says how it must have ended.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from figwatch_agent.clock import ManualClock
from figwatch_agent.durations import Duration
from figwatch_agent.model.effect import RollbackState
from figwatch_agent.model.intent import RollbackIntent
from figwatch_agent.model.journal import ActionResult
from figwatch_agent.model.names import Repeat
from figwatch_agent.model.outcome import Outcome
from figwatch_agent.model.plan import Step
from figwatch_agent.rollback.runner import Runner
from figwatch_agent.store.memory import MemoryStore
from support.fuse import Fuse, Killed, Mortal, every_double_kill, every_single_kill
from support.model_values import NOON
from support.rollback import FAILED, Gateway, World, intent, step

NEEDS_HUMAN = RollbackState.NEEDS_HUMAN


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A plan, what goes wrong in it, and how it ends where no kill leaves a doubt that nothing can settle."""

    steps: tuple[Step, ...]
    end: RollbackState
    in_place: frozenset[str]  # of the steps, when it has ended so
    answers: dict[tuple[str, str], tuple[ActionResult, ...]] = field(default_factory=dict)
    doubtful: tuple[str, ...] = ()  # calls which must not be repeated and cannot be asked about


def _doubt(step_id: str, intended: str, call: str, outcome: str) -> tuple[str, ...]:
    """Instants after which nobody can know whether the call took place."""
    return (
        f"after append_step {step_id} {intended}",
        f"before run {call} {step_id}",
        f"after run {call} {step_id}",
        f"before append_step {step_id} {outcome}",
    )


SCENARIOS = {
    "idempotent, keyed, and a probed once": Scenario(
        steps=(
            step("redirect", Repeat.IDEMPOTENT),
            step("copy", Repeat.KEYED),
            step("flush", Repeat.ONCE, probe=True),
        ),
        end=RollbackState.DONE,
        in_place=frozenset({"redirect", "copy", "flush"}),
    ),
    "a once without a probe": Scenario(
        steps=(step("redirect", Repeat.IDEMPOTENT), step("flush", Repeat.ONCE)),
        end=RollbackState.DONE,
        in_place=frozenset({"redirect", "flush"}),
        doubtful=_doubt("flush", "intended", "do", "done"),
    ),
    "the last step fails": Scenario(
        steps=(
            step("redirect", Repeat.IDEMPOTENT, undo=True),
            step("flush", Repeat.ONCE, probe=True, undo=True),
            step("switch", Repeat.KEYED),
        ),
        end=RollbackState.COMPENSATED,
        in_place=frozenset(),
        answers={("do", "switch"): (FAILED,)},
    ),
    "the last step fails behind a once without a probe": Scenario(
        steps=(step("flush", Repeat.ONCE, undo=True), step("switch", Repeat.IDEMPOTENT)),
        end=RollbackState.COMPENSATED,
        in_place=frozenset(),
        answers={("do", "switch"): (FAILED,)},
        doubtful=(
            *_doubt("flush", "intended", "do", "done"),
            *_doubt("flush", "compensating", "undo", "compensated"),
        ),
    ),
    "what was done cannot be undone": Scenario(
        steps=(step("redirect", Repeat.IDEMPOTENT), step("switch", Repeat.IDEMPOTENT)),
        end=RollbackState.FAILED,
        in_place=frozenset({"redirect"}),
        answers={("do", "switch"): (FAILED,)},
    ),
}


class Story:
    """One intent, from its commit to its end, over as many lives as it takes."""

    def __init__(self, fuse: Fuse, scenario: Scenario) -> None:
        self.clock = ManualClock(NOON)
        self.store = MemoryStore()
        self.world = World(answers={call: list(given) for call, given in scenario.answers.items()})
        self.intent: RollbackIntent = intent(*scenario.steps)
        self._journal = Mortal(
            self.store,
            fuse,
            {
                "append_step": lambda entry: f"{entry.step} {entry.state}",
                "set_rollback": lambda rollback, state, effect: str(state),
            },
        )
        self._act = Mortal(self.world, fuse, {"run": lambda call, **_: " ".join(call.argv)})
        self.gateway = Gateway()

    async def live(self) -> None:
        await self.store.commit(Outcome(sequence=1, at=NOON, intents=(self.intent,)))
        while True:
            try:
                if not await self._runner().round():
                    return
            except Killed:
                self.clock.advance(1)

    def _runner(self) -> Runner:
        return Runner(
            self._journal,
            act=self._act,
            ask=self.world,
            read_gateway=self.gateway,
            clock=self.clock,
            kill_switch=lambda: False,
            healthy=lambda: True,
            wake=asyncio.Event(),
            sleep=self._sleep,
        )

    async def _sleep(self, duration: Duration) -> None:
        self.clock.advance(duration)


async def tell(fuse: Fuse, scenario: Scenario) -> None:
    story = Story(fuse, scenario)
    await story.live()
    (record,) = await story.store.rollbacks()
    doubt = any(label in scenario.doubtful for label in fuse.struck)
    assert record.state is (NEEDS_HUMAN if doubt else scenario.end), (fuse.struck, record)
    if not doubt:
        assert story.world.in_place == scenario.in_place, fuse.struck
    for one in scenario.steps:
        if one.repeat is Repeat.ONCE:
            assert story.world.effects.count(("do", one.id)) <= 1, fuse.struck
            assert story.world.effects.count(("undo", one.id)) <= 1, fuse.struck
    _, effects = await story.store.waiting()
    assert len({effect.id for effect in effects}) == len(effects)
    assert [effect.state for effect in effects] == [RollbackState.RUNNING, record.state]


def telling(name: str) -> Callable[[Fuse], "asyncio.Future[None]"]:
    scenario = SCENARIOS[name]
    return lambda fuse: asyncio.ensure_future(tell(fuse, scenario))


@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_kill_at_any_instant_repeats_no_once_step_and_ends_as_it_should(name: str) -> None:
    assert await every_single_kill(telling(name)) > 15


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
async def test_two_kills_at_any_instants_repeat_no_once_step_and_end_as_they_should(name: str) -> None:
    assert await every_double_kill(telling(name)) > 100
