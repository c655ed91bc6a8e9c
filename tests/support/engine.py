"""What tests of the engine share: compact promises, a store that is driven without a loop, and worlds at random."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import replace
from fractions import Fraction
from typing import Any, TypeVar

from hypothesis import strategies as st

from figwatch_agent.durations import HOUR, MINUTE, SECOND
from figwatch_agent.engine import Engine
from figwatch_agent.model.command import Command, CommandKind
from figwatch_agent.model.effect import DeliveryEffect, DeliveryState, RollbackEffect, RollbackState
from figwatch_agent.model.names import DataPlan, Mode, Severity, Stage
from figwatch_agent.model.outcome import Outcome, Saved
from figwatch_agent.model.settings import Settings
from figwatch_agent.model.slo import ServiceSlos
from figwatch_agent.model.tier import Tier
from figwatch_agent.store.memory import MemoryStore
from support.world import CHAT, MODELS, World, plan, service, settings

T = TypeVar("T")

COMPACT = (
    Tier(name="fast", share=Fraction(48, 100), long=2 * MINUTE, short=10 * SECOND, severity=Severity.PAGE),
    Tier(name="slow", share=Fraction(1), long=10 * MINUTE, short=MINUTE, severity=Severity.TICKET),
)
"""Of a period of one hour: factors 14.4 and 6."""


def now_or_never(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that waits for nothing, as the store in memory's do."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("it waits for something")


def compact(
    objective: Fraction = Fraction(999, 1000), routes: tuple[str, ...] = (CHAT,), stage: Stage = Stage.CANARY
) -> ServiceSlos:
    """The chat service with windows of minutes, so that a short history fills them."""
    return replace(service(objective=objective, tiers=COMPACT, routes=routes, stage=stage), window=HOUR)


class Memory:
    """A store that is handed every Outcome and from which an engine can be made anew."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.last = 0

    def commit(self, outcome: Outcome) -> None:
        """Keep one Outcome, unless it is kept already."""
        if outcome.sequence > self.last:
            now_or_never(self.store.commit(outcome))
            self.last = outcome.sequence

    def saved(self) -> Saved:
        """What a process that starts now would find."""
        return now_or_never(self.store.load())

    def engine(self, services: tuple[ServiceSlos, ...], conf: Settings) -> Engine:
        """An engine that knows only what was kept."""
        return Engine(services, conf, self.saved())


def restarted(world: World, memory: Memory) -> None:
    """The agent of a world dies and comes back; its files may have changed meanwhile."""
    for outcome in world.outcomes:
        memory.commit(outcome)
    world.engine = memory.engine(world.services, world.settings)


deeds = st.fixed_dictionaries(
    {
        "pause": st.sampled_from([1.0, 1.0, 1.0, 1.0, 2.0, 7.0, 40.0, 400.0]),
        "ticks": st.integers(1, 8),
        "service": st.sampled_from([(40, 0), (40, 0), (20, 20), (0, 40), (39, 1), (0, 0), (2, 0)]),
        "legacy": st.sampled_from([(10, 0), (10, 0), (0, 0), (0, 10), (9, 1)]),
        "models": st.sampled_from([(10, 0), (0, 10), (0, 0)]),
        "other": st.sampled_from(["", "", "", "unknown", "shadow", "gone", "slow"]),
        "happening": st.sampled_from(
            [
                "",
                "",
                "",
                "",
                "down",
                "gateway restart",
                "gateway changed",
                "gateway unread",
                "legacy ill",
                "kill switch",
            ]
        ),
        "probes": st.booleans(),
        "wish": st.sampled_from([None, None, None, None, *CommandKind]),
        "effect": st.sampled_from(
            [None, None, "accepted", "dead", RollbackState.DONE, RollbackState.NEEDS_HUMAN, RollbackState.RUNNING]
        ),
        "restart": st.booleans(),
    }
)
"""What may happen in a world between some ticks."""


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A small migration with settings at random."""
    routes = draw(st.sampled_from([(CHAT,), (CHAT, MODELS), (MODELS, CHAT)]))
    each = plan(data=draw(st.sampled_from([DataPlan.STATELESS, DataPlan.STATELESS, DataPlan.FORWARD_ONLY])))
    conf = settings(mode=draw(st.sampled_from(Mode)), plans=(each,))
    stage = draw(st.sampled_from([Stage.CANARY, Stage.MIGRATED]))
    return World((compact(routes=routes, stage=stage),), conf)


def traffic(world: World, deed: dict[str, Any]) -> None:
    """What users do before one tick."""
    world.serve(side="service", good=deed["service"][0], bad=deed["service"][1])
    world.serve(side="legacy", good=deed["legacy"][0], bad=deed["legacy"][1])
    world.serve(route=MODELS, side="service", good=deed["models"][0], bad=deed["models"][1])
    if deed["other"] in ("unknown", "shadow"):
        world.serve(side=deed["other"], good=3, bad=2)
    elif deed["other"] == "gone":
        world.serve(gone=5)
    elif deed["other"] == "slow":
        world.serve(slow=20)


def circumstances(world: World, deed: dict[str, Any], number: int) -> None:
    """What else is the case for the next ticks, and what people and workers say."""
    happening = deed["happening"]
    world.up, world.legacy_ok = happening != "down", happening != "legacy ill"
    world.gateway_read, world.kill_switch = happening != "gateway unread", happening == "kill switch"
    world.revision += happening == "gateway changed"
    if happening == "gateway restart":
        world.restart_gateway()
    incidents = [incident for outcome in world.outcomes for incident in outcome.incidents]
    if deed["wish"] is not None:
        subject = incidents[-1].id if incidents and number % 2 else CHAT
        world.commands.append(wish(world, deed["wish"], subject, f"c{number}"))
    effect_of(world, deed["effect"], number)


def wish(world: World, kind: CommandKind, subject: str, name: str, actor: str = "ann", **more: Any) -> Command:
    """A command as the inbox hands it over."""
    members: dict[str, Any] = {"why": "because", "until": world.now + MINUTE, "data": (("bad", "1"), ("total", "9000"))}
    return Command(id=name, kind=kind, at=world.now, actor=actor, origin="cli", subject=subject, **(members | more))


def effect_of(world: World, effect: RollbackState | str | None, number: int) -> None:
    if isinstance(effect, RollbackState) and world.intents():
        intent = world.intents()[-1]
        world.waiting.append(
            RollbackEffect(
                id=f"r{number}", at=world.now, rollback=intent, incident=intent.split("/")[0], state=effect, detail="so"
            )
        )
    elif isinstance(effect, str) and not isinstance(effect, RollbackState) and world.rows():
        row = world.rows()[-1]
        world.waiting.append(
            DeliveryEffect(
                id=f"d{number}",
                at=world.now,
                row=row.id,
                incident=row.incident,
                receiver=row.receiver,
                kind=row.page.kind.value,
                state=DeliveryState(effect),
                attempts=1,
                reason="" if effect == "accepted" else "refused",
            )
        )
