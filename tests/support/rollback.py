"""Parts for tests of rollbacks: a world that counts what is done to it, and plans that act on it."""

from dataclasses import dataclass, field, replace
from typing import Final

from figwatch_agent.durations import SECOND, Duration
from figwatch_agent.model.intent import RollbackIntent
from figwatch_agent.model.journal import ActionResult, ActionResultKind
from figwatch_agent.model.names import Repeat
from figwatch_agent.model.plan import Call, ExecCall, GatewayReading, Step
from support.model_values import NOON, an_intent

DONE: Final = ActionResult(kind=ActionResultKind.DONE, detail="exit 0")
FAILED: Final = ActionResult(kind=ActionResultKind.FAILED, detail="exit 1")
UNKNOWN: Final = ActionResult(kind=ActionResultKind.UNKNOWN, detail="timed out")
GATEWAY: Final = '{"to":"service"}'


def step(id: str, repeat: Repeat, *, probe: bool = False, undo: bool = False) -> Step:
    """A step that puts its id into the world, with a probe that looks for it and a compensation that takes it out."""
    return Step(
        id=id,
        repeat=repeat,
        call=ExecCall(argv=("do", id)),
        deadline=SECOND,
        probe=ExecCall(argv=("ask", id)) if probe else None,
        compensation=ExecCall(argv=("undo", id)) if undo else None,
    )


def intent(*steps: Step, id: str = "incident-1/rollback", incident: str = "incident-1") -> RollbackIntent:
    """An intent for these steps, decided at noon and valid for a minute."""
    made = an_intent(id, incident=incident)
    return replace(made, plan=replace(made.plan, steps=steps))


@dataclass(slots=True)
class World:
    """What steps change. ``answers`` says what a call gives, by its argv; on UNKNOWN it takes place as well."""

    answers: dict[tuple[str, str], list[ActionResult]] = field(default_factory=dict)
    in_place: set[str] = field(default_factory=set)
    calls: list[tuple[str, str]] = field(default_factory=list)  # all that was asked for, in order
    effects: list[tuple[str, str]] = field(default_factory=list)  # what took place; a known key takes place once
    keys: set[str] = field(default_factory=set)

    async def run(self, call: Call, *, key: str, deadline: Duration) -> ActionResult:
        """ports.Action."""
        assert isinstance(call, ExecCall)
        what = (call.argv[0], call.argv[1])
        self.calls.append(what)
        if what[0] == "ask":
            default = DONE if what[1] in self.in_place else FAILED
            return self._answer(what, default)
        result = self._answer(what, DONE)
        if result.kind is not ActionResultKind.FAILED:
            self._take_place(what, key)
        return result

    def _answer(self, what: tuple[str, str], default: ActionResult) -> ActionResult:
        queue = self.answers.get(what)
        if not queue:
            return default
        return queue.pop(0) if len(queue) > 1 else queue[0]

    def _take_place(self, what: tuple[str, str], key: str) -> None:
        self.effects.append(what)
        self.keys.add(key)
        if what[0] == "do":
            self.in_place.add(what[1])
        else:
            self.in_place.discard(what[1])


@dataclass(slots=True)
class Gateway:
    """A gateway that can be read."""

    value: str | None = GATEWAY
    reads: int = 0

    async def __call__(self, reading: GatewayReading) -> str | None:
        self.reads += 1
        return self.value


LATE: Final = NOON + 61 * SECOND
"""After the intent's validity."""
