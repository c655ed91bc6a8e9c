"""Take pictures of the status page from the demo in a fault.

    python tools/screens.py [--minutes 5] [--into FOLDER] [--docs]

Every page, light, dark, on a phone and on a wall, goes to .artefacts/screens; with ``--docs`` the three of the overview
that the documentation shows are written to docs/pictures as well. The stack of ``figwatch demo`` runs for some minutes
first, so that charts have something to show.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import struct
import sys
import tempfile
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal, NamedTuple

import aiohttp
import numpy as np

ROOT: Final = Path(__file__).resolve().parent.parent
for _part in ("instrumentation", "agent", "tests"):
    sys.path.insert(0, str(ROOT / _part))

from playwright.async_api import Browser  # noqa: E402

from figwatch_agent.demo import child, files, stack  # noqa: E402 (the roots come first)
from figwatch_agent.demo.box import Box  # noqa: E402
from figwatch_agent.demo.fault import Kind  # noqa: E402
from figwatch_agent.demo.watch import ready  # noqa: E402
from support.browser import SCREENS, browsing  # noqa: E402

ROUTE: Final = "/api/v1/chat"
RATE: Final = Fraction(20)
PICTURES: Final = ROOT / "docs" / "pictures"
MOST_BYTES: Final = 120_000
"""Of a picture in the documentation."""


class Look(NamedTuple):
    """How a page is looked at."""

    name: str
    width: int
    height: int
    scheme: Literal["light", "dark"]
    whole: bool = True  # the whole page, not what the screen shows of it


LOOKS: Final = (
    Look("light", 1440, 900, "light"),
    Look("dark", 1440, 900, "dark"),
    Look("phone", 360, 740, "light"),
    Look("wall", 1920, 1080, "dark", whole=False),
)

DOCS: Final = (
    Look("light", 1280, 1130, "light", whole=False),
    Look("dark", 1280, 1130, "dark", whole=False),
    Look("phone", 390, 1130, "light", whole=False),
)

HOLD: Final = "3m"
"""The incident stays open for the photographer; the demo's own hold is five seconds."""


async def take(browser: Browser, look: Look, url: str) -> bytes:
    """One picture."""
    page = await browser.new_page(
        viewport={"width": look.width, "height": look.height}, color_scheme=look.scheme, reduced_motion="reduce"
    )
    await page.goto(url)
    if await page.locator("body[data-live^='/']").count():
        await page.wait_for_selector("#live.on")
    picture = await page.screenshot(full_page=look.whole)
    await page.close()
    return picture


async def lighten(browser: Browser, picture: bytes) -> bytes:
    """A picture in 256 colours, which is what a page with two fonts and ten colours needs."""
    page = await browser.new_page()
    given = base64.b64encode(picture).decode()
    width, height, raw = await page.evaluate(_PIXELS, f"data:image/png;base64,{given}")
    await page.close()
    pixels = np.frombuffer(base64.b64decode(raw), dtype=np.uint8).reshape(height * width, 4)[:, :3].astype(np.int64)
    mixed = pixels[:, 0] << 16 | pixels[:, 1] << 8 | pixels[:, 2]
    codes, places, counts = np.unique(mixed, return_inverse=True, return_counts=True)
    colours = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1)
    palette = colours[np.argsort(-counts)[:256]]
    nearest = ((colours[:, None, :] - palette[None, :, :]) ** 2).sum(axis=2).argmin(axis=1)
    rows = np.zeros((height, width + 1), dtype=np.uint8)  # every row begins with its filter: none
    rows[:, 1:] = nearest[places].reshape(height, width)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = (
        (b"IHDR", header),
        (b"PLTE", palette.astype(np.uint8).tobytes()),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*each) for each in (*chunks, (b"IEND", b"")))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


