"""OTLP over HTTP with binary protobuf."""

import gzip
import ssl
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPMessage
from typing import IO, Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, Request, build_opener

from figwatch import contract
from figwatch.otlp_messages import rejected_of
from figwatch.otlp_settings import Destination
from figwatch.otlp_transport import BUSY, PARTIAL, REFUSED, UNREACHABLE, Delivery

_RETRYABLE: Final = frozenset({429, 502, 503, 504})
"""By the specification; every other answer but 2xx is final."""
_ANSWER: Final = 64 * 1024
"""Bytes of an answer that are read: it holds a number and a sentence."""


class HttpTransport:
    """Posts to one URL; proxies are taken from the environment."""

    def __init__(self, destination: Destination, wall_clock: Callable[[], float] = time.time) -> None:
        """`wall_clock` gives seconds since the epoch, for answers that name a date."""
        self._destination = destination
        self._wall_clock = wall_clock
        self._opener: OpenerDirector | None = None
        self._headers = {
            "User-Agent": f"figwatch/{contract.__version__}",
            **dict(destination.headers),
            "Content-Type": "application/x-protobuf",
        }
        if destination.gzip:
            self._headers["Content-Encoding"] = "gzip"

    def send(self, body: bytes, timeout: float) -> Delivery:
        """One POST."""
        data = gzip.compress(body) if self._destination.gzip else body
        request = Request(self._destination.url, data=data, headers=self._headers, method="POST")  # noqa: S310 - http(s) only, checked with the settings
        try:
            with self._opened().open(request, timeout=timeout) as answer:
                return self._taken(answer.read(_ANSWER))
        except HTTPError as error:
            with error:
                return self._refused(error.code, error.headers.get("Retry-After", ""))
        except (URLError, OSError, HTTPException) as error:
            return Delivery(UNREACHABLE, message=str(error))

    def close(self) -> None:
        """Every request has a connection of its own; nothing is kept."""

    def _taken(self, answer: bytes) -> Delivery:
        rejected, message = rejected_of(self._destination.signal, answer)
        return Delivery(PARTIAL, rejected, message=message) if rejected else Delivery()

    def _refused(self, status: int, retry_after: str) -> Delivery:
        if status not in _RETRYABLE:
            return Delivery(REFUSED, message=f"HTTP status {status}")
        return Delivery(BUSY, wait=self._wait(retry_after), message=f"HTTP status {status}")

    def _wait(self, text: str) -> float | None:
        """Retry-After: seconds, or a date."""
        if text.strip().isascii() and text.strip().isdigit():
            return float(text)
        try:
            return max(0.0, parsedate_to_datetime(text).timestamp() - self._wall_clock())
        except (ValueError, OverflowError):
            return None

    def _opened(self) -> OpenerDirector:
        if self._opener is None:
            self._opener = build_opener(_NoRedirect, HTTPSHandler(context=self._trust()))
        return self._opener

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._destination.certificate or None)
        if self._destination.client_certificate:
            context.load_cert_chain(self._destination.client_certificate, self._destination.client_key or None)
        return context


class _NoRedirect(HTTPRedirectHandler):
    """A redirected POST would arrive as a GET, without its body."""

    def redirect_request(
        self, _request: Request, _file: IO[bytes], _code: int, _message: str, _headers: HTTPMessage, _url: str
    ) -> Any:
        """Leave the answer what it is: refused."""
        return None
