"""The reference migration without an end, on ports that stay: legacy, three services, gateway, pager and load.

    python migration.py run --secrets FOLDER [--host 0.0.0.0] [--port gateway=8080]
    python migration.py fault PART KIND [--ratio 0.5] --secrets FOLDER

`run` writes the secrets of this run into FOLDER, one file each, for the agent and for `fault`. The parts listen on
ports of loopback that change with every run; each is reached at a port of its own that stays.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import tempfile
import urllib.request
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from fractions import Fraction
from pathlib import Path
from typing import Final

from figwatch_agent.demo import stack as stacks
from figwatch_agent.demo import tokens
from figwatch_agent.demo.box import Box, Child
from figwatch_agent.demo.child import LOOPBACK
from figwatch_agent.demo.fault import PATH, Kind

PORTS: Final = {
    "gateway": 8080,
    "pager": 8090,
    "legacy": 8100,
    "chat": 8101,
    "model_gateway": 8102,
    "knowledge": 8103,
}
"""Where each part is reached; slo/ probes the services there."""
SECRETS: Final = {
    "gateway": tokens.GATEWAY,
    "pagerduty": tokens.PAGERDUTY,
    "agent": tokens.AGENT,
    "fault": tokens.FAULT,
}
"""Files of the folder of secrets, and the variables whose values they hold."""
ROUTE: Final = "/api/v1/chat"
SERVICE_RATE: Final = Fraction(20)
"""Requests a second on the service side of ROUTE."""
LOAD_SECONDS: Final = 1800
"""A load remembers every answer for its statistics; a new one begins with nothing."""
OVERLAP_SECONDS: Final = 5
"""The old load sends until the new one does; a gap would read as lost traffic."""
CHUNK: Final = 1 << 16
WATCH_SECONDS: Final = 0.5


def write_secrets(folder: Path, values: tokens.Tokens) -> None:
    """One file per secret, readable by this user alone; a reader sees the old value or the new one, never half."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, variable in SECRETS.items():
        new = folder / f".{name}"
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(values[variable])
        new.replace(folder / name)


def carrier(port: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """What carries a connection on to ``port`` of loopback, both ways, until either side ends."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pour(reader, inner_writer), _pour(inner_reader, writer))

    return carry


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


async def run(secrets: Path, host: str, ports: dict[str, int]) -> None:
    """Run until SIGTERM or SIGINT. Raises PartFailed where a part does not start, RuntimeError where one ends."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with AsyncExitStack() as until_end:
        logs = until_end.enter_context(tempfile.TemporaryDirectory(prefix="migration-"))
        box = await until_end.enter_async_context(Box(Path(logs)))
        stack = await stacks.start(box, ROUTE)
        write_secrets(secrets, stack.tokens)
        parts = {"gateway": stack.gateway, "pager": stack.pager, "legacy": stack.legacy, **stack.services}
        for name, part in parts.items():
            await asyncio.start_server(carrier(part.port), host, ports[name])
            print(f"{name}: http://{host}:{ports[name]}", flush=True)
        await _keep_sending(box, stack, tuple(parts.values()), stopped)


async def _keep_sending(box: Box, stack: stacks.Stack, parts: Sequence[Child], stopped: asyncio.Event) -> None:
    """Load after load, until told to stop."""
    loop = asyncio.get_running_loop()
    load = await stack.load(ROUTE, SERVICE_RATE, Fraction(LOAD_SECONDS))
    renew_at = loop.time() + LOAD_SECONDS - OVERLAP_SECONDS
    while not stopped.is_set():
        for part in (*parts, load):
            if not part.running:
                raise RuntimeError(f"{part.name} ended: {part.log_tail()}")
        if loop.time() >= renew_at:
            old, load = load, await stack.load(ROUTE, SERVICE_RATE, Fraction(LOAD_SECONDS))
            renew_at = loop.time() + LOAD_SECONDS - OVERLAP_SECONDS
            await box.stop(old)
        with suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), WATCH_SECONDS)


def fault(secrets: Path, part: str, kind: Kind, ratio: str, ports: dict[str, int]) -> str:
    """Order a part to fail, or with Kind.NONE to stop failing; its answer. Raises OSError where it gives none."""
    token = (secrets / "fault").read_text("utf-8")
    order = {"kind": kind, "ratio": ratio, "route": None}
    request = urllib.request.Request(
        f"http://{LOOPBACK}:{ports[part]}{PATH}",
        data=json.dumps(order).encode(),
        headers={"Content-Type": "application/json", **tokens.bearer(token)},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  as above
        said: bytes = answer.read()
    return said.decode()


def _port(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if name not in PORTS or not number.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r}: write NAME=PORT, with a name of {', '.join(PORTS)}")
    return name, int(number)


def main() -> None:
    """Read the arguments and do what they say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    running, failing = verbs.add_parser("run"), verbs.add_parser("fault")
    running.add_argument("--host", default=LOOPBACK, help="address to listen on")
    failing.add_argument("part", choices=["legacy", "chat", "model_gateway", "knowledge"])
    failing.add_argument("kind", choices=[kind.value for kind in Kind])
    failing.add_argument("--ratio", default="1", help="share of requests that it hits")
    for verb in (running, failing):
        verb.add_argument("--secrets", type=Path, required=True, help="folder of the secrets")
        verb.add_argument("--port", type=_port, action="append", default=[], help="where a part is reached: NAME=PORT")
    given = parser.parse_args()
    ports = {**PORTS, **dict(given.port)}
    if given.verb == "fault":
        print(fault(given.secrets, given.part, Kind(given.kind), given.ratio, ports))
    else:
        asyncio.run(run(given.secrets, given.host, ports))


if __name__ == "__main__":
    main()
