"""Ten thousand requests of somebody who wants to fill a time series database: few series, flat memory."""

import asyncio
import gc
import logging
import random
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote

import pytest

from figwatch import contract
from figwatch.telemetry import Telemetry
from support import stage
from support.families import FAMILIES, Family, instrumented
from support.library import call_asgi, call_wsgi, fresh_telemetry, staying

TOKEN = "s3cret"
TEN_THOUSAND = 10_000
WARM = 1_000
"""Requests after which a framework's own caches are as large as they will be."""
SERIES = 30

METHODS = [*contract.METHODS, "PROPFIND", "MKCOL", "LOCK", "UNLOCK", "SEARCH", "BIND", "LINK"]
SAYINGS = ["legacy", "service", "shadow", "unknown", "'; drop table", "LEGACY", "x" * 1_000]
Request = tuple[str, str, dict[str, str]]


def hostile(draw: random.Random) -> Request:
    """Path, method and headers that nobody has sent before."""
    segments = ("".join(draw.choices("abc123%.~'{}<>é ", k=draw.randint(1, 12))) for _ in range(draw.randint(1, 5)))
    path = "/x" + quote("/".join(segments))
    made_up = "".join(draw.choices("ABCXYZ", k=draw.randint(3, 9)))
    headers = {
        "Host": f"{draw.getrandbits(32):x}.example",
        "X-Migration-Status": draw.choice(SAYINGS),
        "traceparent": f"00-{draw.getrandbits(128):032x}-{draw.getrandbits(64):016x}-{draw.choice(['00', '01', 'zz'])}",
        "User-Agent": f"{draw.getrandbits(64):x}",
    }
    if draw.random() < 0.5:
        headers["X-Migration-Token"] = draw.choice(["guess", TOKEN[:-1], TOKEN + "s"])
    return path, draw.choice([*METHODS, made_up]), headers


Sender = Callable[[Request], Awaitable[None]]


@contextmanager
def sender(family: Family, app: Any) -> Iterator[Sender]:
    """Sends one request: in process, or to aiohttp's own server, on one connection for as long as it stands."""
    if family.kind == "aiohttp":
        with family.serve(app) as port:
            connection = Raw(port)
            yield connection.send
            connection.close()
        return

    async def send(request: Request) -> None:
        path, method, headers = request
        if family.kind == "wsgi":
            call_wsgi(app, path, method=method, headers=headers.items())
        else:
            await call_asgi(staying(app), path, method=method, headers=headers.items())

    yield send


class Raw:
    """One connection, opened anew whenever the server has had enough of it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    async def send(self, request: Request) -> None:
        path, method, headers = request
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=10)
        self._socket.sendall(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._socket.recv(65_536) or b"\r\n\r\n"
        await asyncio.to_thread(self._finish, method, answer)

    def _finish(self, method: str, answer: bytes) -> None:
        head, _, body = answer.partition(b"\r\n\r\n")
        length = next((int(x[15:]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:")), 0)
        assert self._socket is not None
        while len(body) < length and method != "HEAD" and (more := self._socket.recv(65_536)):
            body += more
        if b" 400 " in head[:20] or b"connection: close" in head.lower() or not head:
            self.close()

    def close(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
        self._socket = None


def series(telemetry: Telemetry) -> dict[str, int]:
    return {each.definition.name: len(each.readings()) for each in telemetry.cells.families()}


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """What is logged of each request would be kept for a report."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


class Grown:
    """Blocks of memory that are left of what happened, once the first requests have filled a framework's own caches."""

    blocks = 0

    def begin(self) -> None:
        gc.collect()
        self.blocks = -sys.getallocatedblocks()

    def end(self) -> None:
        gc.collect()
        self.blocks += sys.getallocatedblocks()


async def attack(family: Family, number: int, monkeypatch: pytest.MonkeyPatch, grown: Grown | None = None) -> None:
    telemetry = fresh_telemetry(stage.TIMER)
    monkeypatch.setattr("figwatch.telemetry._process", telemetry)
    app, draw = instrumented(family, trust_token=TOKEN), random.Random(4)
    before = series(telemetry)
    with sender(family, app) as send:
        for sent in range(number):
            if sent == WARM and grown is not None:
                grown.begin()
            await send(hostile(draw))
        if grown is not None:
            grown.end()
    after = series(telemetry)
    assert sum(after.values()) - sum(before.values()) <= SERIES, after
    assert after[contract.REQUEST_DURATION] > 5
    page = {reading.labels for each in telemetry.cells.families() for reading in each.readings()}
    assert {labels[4] for labels in page if len(labels) == len(contract.REQUEST_LABELS)} == {"service"}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
async def test_hostile_requests_add_few_series(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    await attack(family, 300, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
async def test_thousands_of_hostile_requests_add_few_series_and_no_memory(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten thousand where no framework and no server takes most of the time."""
    grown = Grown()
    number = TEN_THOUSAND if family.name == "asgi" else 3 * WARM
    await attack(family, number, monkeypatch, grown)
    assert grown.blocks < number - WARM, "less than one block of memory is left of each request"
