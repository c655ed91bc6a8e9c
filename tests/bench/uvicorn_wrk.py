"""Throughput of uvicorn with FastAPI under wrk, with ours and without, in turns."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench import traffic
from bench.row import Row
from support.parts import ROOT, program, why_missing

LIMIT: Final = 1 / 0.92
"""Bare throughput / ours: at least 0.92 of it must be left."""
ROUNDS: Final = 9
SECONDS: Final = 2
CONNECTIONS: Final = 16
LIBRARIES: Final = ROOT / ".parts" / "root" / "usr" / "lib"
"""Where `tools/parts.py` unpacks libraries that wrk needs and the machine may lack."""


def rows() -> Iterator[Row]:
    """One row; without wrk a row that says so."""
    name = "uvicorn and FastAPI, requests a second: bare / ours"
    missing = why_missing("wrk")
    if missing is not None:
        yield Row(name=name, ratio=0.0, limit=LIMIT, fault=f"not here: {missing}")
        return
    wrk = str(program("wrk"))
    with serving("bare") as bare, serving("ours") as ours:
        found = [(throughput(wrk, bare), throughput(wrk, ours)) for _ in range(ROUNDS + 1)][1:]
    ratio = statistics.median(one / other for one, other in found)
    one, other = (statistics.median(each) for each in zip(*found, strict=True))
    yield Row(name=name, ratio=ratio, limit=LIMIT, note=f"{one:,.0f} / {other:,.0f} a second: {1 / ratio:.3f}")


@contextmanager
def serving(kind: str) -> Iterator[int]:
    """The port of a uvicorn with one worker."""
    command = [sys.executable, "-m", "bench.plain_fastapi", kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield int(server.stdout.readline() or "0")
        finally:
            server.terminate()


def throughput(wrk: str, port: int) -> float:
    """Requests a second over some seconds."""
    headers = [part for name, value in traffic.HEADERS for part in ("-H", f"{name}: {value}") if name != "host"]
    url = f"http://127.0.0.1:{port}{traffic.PATH}?{traffic.QUERY}"
    command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", *headers, url]
    environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(str(folder) for folder in LIBRARIES.glob("*-linux-gnu"))}
    told = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout
    found = re.search(r"Requests/sec:\s+([0-9.]+)", told)
    if found is None or "Non-2xx" in told:
        raise RuntimeError(f"wrk found no answers: {told.splitlines()[-1:]}")
    return float(found[1])
