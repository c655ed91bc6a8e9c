"""The box leaves no process behind, however it ends."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from figwatch_agent.demo import box as box_module
from figwatch_agent.demo.box import Box, PartFailed

PARENT = """
import asyncio, json, sys
from pathlib import Path
from figwatch_agent.demo.box import Box

async def main():
    async with Box(Path(sys.argv[1])) as box:
        pager = await box.start("pager")
        idle = await box.launch("http.server", "--bind", "127.0.0.1", "0", name="idle")
        print(json.dumps([pager.pid, idle.pid]), flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(600)
"""


def gone(pid: int) -> bool:
    """Whether no such process runs; one that waits for its parent to notice (a zombie) runs no more."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return not Path("/proc").exists() or not Path(f"/proc/{pid}").exists()


async def becomes_true(condition: Callable[[], bool], within: float = 10.0) -> bool:
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.05)
    return True


def end_what_is_left(pids: list[int]) -> None:
    for pid in pids:
        if not gone(pid):
            os.kill(pid, signal.SIGKILL)


async def parent_with_two_children(folder: Path) -> tuple[asyncio.subprocess.Process, list[int]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PARENT,
        str(folder),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": box_module._import_path()},
    )
    assert process.stdout is not None
    return process, json.loads(await process.stdout.readline())


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
async def test_children_end_with_their_parent_however_it_ends(tmp_path: Path, ending: signal.Signals) -> None:
    parent, children = await parent_with_two_children(tmp_path)
    try:
        assert not any(gone(pid) for pid in children)
        parent.send_signal(ending)
        await parent.wait()
        assert await becomes_true(lambda: all(gone(pid) for pid in children))
    finally:
        end_what_is_left(children)


async def test_leaving_the_box_stops_what_it_started(tmp_path: Path) -> None:
    async with Box(tmp_path) as box:
        pager = await box.start("pager")
        assert not gone(pager.pid)
        assert pager.port > 0
    assert gone(pager.pid)


async def test_a_child_that_ignores_the_polite_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    async with Box(tmp_path, stop_within=200) as box:
        child = await box.launch("stubborn", name="stubborn")
        assert await becomes_true(lambda: "deaf" in child.log_tail())
        await box.stop(child)
    assert child.process.returncode == -signal.SIGKILL


async def test_a_part_that_does_not_start_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    async with Box(tmp_path) as box:
        with pytest.raises(PartFailed, match=r"(?s)nosuchpart ended.*No module named"):
            await box.start("nosuchpart")


async def test_what_a_child_prints_later_goes_to_its_log(tmp_path: Path) -> None:
    async with Box(tmp_path) as box:
        child = await box.launch("this", name="zen")
        await child.process.wait()
    assert "Beautiful is better than ugly" in child.log_tail()
