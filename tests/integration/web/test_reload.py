"""The real agent tells what it runs on: its files, its state, why a source is down, and how its last reload went."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from support.agent_site import OPERATE, write_files

WITHIN = 40.0
"""Seconds for a process on a busy machine."""

Told = dict[str, Any]


class Running:
    """``figwatch run`` in a folder."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log

    def reload(self) -> None:
        """SIGHUP."""
        self._process.send_signal(signal.SIGHUP)

    async def told(self, until: Callable[[Told], bool]) -> Told:
        """What /api/v1/agent says as soon as it satisfies ``until``."""
        found: Told = {}
        async with aiohttp.ClientSession() as session:
            try:
                async with asyncio.timeout(WITHIN):
                    while not found or not until(found):
                        await asyncio.sleep(0.05)
                        found = await self._ask(session) or found
            except TimeoutError:
                pytest.fail(f"not told within {WITHIN} s: {found}\n{self._log.read_text('utf-8')}")
        return found

    async def _ask(self, session: aiohttp.ClientSession) -> Told | None:
        urls = re.findall(r"at (http://127\.0\.0\.1:\d+)", self._log.read_text("utf-8"))
        try:
            async with session.get(
                f"{urls[-1]}/api/v1/agent", headers={"Authorization": f"Bearer {OPERATE}"}
            ) as answer:
                told: Told = await answer.json()
                return told if answer.status == 200 else None
        except (IndexError, aiohttp.ClientError):
            return None


@asynccontextmanager
async def running(config: str, folder: Path) -> AsyncIterator[Running]:
    """An agent until the end of the block."""
    log = folder / "log"
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "figwatch_agent", "run", "--config", config, "--quiet", stderr=errors
        )
        try:
            yield Running(process, log)
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await asyncio.wait_for(process.wait(), WITHIN)


def _read(path: str) -> str:
    return Path(path).read_text("utf-8")


def _write(path: str, text: str) -> None:
    Path(path).write_text(text, "utf-8")


async def test_the_agent_says_what_it_runs_on_and_how_its_last_reload_went(tmp_path: Path) -> None:
    config = write_files(tmp_path, 0)
    right = _read(config)
    async with running(config, tmp_path) as agent:
        found = await agent.told(lambda told: bool(told["sources"]))
        assert found["reload"] is None
        assert found["store"]["path"] == str(tmp_path / "figwatch.db")
        assert found["store"]["bytes"] > 0
        assert found["store"]["schema"] > 0
        assert found["healthy"]["store"] is True
        assert {"name": "figwatch.yaml", "path": config, "sha256": sha256(right.encode()).hexdigest()} in found["files"]
        assert [file["name"] for file in found["files"]] == ["figwatch.yaml", "chat.yaml"]
        source = found["sources"][0]
        assert (source["target"], source["up"]) == ("http://127.0.0.1:1/metrics", False)
        assert "refused" in source["reason"].lower()

        _write(config, right + "nonsense: 1\n")
        agent.reload()
        failed = await agent.told(lambda told: told["reload"] is not None)
        assert failed["reload"]["ok"] is False
        assert "nonsense" in failed["reload"]["reason"]
        assert failed["files"] == found["files"]

        _write(config, right + "# as before\n")
        agent.reload()
        again = await agent.told(lambda told: told["reload"] is not None and told["reload"]["ok"])
        assert again["reload"]["reason"] is None
        assert again["files"] != found["files"]
