"""Take pictures of the status page from the demo in a fault.

    python tools/screens.py [--minutes 5] [--into FOLDER] [--docs]

Every page, light, dark, on a phone and on a wall, goes to .artefacts/screens; with ``--docs`` the three of the overview
that the documentation shows are written to docs/pictures as well. The stack of ``figwatch demo`` runs for some minutes
first, so that charts have something to show.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal, NamedTuple

import aiohttp

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
    Look("light", 1280, 800, "light", whole=False),
    Look("dark", 1280, 800, "dark", whole=False),
    Look("phone", 390, 780, "light", whole=False),
)


async def take(browser: Browser, look: Look, url: str, path: Path) -> None:
    """One picture."""
    page = await browser.new_page(
        viewport={"width": look.width, "height": look.height}, color_scheme=look.scheme, reduced_motion="reduce"
    )
    await page.goto(url)
    if await page.locator("body[data-live^='/']").count():
        await page.wait_for_selector("#live.on")
    await page.screenshot(path=path, full_page=look.whole)
    await page.close()


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
            await take(browser, look, url, path)
            size = path.stat().st_size
            print(f"{path.relative_to(ROOT)}  {size / 1000:.0f} kB{'  TOO LARGE' if size > MOST_BYTES else ''}")
        for name, path_of_page in pages.items():
            for look in LOOKS:
                wall = "?wall" if look.name == "wall" else ""
                await take(browser, look, f"{url}{path_of_page}{wall}", into / f"{name}-{look.name}.png")


async def run(minutes: float, into: Path, docs: bool) -> None:
    """The demo's stack, its agent, a fault, and the pictures."""
    folder = Path(tempfile.mkdtemp(prefix="figwatch-screens-"))
    async with Box(folder / "logs") as box, aiohttp.ClientSession() as client:
        set_up = await stack.start(box, ROUTE)
        port = child.free_port()
        written = files.write(folder, set_up.addresses(port), set_up.shares)
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
