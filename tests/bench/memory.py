"""Memory that a service carries: a FastAPI application bare, with ours, and with a full queue of spans."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench import traffic
from bench.row import Row

BARE_LIMIT: Final = 3.0
"""Megabytes above the bare application."""
FULL_LIMIT: Final = 8.0
"""Megabytes above it with a full queue of spans."""
RUNS: Final = 5
MEGABYTE: Final = 1024 * 1024
REQUESTS: Final = 3_000
"""More than the queue holds."""


def rows() -> Iterator[Row]:
    """Two rows, each the median of a few processes."""
    bare = _megabytes("bare")
    for name, kind, limit in (
        ("memory above bare, in megabytes", "ours", BARE_LIMIT),
        ("memory above bare with a full queue, in megabytes", "full", FULL_LIMIT),
    ):
        more = _megabytes(kind) - bare
        yield Row(name=name, ratio=more, limit=limit, note=f"{bare:.1f} MB bare")


def _megabytes(kind: str) -> float:
    return statistics.median(_once(kind) for _ in range(RUNS))


def _once(kind: str) -> float:
    done = subprocess.run(
        [sys.executable, "-m", "bench.memory", kind], capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode != 0:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1])
    return float(done.stdout)


def resident() -> int:
    """Bytes of this process that are in memory."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("/proc/self/status tells no VmRSS: memory is measured on Linux only")


def main(kind: str) -> None:
    """Serve some requests and say how much memory that took."""
    # What a service loads anyway, and so does the bare one.
    import uvicorn

    from bench.asgi_messages import receive, send
    from bench.plain_fastapi import application

    uvicorn.Config(application()).load()
    app = application()
    if kind != "bare":
        import figwatch

        figwatch.instrument(app, "chat")
        if kind == "full":
            from figwatch.span_queue import SpanQueue
            from figwatch.telemetry import process

            telemetry = process()
            telemetry.span_sink = SpanQueue(telemetry.health.span_dropped).put

    async def serve() -> None:
        for _ in range(REQUESTS):
            await app(traffic.scope(), receive, send)

    asyncio.run(serve())
    print(resident() / MEGABYTE)


if __name__ == "__main__":
    main(sys.argv[1])
