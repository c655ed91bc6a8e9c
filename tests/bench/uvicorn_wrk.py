"""Throughput of uvicorn with FastAPI under wrk, with ours and without, in turns."""

from __future__ import annotations

import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench import traffic
from bench.row import Row

LIMIT: Final = 1 / 0.92
"""Bare throughput / ours: at least 0.92 of it must be left."""
ROUNDS: Final = 9
SECONDS: Final = 2
CONNECTIONS: Final = 16
STARTING: Final = 30.0
"""Seconds that a server may take to answer."""


def rows() -> Iterator[Row]:
    """One row; without wrk a row that says so."""
    name = "uvicorn and FastAPI, requests a second: bare / ours"
    wrk = shutil.which("wrk")
    if wrk is None:
        yield Row(name=name, ratio=0.0, limit=LIMIT, fault="wrk is not installed")
        return
    with serving("app") as bare, serving("watched") as ours:
        found = [(throughput(wrk, bare), throughput(wrk, ours)) for _ in range(ROUNDS + 1)][1:]
    ratio = statistics.median(one / other for one, other in found)
    one, other = (statistics.median(each) for each in zip(*found, strict=True))
    yield Row(name=name, ratio=ratio, limit=LIMIT, note=f"{one:,.0f} / {other:,.0f} a second: {1 / ratio:.3f}")


@contextmanager
def serving(name: str) -> Iterator[int]:
    """The port of a uvicorn with one worker."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        command = [sys.executable, "-m", "uvicorn", f"bench.plain_fastapi:{name}", "--fd", str(listener.fileno())]
        with subprocess.Popen(
            [*command, "--no-access-log", "--log-level", "error"], pass_fds=[listener.fileno()]
        ) as server:
            try:
                port: int = listener.getsockname()[1]
                await_answer(port)
                yield port
            finally:
                server.terminate()


def await_answer(port: int) -> None:
    """Wait until a server answers; raises RuntimeError if it does not."""
    until = time.monotonic() + STARTING
    while time.monotonic() < until:
        with socket.create_connection(("127.0.0.1", port), timeout=STARTING) as client:
            client.sendall(traffic.raw())
            if client.recv(1):
                return
    raise RuntimeError("uvicorn did not start")


def throughput(wrk: str, port: int) -> float:
    """Requests a second over some seconds."""
    headers = [part for name, value in traffic.HEADERS for part in ("-H", f"{name}: {value}") if name != "host"]
    url = f"http://127.0.0.1:{port}{traffic.PATH}?{traffic.QUERY}"
    command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", *headers, url]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    found = re.search(r"Requests/sec:\s+([0-9.]+)", told)
    if found is None or "Non-2xx" in told:
        raise RuntimeError(f"wrk found no answers: {told.splitlines()[-1:]}")
    return float(found[1])
