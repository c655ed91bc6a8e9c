"""One call of Slack's Web API: a method, its arguments, and what Slack said to it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp

from figwatch_agent.clock import Clock
from figwatch_agent.model.journal import DeliveryResult, DeliveryResultKind
from figwatch_agent.notify.classify import Answer, of_status
from figwatch_agent.notify.post import encode, exchange
from figwatch_agent.notify.reasons import DeliveryReason
from figwatch_agent.notify.secrecy import Mask, masking
from figwatch_agent.notify.slack_errors import of_word

ANSWER_LIMIT: Final = 1 << 20
"""Bytes. Slack repeats the message in its answer; more than this is not Slack."""
_WORD_LIMIT: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What Slack said to a call."""

    result: DeliveryResult
    word: str = ""  # of the refusal, where there was one
    ts: str = ""  # of the message that now stands in the channel


class SlackCalls:
    """Calls methods with one token, each once: what to try again is the outbox's business."""

    def __init__(self, url: str, token: str, session: aiohttp.ClientSession, clock: Clock) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json; charset=utf-8"}
        self._mask = masking((token,))
        self._session = session
        self._clock = clock

    async def call(self, method: str, arguments: Mapping[str, object]) -> Said:
        """Never raises for what the other side does."""
        answer = await exchange(
            self._session,
            f"{self._url}/{method}",
            encode(arguments),
            now=self._clock.now,
            mask=self._mask,
            headers=self._headers,
            most=ANSWER_LIMIT,
        )
        return Said(result=answer) if isinstance(answer, DeliveryResult) else judged(answer, self._mask)


def judged(answer: Answer, mask: Mask) -> Said:
    """What an answer says. What cannot be read as Slack's may hide a message that was posted."""
    by_status = of_status(answer.status, answer.retry_after, answer.detail)
    if by_status.kind is not DeliveryResultKind.ACCEPTED:
        return Said(result=by_status)
    told = _object(answer.body)
    if told.get("ok") is True:
        return Said(result=by_status, ts=_ts(told))
    word = told.get("error")
    if told.get("ok") is not False or not isinstance(word, str):
        odd = DeliveryReason.ODD_ANSWER.value
        beginning = mask(f"HTTP {answer.status}: {answer.body[:200].decode('utf-8', 'replace')}")
        return Said(result=DeliveryResult(kind=DeliveryResultKind.UNCONFIRMED, reason=odd, detail=beginning))
    short = word[:_WORD_LIMIT]
    return Said(result=of_word(short, mask(f"Slack says {short}"), answer.retry_after), word=short)


def _object(body: bytes) -> Mapping[str, object]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _ts(told: Mapping[str, object]) -> str:
    ts = told.get("ts")
    return ts if isinstance(ts, str) and ts.isascii() and ts.replace(".", "", 1).isdigit() else ""
