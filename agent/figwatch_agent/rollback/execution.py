"""One rollback, one move at a time: intent to the journal, effect, outcome to the journal."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from figwatch_agent.clock import Clock
from figwatch_agent.durations import SECOND, Duration
from figwatch_agent.errors import StoreUnavailable
from figwatch_agent.model.effect import RollbackState
from figwatch_agent.model.intent import RollbackIntent
from figwatch_agent.model.journal import ActionResult, ActionResultKind, StepEntry, StepState
from figwatch_agent.model.plan import Call, Step
from figwatch_agent.ports import Action, Journal
from figwatch_agent.rollback.keys import compensation_key, step_key
from figwatch_agent.rollback.progress import Clarify, ClarifyUndo, Finish, Perform, Undo, repeatable

ATTEMPTS: Final = 3
"""Of one step or compensation, over all restarts."""
PAUSE: Final[Duration] = SECOND
"""Before a repetition, and between tries at a store that does not take writes."""

Sleep = Callable[[Duration], Awaitable[None]]
Doing = Perform | Clarify | Undo | ClarifyUndo

_log = structlog.get_logger(__name__)


async def sleep_for(duration: Duration) -> None:
    """The real one."""
    await asyncio.sleep(duration / SECOND)


class Execution:
    """Carries out moves of one intent. ``act`` does, ``ask`` answers whether something was done."""

    def __init__(
        self, intent: RollbackIntent, journal: Journal, *, act: Action, ask: Action, clock: Clock, sleep: Sleep
    ) -> None:
        self._intent = intent
        self._journal = journal
        self._act = act
        self._ask = ask
        self._clock = clock
        self._sleep = sleep

    async def make(self, move: Doing) -> Finish | None:
        """Carry out one move; Finish where only a person can go on. Raises StoreError before any effect."""
        if isinstance(move, Perform):
            return await self._step(move.step, move.attempt)
        if isinstance(move, Clarify):
            return await self._clarify_step(move.step, move.attempt, "the outcome was lost")
        if isinstance(move, Undo):
            return await self._undo(move.step, move.attempt)
        return await self._clarify_undo(move.step, move.attempt, "the outcome was lost")

    async def _step(self, step: Step, attempt: int) -> Finish | None:
        key = step_key(self._intent.id, step.id)
        await self._journal.append_step(self._entry(step, StepState.INTENDED, attempt, key))
        result = await self._call(self._act, step.call, key, step)
        if result.kind is ActionResultKind.UNKNOWN:
            return await self._clarify_step(step, attempt, result.detail)
        state = StepState.DONE if result.kind is ActionResultKind.DONE else StepState.FAILED
        await self._remember(self._entry(step, state, attempt, key, result.detail))
        return None

    async def _clarify_step(self, step: Step, attempt: int, why: str) -> Finish | None:
        found = await self._probe(step)
        key = step_key(self._intent.id, step.id)
        if found.kind is ActionResultKind.DONE:
            await self._remember(self._entry(step, StepState.DONE, attempt, key, f"found done: {found.detail}"))
            return None
        again = repeatable(step) or found.kind is ActionResultKind.FAILED
        if not again or attempt >= ATTEMPTS:
            return _ask_a_person(step, f"step {step.id} may have been done ({why}; {found.detail})")
        await self._sleep(PAUSE)
        return await self._step(step, attempt + 1)

    async def _undo(self, step: Step, attempt: int) -> Finish | None:
        compensation = step.compensation
        if compensation is None:
            raise ValueError(f"step {step.id} has no compensation")
        key = compensation_key(self._intent.id, step.id)
        await self._journal.append_step(self._entry(step, StepState.COMPENSATING, attempt, key))
        result = await self._call(self._act, compensation, key, step)
        if result.kind is ActionResultKind.UNKNOWN:
            return await self._clarify_undo(step, attempt, result.detail)
        done = result.kind is ActionResultKind.DONE
        state = StepState.COMPENSATED if done else StepState.COMPENSATION_FAILED
        await self._remember(self._entry(step, state, attempt, key, result.detail))
        return None

    async def _clarify_undo(self, step: Step, attempt: int, why: str) -> Finish | None:
        # The probe speaks of the step: found in place, it was not undone; found missing, it was.
        found = await self._probe(step)
        key = compensation_key(self._intent.id, step.id)
        if found.kind is ActionResultKind.FAILED:
            await self._remember(
                self._entry(step, StepState.COMPENSATED, attempt, key, f"found undone: {found.detail}")
            )
            return None
        again = repeatable(step) or found.kind is ActionResultKind.DONE
        if not again or attempt >= ATTEMPTS:
            return _ask_a_person(step, f"the compensation of step {step.id} may have been done ({why}; {found.detail})")
        await self._sleep(PAUSE)
        return await self._undo(step, attempt + 1)

    async def _probe(self, step: Step) -> ActionResult:
        if step.probe is None:
            return ActionResult(kind=ActionResultKind.UNKNOWN, detail="it has no probe")
        return await self._call(self._ask, step.probe, "", step)

    async def _call(self, action: Action, call: Call, key: str, step: Step) -> ActionResult:
        try:
            return await action.run(call, key=key, deadline=step.deadline)
        except Exception as error:  # noqa: BLE001 (whatever broke, the effect may have happened: never guess)
            _log.error("action failed inside figwatch", step=step.id, error=type(error).__name__)
            return ActionResult(kind=ActionResultKind.UNKNOWN, detail=f"internal: {type(error).__name__}")

    async def _remember(self, entry: StepEntry) -> None:
        # An outcome is known only here; forgetting it would leave a done step in doubt.
        while True:
            try:
                return await self._journal.append_step(entry)
            except StoreUnavailable:
                await self._sleep(PAUSE)

    def _entry(self, step: Step, state: StepState, attempt: int, key: str, detail: str = "") -> StepEntry:
        return StepEntry(
            rollback=self._intent.id,
            step=step.id,
            state=state,
            attempt=attempt,
            at=self._clock.now(),
            key=key,
            detail=detail,
        )


def _ask_a_person(step: Step, detail: str) -> Finish:
    return Finish(state=RollbackState.NEEDS_HUMAN, step=step.id, detail=detail)
