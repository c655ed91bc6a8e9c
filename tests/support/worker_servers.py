"""Real servers with many workers on one port, and a client that sends on time whatever becomes of its requests."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from figwatch import contract
from support.worker_apps import ROUTE

TESTS: Final = Path(__file__).resolve().parents[1]
WORKERS: Final = 3
PATIENCE: Final = 30.0

_GUNICORN: Final = ("-m", "gunicorn", "--workers", str(WORKERS), "--bind", "fd://{fd}", "--log-level", "error")
COMMANDS: Final[dict[str, Sequence[str]]] = {
    "gunicorn": (*_GUNICORN, "support.worker_apps:wsgi"),
    "gunicorn --preload": (*_GUNICORN, "--preload", "support.worker_apps:wsgi"),
    "gunicorn with threads": (*_GUNICORN, "--threads", "4", "support.worker_apps:wsgi"),
    "gunicorn asgi": (*_GUNICORN, "--worker-class", "asgi", "support.worker_apps:asgi"),
    "gunicorn --max-requests": (*_GUNICORN, "--max-requests", "40", "support.worker_apps:wsgi"),
    "uvicorn": (
        "-m", "uvicorn", "--workers", str(WORKERS), "--fd", "{fd}", "--log-level", "error", "support.worker_apps:asgi",
    ),
}  # fmt: skip


class Server:
    """A server while it runs."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port = port
        self.folder = folder
        self.answered: Counter[int] = Counter()  # answers by worker
        self.failed = 0  # requests that got no whole answer

    async def ask(self, path: str) -> str:
        """The body of an answer on a connection of its own; raises OSError where none comes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            raw = await reader.read()
            head, _, body = raw.partition(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200") or not body:
                raise ConnectionError(f"no answer: {raw[:100]!r}")
            return body.decode()
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def work(self) -> None:
        """One request, counted here."""
        try:
            async with asyncio.timeout(PATIENCE):
                self.answered[int(await self.ask(ROUTE))] += 1
        except (OSError, TimeoutError):
            self.failed += 1

    async def load(self, rate: float, seconds: float) -> None:
        """Requests at a fixed rate, whatever becomes of them."""
        began = time.monotonic()
        tasks: list[asyncio.Task[None]] = []
        while (passed := time.monotonic() - began) < seconds:
            while len(tasks) < passed * rate:
                tasks.append(asyncio.create_task(self.work()))
            await asyncio.sleep(0.005)
        await asyncio.gather(*tasks)

    async def counted(self) -> tuple[int, float]:
        """What one worker's metrics page says: requests, and how many of them stand in the infinite bucket."""
        page = await self.ask("/metrics")
        requests = infinite = 0.0
        for family in text_string_to_metric_families(page):
            if family.name == contract.REQUEST_DURATION:
                requests += sum(sample.value for sample in family.samples if sample.name.endswith("_count"))
                infinite += sum(sample.value for sample in family.samples if sample.labels.get("le") == "+Inf")
        return int(requests), infinite

    async def settled(self, at_least: int) -> list[int]:
        """What many scrapes say when nobody works any more; the last request may be counted after its answer."""
        async with asyncio.timeout(PATIENCE):
            while (await self.counted())[0] < at_least:
                pass
        answers = [await self.counted() for _ in range(4 * WORKERS)]
        assert all(requests == infinite for requests, infinite in answers)
        return [requests for requests, _ in answers]

    async def workers(self) -> set[int]:
        """Pids of workers that answer now, all there should be."""
        seen: set[int] = set()
        async with asyncio.timeout(PATIENCE):
            while len(seen) < WORKERS:
                await asyncio.gather(*(self.work() for _ in range(2 * WORKERS)))
                seen = {pid for pid in self.answered if _is_alive(pid)}
        return seen


@asynccontextmanager
async def serving(command: Sequence[str], folder: Path, **environment: str) -> AsyncIterator[Server]:
    """A server with its workers, which end with it."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *(part.format(fd=listener.fileno()) for part in command),
            env={**os.environ, "PYTHONPATH": str(TESTS), "PROMETHEUS_MULTIPROC_DIR": str(folder), **environment},
            cwd=TESTS,
            pass_fds=(listener.fileno(),),
            start_new_session=True,
        )
        try:
            yield Server(listener.getsockname()[1], folder)
        finally:
            await _ended(process)


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(10):
            await process.wait()
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)  # the session of its own that it was started in
        await process.wait()


def _is_alive(pid: int) -> bool:
    """Whether a process runs: neither gone, nor dead and not yet buried by its parent (Z), nor being buried (X)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
    except OSError:
        return False
    return "\nState:\tZ" not in status and "\nState:\tX" not in status
