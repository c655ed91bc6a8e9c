"""Reads what the gateway does now, by the same question that the prober asks all the time."""

from typing import Final

import aiohttp

from figwatch_agent.durations import SECOND, Duration
from figwatch_agent.errors import SecretUnreadable
from figwatch_agent.model.plan import GatewayReading
from figwatch_agent.model.secret import ReadSecret
from figwatch_agent.sources.asking import ask, is_success, open_session
from figwatch_agent.sources.fault import Fault
from figwatch_agent.sources.reading_value import reading_value

READ_WITHIN: Final[Duration] = 5 * SECOND
"""A rollback that is about to begin waits no longer to see what it would change."""


async def read_gateway(
    reading: GatewayReading, *, read_secret: ReadSecret, within: Duration = READ_WITHIN
) -> str | None:
    """Canonical JSON of the fields that count; None where the gateway gives no answer that can be used."""
    try:
        async with open_session() as session:
            status, body = await ask(session, reading.read, read_secret, within, whole=True)
        return reading_value(body, reading.fields) if is_success(status) else None
    except (aiohttp.ClientError, OSError, ValueError, Fault, SecretUnreadable):  # a TimeoutError is an OSError
        return None
