"""HTTP calls of plans. No redirect is followed: a call that changes traffic goes where the plan says, or nowhere.

Every call says who makes it (``X-Changed-By``) and, where it has one, its idempotency key (``Idempotency-Key``).
"""

from collections.abc import Callable
from typing import Final

import aiohttp

from figwatch_agent.durations import SECOND, Duration
from figwatch_agent.errors import SecretUnreadable
from figwatch_agent.model.journal import ActionResult, ActionResultKind
from figwatch_agent.model.plan import Call, HttpCall
from figwatch_agent.model.secret import ReadSecret
from figwatch_agent.rollback.secrecy import all_resolved, shown

CHANGED_BY: Final = "X-Changed-By"
IDEMPOTENCY_KEY: Final = "Idempotency-Key"
ANSWER_LIMIT: Final = 64 * 1024
"""Bytes of an answer that are read."""

JudgeStatus = Callable[[int], ActionResultKind]

_DONE = ActionResultKind.DONE
_FAILED = ActionResultKind.FAILED
_UNKNOWN = ActionResultKind.UNKNOWN


def status_of_step(status: int) -> ActionResultKind:
    """A step is done on 2xx. 408, 425, 429 and 5xx leave open what happened; all else says that it was not done."""
    if 200 <= status < 300:
        return _DONE
    return _UNKNOWN if status >= 500 or status in (408, 425, 429) else _FAILED


def status_of_probe(status: int) -> ActionResultKind:
    """A probe answers yes on 2xx and no on 4xx, except where it was not allowed to answer or not in time."""
    if 200 <= status < 300:
        return _DONE
    return _FAILED if 400 <= status < 500 and status not in (401, 403, 407, 408, 425, 429) else _UNKNOWN


class HttpAction:
    """ports.Action for HttpCall."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        read_secret: ReadSecret,
        *,
        judge: JudgeStatus = status_of_step,
        unreached: ActionResultKind = _FAILED,
    ) -> None:
        self._session = session
        self._read_secret = read_secret
        self._judge = judge
        self._unreached = unreached  # what it means that nothing was sent

    async def run(self, call: Call, *, key: str, deadline: Duration) -> ActionResult:
        """One request; ``deadline`` covers all of it."""
        if not isinstance(call, HttpCall):
            raise TypeError(f"{type(call).__name__} is no HTTP call")
        try:
            headers, secrets = all_resolved(call.headers, self._read_secret)
        except SecretUnreadable as error:
            return ActionResult(kind=self._unreached, detail=str(error))
        headers |= {CHANGED_BY: "figwatch"} | ({IDEMPOTENCY_KEY: key} if key else {})
        if call.json is not None:
            headers.setdefault("Content-Type", "application/json")
        return await self._request(call, headers, secrets, deadline)

    async def _request(
        self, call: HttpCall, headers: dict[str, str], secrets: tuple[str, ...], deadline: Duration
    ) -> ActionResult:
        body = None if call.json is None else call.json.encode()
        # Connecting gets half of it, so that running out of time later means: it was sent.
        timeout = aiohttp.ClientTimeout(total=deadline / SECOND, connect=deadline / SECOND / 2)
        try:
            async with self._session.request(
                call.method, call.url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                text = (await _read(answer)).decode("utf-8", "replace")
                detail = shown(f"HTTP {answer.status}: {text}", secrets)
                return ActionResult(kind=self._judge(answer.status), detail=detail, body=text)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            return ActionResult(kind=self._unreached, detail=f"not sent: {type(error).__name__}")
        except (aiohttp.NonHttpUrlClientError, ValueError) as error:
            return ActionResult(kind=self._unreached, detail=f"not sent: {type(error).__name__}")
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            return ActionResult(kind=_UNKNOWN, detail=f"no answer: {type(error).__name__}")


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """The first of the answer. Its status has been received and decides, even if the rest never comes."""
    parts: list[bytes] = []
    left = ANSWER_LIMIT
    try:
        while left > 0 and (part := await answer.content.read(left)):
            parts.append(part)
            left -= len(part)
    except (TimeoutError, aiohttp.ClientError, OSError):
        return b"".join(parts)
    return b"".join(parts)
