"""One Alertmanager of those that are told: a pair or a cluster is told member by member, as Prometheus does it."""

import asyncio
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import aiohttp
import structlog

from figwatch_agent.certificates import ClientCertificates
from figwatch_agent.clock import Clock
from figwatch_agent.durations import SECOND
from figwatch_agent.errors import SecretUnreadable
from figwatch_agent.model.journal import DeliveryResult, DeliveryResultKind
from figwatch_agent.model.secret import ReadSecret, resolved
from figwatch_agent.model.settings import Alertmanager
from figwatch_agent.notify.classify import Answer, of_status, unreadable
from figwatch_agent.notify.post import encode, exchange
from figwatch_agent.notify.reasons import DeliveryReason
from figwatch_agent.notify.secrecy import masking

PATH: Final = "/api/v2/alerts"
MOST: Final = 64
"""Alerts of one request (Prometheus, notifier: ``maxBatchSize``)."""

Documents = Callable[[], Sequence[Mapping[str, object]]]
"""Writes what is to be posted, when its turn has come."""

_CONNECT: Final = 4.0  # seconds
_HTML: Final = re.compile(r"(?:HTTP \d+: )?\s*<(?:!doctype|html|head|body)\b", re.IGNORECASE)
_READ: Final = 512
_WHERE_ELSE: Final = (404, 405)

_log = structlog.get_logger(__name__)


class Member:
    """Takes one request after the other: an older word never arrives behind a newer one."""

    def __init__(
        self, name: str, url: str, settings: Alertmanager, session: aiohttp.ClientSession, read_secret: ReadSecret
    ) -> None:
        self._name = name
        self._url = url + PATH
        self._settings = settings
        self._session = session
        self._read_secret = read_secret
        self._turn = asyncio.Lock()
        self._certificates = ClientCertificates(settings.tls)
        self._said = ""  # the trouble that the log has told of

    async def send(self, documents: Documents, clock: Clock) -> DeliveryResult:
        """Post them, in as many requests as it takes; the first that is not taken ends it."""
        async with self._turn:
            result = await self._send(documents, clock)
        self._tell(result)
        return result

    async def _send(self, documents: Documents, clock: Clock) -> DeliveryResult:
        try:
            headers, secrets = self._headers()
            tls = self._certificates.context()
        except SecretUnreadable as error:
            return unreadable(str(error))
        except OSError as error:
            return _refused(DeliveryReason.MISCONFIGURED, f"certificates cannot be read: {error.strerror or error}")
        result = DeliveryResult(kind=DeliveryResultKind.ACCEPTED)
        for batch in _batches(documents()):
            answer = await exchange(
                self._session,
                self._url,
                encode(batch),
                now=clock.now,
                mask=masking(secrets),
                headers=headers,
                most=_READ,
                patience=self._patience(),
                tls=tls,
            )
            result = answer if isinstance(answer, DeliveryResult) else judged(answer)
            if result.kind is not DeliveryResultKind.ACCEPTED:
                break
        return result

    def _headers(self) -> tuple[dict[str, str], list[str]]:
        """What is sent along, and what of it is secret."""
        settings = self._settings
        headers = {name: resolved(value, self._read_secret) for name, value in settings.headers}
        secrets = [headers[name] for name, value in settings.headers if not isinstance(value, str)]
        if settings.bearer is not None:
            secrets.append(resolved(settings.bearer, self._read_secret))
            headers["Authorization"] = f"Bearer {secrets[-1]}"
        if settings.user is not None and settings.password is not None:
            password = resolved(settings.password, self._read_secret)
            pair = b64encode(f"{settings.user}:{password}".encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
            secrets += [password, pair]
        return headers, secrets

    def _patience(self) -> aiohttp.ClientTimeout:
        total = self._settings.timeout / SECOND
        # Connecting ends well before the whole: late means sent.
        return aiohttp.ClientTimeout(total=total, connect=total / 2, sock_connect=min(_CONNECT, total / 2))

    def _tell(self, result: DeliveryResult) -> None:
        """Into the log, once for as long as it lasts."""
        trouble = "" if result.kind is DeliveryResultKind.ACCEPTED else result.reason
        if trouble and trouble != self._said:
            _log.warning("alertmanager did not take alerts", member=self._name, reason=trouble, detail=result.detail)
        if not trouble and self._said:
            _log.info("alertmanager takes alerts again", member=self._name)
        self._said = trouble


def judged(answer: Answer) -> DeliveryResult:
    """What an answer says: an Alertmanager takes alerts with 200 and no words, and names what is wrong with 400."""
    if 200 <= answer.status < 300:
        words = answer.body.decode("utf-8", "replace")
        if _HTML.match(words):
            return _refused(DeliveryReason.ODD_ANSWER, _page_of_html(answer.status))
        return DeliveryResult(kind=DeliveryResultKind.ACCEPTED)
    detail = f"{_page_of_html(answer.status)}: {answer.detail}" if _HTML.match(answer.detail) else answer.detail
    if answer.status in (401, 403):
        return _refused(DeliveryReason.UNAUTHORIZED, detail)
    if answer.status in _WHERE_ELSE:  # the address is wrong, and a person can correct it
        return _refused(DeliveryReason.ODD_ANSWER, detail)
    return of_status(answer.status, answer.retry_after, detail)


def _page_of_html(status: int) -> str:
    return f"a page of HTML came with status {status}, something in front of Alertmanager answered"


def _refused(reason: DeliveryReason, detail: str) -> DeliveryResult:
    return DeliveryResult(kind=DeliveryResultKind.REFUSED, reason=reason.value, detail=detail)


def _batches(documents: Sequence[Mapping[str, object]]) -> Iterator[Sequence[Mapping[str, object]]]:
    for begin in range(0, len(documents), MOST):
        yield documents[begin : begin + MOST]
