"""Takes committed intents and carries them out, one after the other."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from figwatch_agent.clock import Clock
from figwatch_agent.errors import StoreError
from figwatch_agent.model.effect import RollbackEffect, RollbackState
from figwatch_agent.model.journal import RollbackRecord
from figwatch_agent.ports import Action, Journal
from figwatch_agent.rollback.execution import PAUSE, Execution, Sleep, sleep_for
from figwatch_agent.rollback.keys import effect_id
from figwatch_agent.rollback.permission import ReadGateway, refusal
from figwatch_agent.rollback.progress import ClarifyUndo, Finish, Move, Perform, Undo, next_move
from figwatch_agent.rollback.shield import to_the_end

_log = structlog.get_logger(__name__)


class Runner:
    """The only thing that changes traffic. ``wake`` is its own event, set after every commit."""

    def __init__(
        self,
        journal: Journal,
        *,
        act: Action,
        ask: Action,
        read_gateway: ReadGateway,
        clock: Clock,
        kill_switch: Callable[[], bool],
        healthy: Callable[[], bool],
        wake: asyncio.Event,
        sleep: Sleep = sleep_for,
    ) -> None:
        self._journal = journal
        self._act = act
        self._ask = ask
        self._read_gateway = read_gateway
        self._clock = clock
        self._kill_switch = kill_switch
        self._healthy = healthy  # the store takes commits; nothing is begun without
        self._wake = wake
        self._sleep = sleep

    async def run(self) -> None:
        """Carry out what is committed until cancelled; a move that was begun is finished first."""
        while True:
            # Cleared before looking: a commit that comes after the look sets it again.
            self._wake.clear()
            if await self.round():
                await self._sleep(PAUSE)  # something waits for the store: look again without being woken
            else:
                await self._wake.wait()

    async def round(self) -> bool:
        """Take every unfinished rollback as far as it goes; whether any is left."""
        try:
            records = await self._journal.unfinished_rollbacks()
        except StoreError as error:
            _log.warning("rollbacks cannot be read", error=type(error).__name__)
            return True
        return any([await self._left(record) for record in records])

    async def _left(self, record: RollbackRecord) -> bool:
        try:
            return not await self._carry_out(record)
        except StoreError as error:
            _log.warning("rollback waits for the store", rollback=record.intent.id, error=type(error).__name__)
            return True
        except Exception as error:  # noqa: BLE001 (the edge of a rollback: the others go on, and a person is asked)
            _log.error("rollback failed inside figwatch", rollback=record.intent.id, error=type(error).__name__)
            return not await self._given_to_a_person(record, f"internal: {type(error).__name__}")

    async def _given_to_a_person(self, record: RollbackRecord, detail: str) -> bool:
        try:
            await self._set(record, Finish(state=RollbackState.NEEDS_HUMAN, detail=detail))
        except StoreError:
            return False
        return True

    async def _carry_out(self, record: RollbackRecord) -> bool:
        """Whether it came to its end."""
        if not record.entries:
            if not self._healthy():
                return False
            refused = await self._refusal(record)
            if refused is not None:
                await self._set(record, refused)
                return True
            await self._set(record, Finish(state=RollbackState.RUNNING))
        await self._set(record, await self._moves(record))
        return True

    async def _refusal(self, record: RollbackRecord) -> Finish | None:
        return await refusal(
            record,
            known=await self._journal.rollbacks(),
            now=self._clock.now(),
            kill_switch=self._kill_switch(),
            read_gateway=self._read_gateway,
        )

    async def _moves(self, record: RollbackRecord) -> Finish:
        execution = Execution(
            record.intent, self._journal, act=self._act, ask=self._ask, clock=self._clock, sleep=self._sleep
        )
        while True:
            move = await self._next(record)
            if isinstance(move, Finish):
                return move
            if isinstance(move, (Undo, ClarifyUndo)):
                return await to_the_end(self._back(record, execution))
            if isinstance(move, Perform) and self._kill_switch():
                detail = f"kill_switch: it was set before step {move.step.id}"
                return Finish(state=RollbackState.NEEDS_HUMAN, step=move.step.id, detail=detail)
            stopped = await to_the_end(execution.make(move))
            if stopped is not None:
                return stopped

    async def _back(self, record: RollbackRecord, execution: Execution) -> Finish:
        while True:
            move = await self._next(record)
            if isinstance(move, Finish):
                return move
            stopped = await execution.make(move)
            if stopped is not None:
                return stopped

    async def _next(self, record: RollbackRecord) -> Move:
        """Judged from the journal as it stands, so that going on and resuming are the same."""
        now = _of(record, await self._journal.unfinished_rollbacks())
        return next_move(record.intent.plan, now.entries)

    async def _set(self, record: RollbackRecord, end: Finish) -> None:
        intent = record.intent
        effect = RollbackEffect(
            id=effect_id(intent.id, end.step, end.state),
            at=self._clock.now(),
            rollback=intent.id,
            incident=intent.incident,
            state=end.state,
            step=end.step,
            detail=end.detail,
        )
        await self._journal.set_rollback(intent.id, end.state, effect)


def _of(record: RollbackRecord, records: Sequence[RollbackRecord]) -> RollbackRecord:
    for each in records:
        if each.intent.id == record.intent.id:
            return each
    raise StoreError(f"rollback {record.intent.id} is not among the unfinished ones any more")
