"""A real browser, headless, that notes whatever it complains about."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]  # it ships no types
from playwright.async_api import Browser, ConsoleMessage, Page, Request, Response, async_playwright

from support.parts import ROOT, program

SCREENS: Final = ROOT / ".artefacts" / "screens"
"""Where pictures of pages are left for whoever looks at a run."""

WITHIN: Final = 20_000
"""Milliseconds for whatever is waited for."""

SIZES: Final = {"desk": (1440, 900), "phone": (360, 740), "wall": (1920, 1080)}

_IN_ROOT: Final = ("--no-sandbox", "--disable-dev-shm-usage")
"""A container's root has neither a sandbox nor much of /dev/shm."""


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """Chromium for as long as the block lasts."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program("chromium"), args=list(_IN_ROOT))
        try:
            yield browser
        finally:
            await browser.close()


@dataclass(slots=True, kw_only=True)
class Visit:
    """One tab, and everything that went wrong in it."""

    page: Page
    url: str
    troubles: list[str] = field(default_factory=list)
    leaving: bool = False  # streams that end because somebody goes elsewhere are no trouble

    async def see(self, path: str) -> None:
        """Go there."""
        with self.away():
            await self.page.goto(self.url + path, wait_until="load")

    @contextmanager
    def away(self) -> Iterator[None]:
        """The page is left on purpose: the stream that kept it current ends with it."""
        self.leaving = True
        try:
            yield
        finally:
            self.leaving = False

    async def live(self) -> None:
        """Wait until the page is kept current."""
        await self.page.wait_for_selector("#live.on", timeout=WITHIN)

    async def violations(self) -> list[str]:
        """What keeps somebody from reading or using the page, by axe's rules."""
        found: Any = (await Axe().run(self.page)).response
        return [
            f"{each['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
            for each in found["violations"]
            for node in each["nodes"]
        ]

    async def picture(self, name: str) -> Path:
        """A picture of the whole page."""
        SCREENS.mkdir(parents=True, exist_ok=True)
        path = SCREENS / f"{name}.png"
        await self.page.screenshot(path=path, full_page=True)
        return path

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.troubles.append(f"console {message.type}: {message.text}")

    def _failed(self, request: Request) -> None:
        if not (self.leaving and "/live?" in request.url):
            self.troubles.append(f"failed: {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.troubles.append(f"{response.status}: {response.url}")

    def listen(self) -> None:
        """From here on note what goes wrong."""
        self.page.on("console", lambda message: self._hear(message))
        self.page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        self.page.on("requestfailed", lambda request: self._failed(request))
        self.page.on("response", lambda response: self._answered(response))


@asynccontextmanager
async def visiting(
    browser: Browser,
    url: str,
    *,
    scheme: Literal["light", "dark"] = "light",
    size: str = "desk",
    script: bool = True,
) -> AsyncIterator[Visit]:
    """A tab of a browser that nobody used before, for the site at ``url``."""
    width, height = SIZES[size]
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        java_script_enabled=script,
        reduced_motion="reduce",
    )
    try:
        visit = Visit(page=await context.new_page(), url=url)
        visit.listen()
        yield visit
        visit.leaving = True
    finally:
        await context.close()
