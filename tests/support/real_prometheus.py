"""The real Prometheus and VictoriaMetrics on loopback, scraping what a test serves."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from support.parts import program

READY_WITHIN = 30.0
"""Seconds; a busy machine starts it in three."""


def free_port() -> int:
    """A port of loopback that nobody had a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@asynccontextmanager
async def prometheus(
    folder: Path,
    targets: Sequence[str],
    *,
    scrape: str = "200ms",
    port: int | None = None,
    rules: str | None = None,
    more: Sequence[str] = (),
) -> AsyncIterator[str]:
    """Its URL. ``targets`` are host:port; the folder keeps the data, so that it may be started again there.

    ``more`` are further options of its command line.
    """
    port = port or free_port()
    config = {
        "global": {"scrape_interval": scrape, "scrape_timeout": scrape, "evaluation_interval": scrape},
        "scrape_configs": [{"job_name": "chat", "static_configs": [{"targets": list(targets)}]}],
        "rule_files": [rules] if rules else [],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config), "utf-8")
    options = [
        "--config.file=prometheus.yml",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-lifecycle",
        "--log.level=error",
        *more,
    ]
    async with _running("prometheus", options, folder, f"http://127.0.0.1:{port}", "/-/ready") as url:
        yield url


@asynccontextmanager
async def victoria_metrics(
    folder: Path, targets: Sequence[str], *, scrape: str = "200ms", port: int | None = None
) -> AsyncIterator[str]:
    """The URL of a VictoriaMetrics that scrapes by itself."""
    port = port or free_port()
    config = {
        "global": {"scrape_interval": scrape, "scrape_timeout": scrape},
        "scrape_configs": [{"job_name": "chat", "static_configs": [{"targets": list(targets)}]}],
    }
    (folder / "scrape.yml").write_text(json.dumps(config), "utf-8")
    options = [
        "-promscrape.config=scrape.yml",
        f"-storageDataPath={folder / 'data'}",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-loggerLevel=ERROR",
    ]
    async with _running("victoria-metrics", options, folder, f"http://127.0.0.1:{port}", "/health") as url:
        yield url


@asynccontextmanager
async def _running(part: str, options: Sequence[str], folder: Path, url: str, ready: str) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        str(program(part)), *options, cwd=folder, stdin=asyncio.subprocess.DEVNULL
    )
    try:
        await _ready(url + ready)
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), READY_WITHIN)


async def _ready(url: str) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(READY_WITHIN):
        while True:
            try:
                async with session.get(url) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)