_PIXELS: Final = """async address => {
  const picture = new Image();
  picture.src = address;
  await picture.decode();
  const canvas = document.createElement("canvas"), [width, height] = [picture.width, picture.height];
  Object.assign(canvas, { width, height });
  const drawing = canvas.getContext("2d");
  drawing.drawImage(picture, 0, 0);
  const data = drawing.getImageData(0, 0, width, height).data, size = 32768, parts = [];
  for (let at = 0; at < data.length; at += size) parts.push(String.fromCharCode(...data.subarray(at, at + size)));
  return [width, height, btoa(parts.join(""))];
}"""


def save(path: Path, picture: bytes, most: int = 10**9) -> None:
    """Write it and say so; SystemExit where it is too large."""
    path.write_bytes(picture)
    print(f"{path}  {len(picture) / 1000:.0f} kB", flush=True)
    if len(picture) > most:
        raise SystemExit(f"{path} is larger than {most / 1000:.0f} kB")


async def incident_of(client: aiohttp.ClientSession, url: str) -> str:
    """The id of the open incident, once figwatch has acted on it."""
    while True:
        async with client.get(f"{url}/api/v1/incidents") as answer:
            found = [one for one in (await answer.json())["incidents"] if one["open"] and one["rollback"]]
        if found:
            return str(found[0]["id"])
        await asyncio.sleep(0.1)


async def up(client: aiohttp.ClientSession, url: str) -> None:
    """Wait until the agent is ready."""
    for _ in range(300):
        if await ready(client, url):
            return
        await asyncio.sleep(0.1)
    raise SystemExit(f"the agent at {url} did not become ready")


async def shoot(url: str, incident: str, into: Path, docs: bool) -> None:
    """All pictures; those of the documentation first, while the incident is young."""
    pages = {
        "overview": "/",
        "incident": f"/incidents/{incident}",
        "route": f"/routes{ROUTE}",
        "incidents": "/incidents",
        "agent": "/agent",
        "runbook": "/runbooks/EarlyOutage",
        "sign-in": "/sign-in",
    }
    async with browsing() as browser:
        for look in DOCS if docs else ():
            path = PICTURES / f"status-{look.name}.png"
            save(path, await lighten(browser, await take(browser, look, url)), MOST_BYTES)
        for name, path_of_page in pages.items():
            for look in LOOKS:
                wall = "?wall" if look.name == "wall" else ""
                save(into / f"{name}-{look.name}.png", await take(browser, look, f"{url}{path_of_page}{wall}"))


async def run(minutes: float, into: Path, docs: bool) -> None:
    """The demo's stack, its agent, a fault, and the pictures."""
    folder = Path(tempfile.mkdtemp(prefix="figwatch-screens-"))
    async with Box(folder / "logs") as box, aiohttp.ClientSession() as client:
        set_up = await stack.start(box, ROUTE)
        port = child.free_port()
        written = files.write(folder, set_up.addresses(port), set_up.shares)
        text = written[0].read_text("utf-8")
        written[0].write_text(text.replace(f"hold: {files.HOLD_SECONDS}s", f"hold: {HOLD}"), "utf-8")
        await box.launch("figwatch_agent", "run", "--config", str(written[0]), name="agent", env=set_up.tokens)
        url = f"http://{child.LOOPBACK}:{port}"
        await up(client, url)
        await set_up.load(ROUTE, RATE, Fraction(round(minutes * 60) + 300))
        print(f"the demo runs at {url}; a fault follows in {minutes:g} min", flush=True)
        await asyncio.sleep(minutes * 60)
        await set_up.fault(client, set_up.services["chat"], Kind.ERRORS, "0.5", ROUTE)
        async with asyncio.timeout(60):
            incident = await incident_of(client, url)
        await shoot(url, incident, into, docs)


def main(arguments: list[str]) -> int:
    """Take them; 0 when all are taken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5.0, help="how long the demo runs before the fault")
    parser.add_argument("--into", type=Path, default=SCREENS, help="folder of the pictures")
    parser.add_argument("--docs", action="store_true", help="write those of the documentation as well")
    given = parser.parse_args(arguments)
    given.into.mkdir(parents=True, exist_ok=True)
    asyncio.run(run(given.minutes, given.into, given.docs))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
