"""The reader that prometheus-api-client carries: for reports and notebooks, where one question follows another.

The library asks and we guard. By itself it puts questions into the URL, cuts instants to whole seconds, follows
redirects, waits for ever, repeats as it likes, reads without bound, heeds proxies and .netrc of the environment, and
drops warnings, so that a partial answer looks whole. It is handed a session of ours that does none of it.
"""

import asyncio
import errno
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Final

import requests
from prometheus_api_client.exceptions import PrometheusApiClientException
from prometheus_api_client.prometheus_connect import PrometheusConnect
from requests.adapters import Retry
from urllib3.exceptions import DecodeError, HTTPError, ReadTimeoutError

from figwatch_agent.durations import SECOND
from figwatch_agent.model.settings import PrometheusServer
from figwatch_agent.sources.fault import Fault, FaultReason
from figwatch_agent.sources.prometheus_answer import Answer, PassingFault, opened
from figwatch_agent.sources.prometheus_asking import PrometheusReader

_PIECE: Final = 64 * 1024


class PrometheusLibrary(PrometheusReader):
    """Asks in a thread. Each question has a connection of its own: one that was given up on holds up no other."""

    async def close(self) -> None:
        """Nothing is held between two questions."""

    async def _once(self, path: str, form: Mapping[str, str], method: str) -> Answer:
        return await asyncio.to_thread(self._blocking, _QUESTIONS[path], dict(form), method, self._headers())

    def _blocking(self, question: "_Question", form: dict[str, str], method: str, headers: dict[str, str]) -> Answer:
        session = _Session(self._server)
        retry = Retry(0, read=False)  # none: what is asked a second time is decided in one place for all readers
        try:
            with (
                PrometheusConnect(
                    url=self._url, headers=headers, session=session, retry=retry, method=method
                ) as connect,
                suppress(PrometheusApiClientException, LookupError, TypeError, AttributeError),
            ):
                question(connect, form)  # its own reading of the answer matters to nobody
        except (requests.RequestException, HTTPError, OSError) as error:
            raise _fault_of(error) from None
        return session.answer()


def _query(connect: PrometheusConnect, form: dict[str, str]) -> object:
    return connect.custom_query(form.pop("query"), params=form)


def _query_range(connect: PrometheusConnect, form: dict[str, str]) -> object:
    """``params`` win over what the library makes of both instants."""
    start, end = (datetime.fromtimestamp(float(form[name]), UTC) for name in ("start", "end"))
    return connect.custom_query_range(form.pop("query"), start, end, form["step"], params=form)


def _metadata(connect: PrometheusConnect, form: dict[str, str]) -> object:
    return connect.get_metric_metadata(form.get("metric", ""))


_Question = Callable[[PrometheusConnect, dict[str, str]], object]
_QUESTIONS: Final[dict[str, _Question]] = {"query": _query, "query_range": _query_range, "metadata": _metadata}


class _Session(requests.Session):
    """Carries one question: into the body, to one address, within a deadline and a size."""

    def __init__(self, server: PrometheusServer) -> None:
        super().__init__()
        self.trust_env = False
        if server.tls is not None:
            self.verify = server.tls.ca or True
            if server.tls.certificate is not None:
                self.cert = (server.tls.certificate, server.tls.key) if server.tls.key else server.tls.certificate
        self._server = server
        self._reply: _Reply | None = None

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """The whole answer, or an exception."""
        if request.method == "POST":
            url, _, form = str(request.url).partition("?")
            request.prepare_url(url, None)
            request.prepare_body(form, None)
            request.headers["Content-Type"] = "application/x-www-form-urlencoded"
        within = self._server.timeout / SECOND
        deadline = time.monotonic() + within
        kwargs |= {"timeout": within, "stream": True, "allow_redirects": False}
        with super().send(request, **kwargs) as response:
            self._reply = _Reply(response, _read(response, self._server.max_bytes, deadline))
        return self._reply

    def answer(self) -> Answer:
        """What the engine said, warnings included."""
        if self._reply is None:
            raise Fault(FaultReason.FAILED, "prometheus-api-client asked nothing")
        return self._reply.opened()


class _Reply(requests.Response):
    """An answer that was read whole; what it holds is opened once, by the rules for all readers."""

    def __init__(self, response: requests.Response, body: bytes) -> None:
        super().__init__()
        self.status_code = response.status_code
        self.headers = response.headers
        self.raw = BytesIO(body)
        self._opened: Answer | None = None

    def opened(self) -> Answer:
        """Raises Fault where it is no answer, or one that says no."""
        if self._opened is None:
            content_type = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            self._opened = opened(self.status_code, content_type, self.content)
        return self._opened

    def json(self, **kwargs: Any) -> Any:
        """What the library unpacks."""
        return {"data": self.opened().data}


def _read(response: requests.Response, max_bytes: int, deadline: float) -> bytes:
    """Piece by piece as they come, so that a server that never ends is not waited for."""
    body = bytearray()
    while piece := response.raw.read1(_PIECE, decode_content=True):
        body += piece
        if len(body) > max_bytes:
            raise Fault(FaultReason.TOO_LARGE, f"more than {max_bytes} bytes")
        if time.monotonic() > deadline:
            raise Fault(FaultReason.TIMEOUT, "no whole answer in time")
    return bytes(body)


def _fault_of(error: Exception) -> Fault:
    """The fault that an exception of requests or of what lies beneath it stands for."""
    if isinstance(error, (requests.Timeout, ReadTimeoutError, TimeoutError)):
        return Fault(FaultReason.TIMEOUT, "no whole answer in time")
    if isinstance(error, DecodeError):
        return Fault(FaultReason.ENCODING, f"the answer cannot be unpacked: {str(error)[:200]}")
    if _refused(error):
        return PassingFault(FaultReason.REFUSED, "connection refused")
    detail = f"{type(error).__name__}: {str(error)[:200]}"
    if isinstance(error, (requests.exceptions.SSLError, requests.exceptions.InvalidURL)):
        return Fault(FaultReason.FAILED, detail)
    return PassingFault(FaultReason.FAILED, detail)


def _refused(error: BaseException | None) -> bool:
    """Whether nobody listens there: what a socket said lies at the bottom of a chain of exceptions."""
    while error is not None:
        if isinstance(error, OSError) and error.errno == errno.ECONNREFUSED:
            return True
        error = error.__cause__ or error.__context__
    return False
