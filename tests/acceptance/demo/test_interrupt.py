"""Ctrl-C in the middle of the demo leaves no process behind."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from support.parts import not_here

STARTED_WITHIN = 40
GONE_WITHIN = 20


def _marked(mark: str) -> set[int]:
    """Processes whose environment carries the mark."""
    found: set[int] = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environment = (entry / "environ").read_bytes()
                alive = (entry / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
            except OSError:
                continue
            if mark.encode() in environment and alive:
                found.add(int(entry.name))
    return found


def _wait(condition: Callable[[], bool], within: float) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


def test_ctrl_c_leaves_no_process_behind(tmp_path: Path) -> None:
    if not Path("/proc/self/environ").exists():
        not_here("a /proc file system, to see every process that the demo started")
    mark = f"DEMO_MARK={uuid.uuid4().hex}"
    name, _, value = mark.partition("=")
    demo = subprocess.Popen(
        [sys.executable, "-m", "figwatch_agent", "demo", "--fault", "none"],
        cwd=tmp_path,
        env={**os.environ, name: value},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert _wait(lambda: len(_marked(mark)) >= 8, STARTED_WITHIN), "the demo did not start its processes"
        demo.send_signal(signal.SIGINT)
        assert demo.wait(timeout=GONE_WITHIN) != 0
        assert _wait(lambda: not _marked(mark), GONE_WITHIN), f"still running: {_marked(mark)}"
    finally:
        for pid in _marked(mark):
            os.kill(pid, signal.SIGKILL)
