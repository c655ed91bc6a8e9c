"""May a rollback that was decided still begin? Asked before the first step, and answered by what is true now."""

from collections.abc import Awaitable, Callable, Iterable

from figwatch_agent.durations import Instant
from figwatch_agent.model.effect import RollbackState
from figwatch_agent.model.journal import RollbackRecord
from figwatch_agent.model.plan import GatewayReading
from figwatch_agent.rollback.progress import Finish

ReadGateway = Callable[[GatewayReading], Awaitable[str | None]]
"""What the gateway does now, canonical JSON of the fields that count; None where it cannot be read."""

_NOT_BEGUN = (RollbackState.EXPIRED, RollbackState.ABANDONED)


async def refusal(
    record: RollbackRecord,
    *,
    known: Iterable[RollbackRecord],
    now: Instant,
    kill_switch: bool,
    read_gateway: ReadGateway,
) -> Finish | None:
    """Why it may not begin, as the end it comes to; None where it may. The gateway is read last: it is what moves."""
    intent = record.intent
    if now > intent.valid_until:
        return Finish(state=RollbackState.EXPIRED, detail="expired: it was not begun while its reasons were fresh")
    if kill_switch:
        return _abandoned("kill_switch: the kill switch is set")
    if any(_was_first(other, record) for other in known):
        return _abandoned("already_running: this incident's one execution was used")
    return await _gateway_refusal(record, read_gateway)


def _was_first(other: RollbackRecord, record: RollbackRecord) -> bool:
    same = other.intent.incident == record.intent.incident and other.intent.id != record.intent.id
    begun = other.state not in (*_NOT_BEGUN, RollbackState.COMMITTED) or bool(other.entries)
    return same and begun


async def _gateway_refusal(record: RollbackRecord, read_gateway: ReadGateway) -> Finish | None:
    reading = record.intent.plan.gateway
    if reading is None:
        return None
    now = await read_gateway(reading)
    if now is None or record.intent.gateway is None:
        return _abandoned("gateway_unknown: what the gateway does now could not be read")
    if now != record.intent.gateway:
        return _abandoned("gateway_changed: somebody changed the gateway since this was decided")
    return None


def _abandoned(detail: str) -> Finish:
    return Finish(state=RollbackState.ABANDONED, detail=detail)
