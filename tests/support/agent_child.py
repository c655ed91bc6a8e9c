"""Runs the agent's own command line in forked processes, and ends them by SIGKILL at counted instants.

As a program it reads one order a line on stdin (JSON: id, argv, folder, env, log, points, kill, wall, full) and forks
for each; it prints ``{"id", "pid"}``, and ``{"id", "status"}`` when that process has ended. Forking from a process that
has everything imported starts an agent within a few milliseconds; nothing of the agent is changed, only what it calls:
``sqlite3.connect``, aiohttp's sessions and ``time.time_ns`` are wrapped before it is loaded. The file ``wall`` moves
its wall clock, the file ``full`` fills its disk.

Points are the two sides of every commit and of every HTTP call that changes something. ``kill`` names the point at
which the process dies, by its number counted from 0 or by its name; every point is written to the file ``points``
before. A name ends with the number of those alike that came before, since the loop and the workers take turns as they
like.
"""

from __future__ import annotations

import json
import os
import re
import select
import signal
import sqlite3
import sys
import threading
import time
import types
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

_real_time_ns = time.time_ns
_real_connect = sqlite3.connect

EMPTY_TICKS: Final = 2
"""Ticks that keep counts and nothing else are points only so often: the next one is like the one before."""

_WRITES: Final = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE)\s+(\w+)")
_COUNTS: Final = frozenset({"ring_row", "section", "ledger", "progress"})


