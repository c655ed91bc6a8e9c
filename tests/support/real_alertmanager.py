"""The real Alertmanager on loopback, and a hook that keeps what it tells people."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp import web

from figwatch_agent.model.settings import Tls
from support.parts import ROOT, program
from support.real_prometheus import free_port

PART: Final = "prometheus-alertmanager"
WITHIN: Final = 30.0
"""Seconds; a busy machine starts it in one."""

Alert = dict[str, Any]

_SHARE: Final = b"/usr/share/prometheus/alertmanager"
"""Where Debian's build looks for the templates of its messages, whatever its options say."""


@dataclass(slots=True, kw_only=True)
class RealAlertmanager:
    """One process after the other, on the same port and folder."""

    folder: Path
    port: int
    options: Sequence[str] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None  # to ask it over, where it listens with a certificate
    _process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Until it is ready."""
        with (self.folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                str(_relocated(program(PART))),
                "--config.file=alertmanager.json",
                f"--storage.path={self.folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                *(self.options or ("--cluster.listen-address=",)),
                cwd=self.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "GOMAXPROCS": "1"},
            )
        await until(self._ready, f"{PART} did not come up: see {self.folder / 'log'}")

    async def kill(self) -> None:
        """SIGKILL: it writes nothing any more."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            await process.wait()

    async def stop(self) -> None:
        """In order: it writes what it knows."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            await asyncio.wait_for(process.wait(), WITHIN)

    async def settled(self) -> bool:
        """Whether it has found the other of a pair."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/api/v2/status") as answer:
            cluster = (await answer.json())["cluster"]
            return cluster["status"] == "ready" and len(cluster["peers"]) == 2

    async def alerts(self) -> list[Alert]:
        """Those that are not over."""
        async with (
            aiohttp.ClientSession(headers=self.headers) as session,
            session.get(f"{self.url}/api/v2/alerts", ssl=self.tls or True) as answer,
        ):
            found: list[Alert] = await answer.json()
            return found

    async def _ready(self) -> bool:
        async with aiohttp.ClientSession(headers=self.headers) as session:
            try:
                async with session.get(f"{self.url}/-/ready", ssl=self.tls or True) as answer:
                    return answer.status == 200
            except aiohttp.ClientError:
                return False


def _relocated(installed: Path) -> Path:
    """The program itself, looking for its templates in the folder it is started in.

    Unpacked and not installed, it would look for them where nothing is: the one path in it is overwritten by one of
    the same length.
    """
    if Path(_SHARE.decode()).is_dir():
        return installed
    made = ROOT / ".parts" / "relocated" / PART
    if not made.is_file() or made.stat().st_mtime < installed.stat().st_mtime:
        made.parent.mkdir(exist_ok=True)
        fresh = made.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(installed.read_bytes().replace(_SHARE, b"./" * (len(_SHARE) // 2)))
        fresh.chmod(0o755)
        fresh.replace(made)
    return made


def _basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"}


def _listening(own: Tls, known: Tls) -> dict[str, str]:
    return {
        "cert_file": own.certificate,
        "key_file": own.key,
        "client_ca_file": known.certificate,
        "client_auth_type": "RequireAndVerifyClientCert",
    }


def _asking(own: Tls, known: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=own.certificate)
    context.load_cert_chain(known.certificate, known.key)
    return context


def _furnish(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    share = program(PART).parents[1] / "share" / "prometheus" / "alertmanager"
    for template in share.glob("*.tmpl"):
        (folder / template.name).write_bytes(template.read_bytes())


@asynccontextmanager
async def alertmanager(
    folder: Path,
    *,
    hook: str = "",
    token: str = "",
    options: Sequence[str] = (),
    user: tuple[str, str, str] | None = None,
    certificates: tuple[Tls, Tls] | None = None,
    **route: str,
) -> AsyncIterator[RealAlertmanager]:
    """An Alertmanager that tells ``hook`` at once.

    ``user`` is a name, its password and that as bcrypt; ``certificates`` are its own, and the only one it answers to.
    """
    _furnish(folder)
    told: dict[str, Any] = {"url": hook, "send_resolved": True}
    if token:
        told["http_config"] = {"authorization": {"type": "Bearer", "credentials": token}}
    quick = {"group_wait": "0s", "group_interval": "300ms", "repeat_interval": "1h", **route}
    config = {
        "global": {"resolve_timeout": "1s"},
        "route": {"receiver": "people", "group_by": ["..."], **quick},
        "receivers": [{"name": "people", "webhook_configs": [told] if hook else []}],
    }
    (folder / "alertmanager.json").write_text(json.dumps(config), "utf-8")
    if user is not None or certificates is not None:
        guarded = {} if user is None else {"basic_auth_users": {user[0]: user[2]}}
        guarded |= {} if certificates is None else {"tls_server_config": _listening(*certificates)}
        (folder / "web.json").write_text(json.dumps(guarded), "utf-8")
        options = (*options, "--cluster.listen-address=", "--web.config.file=web.json")
    running = RealAlertmanager(
        folder=folder,
        port=free_port(),
        options=options,
        headers={} if user is None else _basic(user[0], user[1]),
        tls=None if certificates is None else _asking(*certificates),
    )
    try:
        await running.start()
        yield running
    finally:
        await running.kill()


@dataclass(slots=True)
class Hook:
    """What people would have been told: (status, labels) of each alert of each notification, in order."""

    url: str
    told: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def states(self) -> list[str]:
        return [status for status, _ in self.told]

    async def take(self, request: web.Request) -> web.Response:
        notification = await request.json()
        self.told += [(alert["status"], alert["labels"]) for alert in notification["alerts"]]
        return web.Response()


@asynccontextmanager
async def hook() -> AsyncIterator[Hook]:
    """A webhook on a free port of loopback."""
    app = web.Application()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    made = Hook("")
    app.router.add_post("/", made.take)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        yield made
    finally:
        await runner.cleanup()


async def until(condition: Callable[[], Any], otherwise: str, within: float = WITHIN) -> None:
    """Wait for a condition, which may be a coroutine; AssertionError where it does not come."""
    try:
        async with asyncio.timeout(within):
            while True:
                found = condition()
                if await found if asyncio.iscoroutine(found) else found:
                    return
                await asyncio.sleep(0.03)
    except TimeoutError:
        raise AssertionError(otherwise) from None
