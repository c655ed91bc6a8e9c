"""Pages of a real agent in a real browser: they load, keep current, can be acted on, and serve everybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import pytest
from playwright.async_api import Browser, Page

from figwatch_agent.model.command import Command, CommandKind
from figwatch_agent.model.incident import Incident
from support.browser import WITHIN, visiting
from support.scene import Scene

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.needs("chromium")]

TOKEN = "correct-horse-battery"


async def broken(scene: Scene) -> Incident:
    """A service side that fails, with legacy unfit to help, so that the incident stays."""
    scene.gateway.service_bad = 0.5
    await scene.decided("legacy_unfit")
    return scene.incident()


def pages(incident: Incident) -> Mapping[str, str]:
    """Every page there is, by name."""
    return {
        "overview": "/",
        "overview-wall": "/?wall",
        "route": "/routes/api/v1/chat",
        "incidents": "/incidents",
        "incident": f"/incidents/{incident.id}",
        "agent": "/agent",
        "runbooks": "/runbooks/",
        "runbook": "/runbooks/EarlyOutage",
        "sign-in": "/sign-in",
    }


async def begin(scene: Scene) -> str:
    """An agent whose team may act; its address."""
    scene.home.token = TOKEN
    scene.gateway.legacy_status = 503
    agent = await scene.begin()
    return agent.url


async def sign_in(page: Page, url: str, onward: str) -> None:
    """As a person does."""
    await page.goto(f"{url}/sign-in?next={onward}")
    await page.get_by_label("Token").fill(TOKEN)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(f"{url}{onward}")


@pytest.mark.parametrize(
    ("scheme", "size"),
    [
        ("light", "desk"),
        pytest.param("dark", "desk", marks=pytest.mark.slow),
        pytest.param("light", "phone", marks=pytest.mark.slow),
    ],
)
async def test_every_page_loads_without_a_complaint_and_can_be_read_by_everybody(
    scene: Scene, browser: Browser, scheme: Literal["light", "dark"], size: str
) -> None:
    url = await begin(scene)
    incident = await broken(scene)
    async with visiting(browser, url, scheme=scheme, size=size) as visit:
        for name, path in pages(incident).items():
            await visit.see(path)
            if await visit.page.locator("body[data-live]:not([data-live=''])").count():
                await visit.live()
            assert await visit.violations() == [], name
            wide = await visit.page.evaluate("document.documentElement.scrollWidth > innerWidth")
            assert not wide, f"{name} is wider than the screen"
            await visit.picture(f"{name}-{scheme if size == 'desk' else size}")
        assert visit.troubles == []


async def test_the_overview_shows_an_incident_without_being_loaded_again(scene: Scene, browser: Browser) -> None:
    url = await begin(scene)
    async with visiting(browser, url) as visit:
        await visit.see("/")
        await visit.live()
        await visit.page.evaluate("window.stillTheSame = true")
        assert "No incident is open" in await visit.page.inner_text("main")
        await broken(scene)
        await visit.page.get_by_role("heading", level=1).filter(has_text="requests fail").wait_for(timeout=WITHIN)
        await visit.page.wait_for_function("document.title.startsWith('1 open')", timeout=WITHIN)
        assert "requests fail" in await visit.page.inner_text("#announce")
        assert await visit.page.get_attribute("#icon", "href") == "/icon/bad.svg"
        assert await visit.page.evaluate("window.stillTheSame")
        assert visit.troubles == []


async def test_somebody_signs_in_acknowledges_and_sees_it(scene: Scene, browser: Browser) -> None:
    url = await begin(scene)
    incident = await broken(scene)
    async with visiting(browser, url) as visit:
        await sign_in(visit.page, url, f"/incidents/{incident.id}")
        with visit.away():
            await visit.page.get_by_role("link", name="Acknowledge").click()
        await visit.page.get_by_label("Who you are").fill("Robin")
        await visit.page.get_by_role("button", name="Acknowledge").click()
        await visit.page.get_by_text("Acknowledged: taken").wait_for(timeout=WITHIN)
        await visit.page.locator("#part-headline").get_by_text("is on it").wait_for(timeout=WITHIN)
        assert await visit.page.get_by_role("link", name="Acknowledge").count() == 0
        assert visit.troubles == []
    assert scene.incident().acknowledged_at is not None


async def test_every_page_is_whole_without_a_script(scene: Scene, browser: Browser) -> None:
    url = await begin(scene)
    incident = await broken(scene)
    async with visiting(browser, url, script=False) as visit:
        for name, path in pages(incident).items():
            await visit.see(path)
            assert await visit.page.get_by_role("heading", level=1).count() == 1, name
            assert len(await visit.page.inner_text("main")) > 100, name
        await visit.see("/")
        await visit.page.get_by_role("link", name="/api/v1/chat").first.click()
        await visit.page.wait_for_url("**/incidents/*")
        await visit.page.locator(".meta a[href^='/routes/']").click()
        await visit.page.wait_for_url("**/routes/**")
        await visit.page.get_by_role("link", name="6h", exact=True).click()
        await visit.page.wait_for_url("**?span=6h")
        assert visit.troubles == []


async def test_the_keyboard_reaches_everything_that_can_be_used(scene: Scene, browser: Browser) -> None:
    url = await begin(scene)
    incident = await broken(scene)
    async with visiting(browser, url) as visit:
        await visit.page.route("**/live?*", lambda route: route.abort())  # nothing is exchanged while it is counted
        for path in ("/", "/routes/api/v1/chat", f"/incidents/{incident.id}"):
            await visit.see(path)
            usable = await visit.page.locator("a[href], button, input:not([type=hidden]), select, summary").count()
            reached: set[str] = set()
            for _ in range(usable + 20):
                await visit.page.keyboard.press("Tab")
                where: dict[str, Any] = await visit.page.evaluate(_FOCUSED)
                assert where["seen"] or where["tag"] in ("BODY", "HTML"), f"{where} has focus, and does not look so"
                if where["tag"] in ("A", "BUTTON", "INPUT", "SELECT", "SUMMARY"):
                    reached.add(where["place"])
            assert len(reached) == usable, path
        await visit.see("/")
        await visit.page.keyboard.press("Tab")
        await visit.page.keyboard.press("Enter")
        assert await visit.page.evaluate("document.activeElement.id") == "main"


async def test_what_somebody_opened_stays_open_while_the_page_changes(scene: Scene, browser: Browser) -> None:
    url = await begin(scene)
    incident = await broken(scene)
    async with visiting(browser, url) as visit:
        await visit.see(f"/incidents/{incident.id}")
        await visit.live()
        summary = visit.page.locator("#happenings > summary")
        await summary.click()
        before = await visit.page.get_attribute("#part-happenings", "data-digest")
        with scene.home.inbox() as inbox:
            inbox.put(_acknowledged(incident))
        await visit.page.wait_for_function(
            "before => document.getElementById('part-happenings').dataset.digest !== before", arg=before, timeout=WITHIN
        )
        assert await visit.page.get_attribute("#happenings", "open") is not None
        assert await summary.evaluate("summary => summary === document.activeElement")


async def test_a_page_says_that_it_is_not_live_and_goes_on_when_the_agent_is_back(
    scene: Scene, browser: Browser
) -> None:
    url = await begin(scene)
    scene.home.port = int(url.rpartition(":")[2])
    async with visiting(browser, url) as visit:
        await visit.see("/")
        await visit.live()
        await scene.end()
        await visit.page.get_by_text("Not live since").wait_for(timeout=WITHIN)
        scene.home.write()
        await scene.begin()
        await visit.live()
        await broken(scene)
        await visit.page.get_by_role("heading", level=1).filter(has_text="requests fail").wait_for(timeout=WITHIN)


_FOCUSED = """() => {
  const one = document.activeElement, all = [...document.querySelectorAll("*")];
  const seen = getComputedStyle(one).outlineStyle !== "none" || one.id === "main";
  return { tag: one.tagName, place: String(all.indexOf(one)), seen };
}"""


def _acknowledged(incident: Incident) -> Command:
    return Command(id="ack-1", at=0, kind=CommandKind.ACKNOWLEDGE, subject=incident.id, actor="test", origin="test")