class Killer:
    """Counts points over the life of this process."""

    def __init__(self) -> None:
        self._points: int | None = None  # file descriptor
        self._kill: int | str | None = None
        self._count = 0
        self._seen: Counter[str] = Counter()
        self._empty = 0
        self._lock = threading.Lock()

    def arm(self, points: str, kill: int | str | None) -> None:
        """Count from here, into the file ``points``."""
        self._points = os.open(points, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._kill = kill

    def point(self, label: str) -> None:
        """An instant at which everything may end."""
        if self._points is None:
            return
        with self._lock:
            if label.endswith("counts alone"):
                self._empty += 1
                if self._empty > 2 * EMPTY_TICKS:
                    return
            name = f"{label} #{self._seen[label]}"
            self._seen[label] += 1
            os.write(self._points, f"{name}\n".encode())
            if self._kill in (self._count, name):
                os.kill(os.getpid(), signal.SIGKILL)
                time.sleep(60)  # the signal is on its way; nothing may be done any more
            self._count += 1


KILLER: Final = Killer()


class Disk:
    """The disk under the state: full as long as a file exists, by the limit that SQLite has for it."""

    def __init__(self) -> None:
        self.file: Path | None = None

    @property
    def most_pages(self) -> int:
        """SQLite takes the present size for anything less."""
        return 1 if self.file is not None and self.file.exists() else 1 << 30


DISK: Final = Disk()


class MortalConnection(sqlite3.Connection):
    """Says before and after each COMMIT of a transaction that wrote what it wrote."""

    written: list[str] | None = None

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        if sql == "BEGIN IMMEDIATE":
            self.written = []
            if DISK.file is not None:
                super().execute(f"PRAGMA max_page_count = {DISK.most_pages}")
        if sql != "COMMIT" or self.written is None:
            self._note(sql, parameters)
            return super().execute(sql, parameters)
        label, self.written = _label(self.written), None
        KILLER.point(f"before commit of {label}")
        done = super().execute(sql, parameters)
        KILLER.point(f"after commit of {label}")
        return done

    def executemany(self, sql: str, parameters: Iterable[Any]) -> sqlite3.Cursor:
        rows = list(parameters)
        if rows:
            self._note(sql, ())
        return super().executemany(sql, rows)

    def _note(self, sql: str, parameters: Any) -> None:
        found = _WRITES.match(sql)
        if found is not None and self.written is not None:
            self.written.append(_name(sql, found[1], parameters))


def _name(sql: str, table: str, parameters: Any) -> str:
    if sql.lstrip().startswith("CREATE"):
        return "schema"
    if table == "step":
        entry = json.loads(parameters[1])
        return f"step {entry['step']} {entry['state']}"
    if table == "rollback" and sql.startswith("UPDATE"):
        return f"rollback {parameters[0]}"
    if table == "outbox" and sql.startswith("INSERT"):
        return f"page {json.loads(parameters[-1])['page']['kind']}"
    if table == "outbox":
        return "outbox sending" if "'sending'" in sql else "outbox end"
    return table


def _label(written: list[str]) -> str:
    told = sorted(set(written) - _COUNTS)
    if not told:
        return "counts alone"
    if "schema" in told:
        return "schema"
    if "progress" in written:
        # Results of workers are taken in by whatever tick comes next, so only what is new names it.
        pages = [name for name in told if name.startswith("page ")]
        return "tick: " + " + ".join(pages or ["notes" if "transition" in told else "results"])
    return " + ".join(told)


def _connect(*arguments: Any, **named: Any) -> sqlite3.Connection:
    connection: sqlite3.Connection = _real_connect(*arguments, factory=MortalConnection, **named)
    return connection


def _wrap_http() -> None:
    import aiohttp

    real = aiohttp.ClientSession.__init__

    def init(self: aiohttp.ClientSession, *arguments: Any, **named: Any) -> None:
        real(self, *arguments, trace_configs=[_trace()], **named)

    aiohttp.ClientSession.__init__ = init  # type: ignore[method-assign]  # wrapped from outside, as nothing inside may know


def _trace() -> Any:
    import aiohttp

    trace = aiohttp.TraceConfig()

    async def before(
        _: aiohttp.ClientSession, __: types.SimpleNamespace, call: aiohttp.TraceRequestStartParams
    ) -> None:
        if call.method != "GET":
            KILLER.point(f"before {call.method} {call.url.path}")

    async def after(_: aiohttp.ClientSession, __: types.SimpleNamespace, call: aiohttp.TraceRequestEndParams) -> None:
        if call.method != "GET":
            KILLER.point(f"after {call.method} {call.url.path}")

    trace.on_request_start.append(before)
    trace.on_request_end.append(after)
    return trace


class Wall:
    """The wall clock of this process: the real one, moved by as many milliseconds as a file says."""

    def __init__(self) -> None:
        self.file: Path | None = None

    def __call__(self) -> int:
        moved = 0
        if self.file is not None and self.file.exists():
            moved = int(self.file.read_text("ascii") or 0)
        return _real_time_ns() + moved * 1_000_000


WALL: Final = Wall()


def prepare() -> None:
    """Wrap what the agent calls, and load the agent."""
    time.time_ns = WALL
    sqlite3.connect = _connect  # type: ignore[assignment]  # the real one is overloaded
    _wrap_http()
    import figwatch_agent.cli
    import figwatch_agent.commands.replay
    import figwatch_agent.commands.run
    import figwatch_agent.files.load
    import figwatch_agent.wiring  # noqa: F401 (loaded once here, so that no fork has to)


def live(order: dict[str, Any]) -> int:
    """What a forked process does: the command line, and nothing else."""
    from figwatch_agent.cli import main

    output = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(order["folder"])
    os.environ.update(order["env"])
    if order["wall"]:
        WALL.file = Path(order["wall"])
    if order["full"]:
        DISK.file = Path(order["full"])
    if order["points"]:
        KILLER.arm(order["points"], order["kill"])
    return main(order["argv"])


class Nursery:
    """Forks and reports."""

    def __init__(self) -> None:
        self._running: dict[int, str] = {}

    def run(self) -> None:
        """Until stdin ends; then everything that still runs is killed."""
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(writing)
        waiting = b""
        while True:
            ready, _, _ = select.select([0, reading], [], [])
            if reading in ready:
                os.read(reading, 4096)
                self._reap()
            if 0 in ready:
                got = os.read(0, 1 << 16)
                if not got:
                    break
                *lines, waiting = (waiting + got).split(b"\n")
                for line in lines:
                    self._start(json.loads(line))
        for pid in self._running:
            os.kill(pid, signal.SIGKILL)

    def _start(self, order: dict[str, Any]) -> None:
        pid = os.fork()
        if pid == 0:
            self._be_born(order)
        self._running[pid] = order["id"]
        _say({"id": order["id"], "pid": pid})

    def _be_born(self, order: dict[str, Any]) -> None:
        code = 70
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            code = live(order)
        except BaseException:  # noqa: BLE001 (a fork must not go on as its parent)
            import traceback

            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _reap(self) -> None:
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            _say({"id": self._running.pop(pid), "status": os.waitstatus_to_exitcode(status)})


def _say(document: dict[str, object]) -> None:
    os.write(1, (json.dumps(document) + "\n").encode())


if __name__ == "__main__":
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # threads of numpy's would not survive the fork
    prepare()
    _say({"ready": True})
    Nursery().run()
