"""Pages as HTML: whole, light, honest about what is not known, and plain text for whoever is no browser."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser
from typing import Final

import pytest

from figwatch_agent.engine import Engine
from figwatch_agent.files.runbooks import read_runbooks
from figwatch_agent.model.history import SPANS
from support.agent_site import VIEW, Client, Site, bearer, failing_world, serving
from support.many_slos import many_slos
from support.world import CHAT, World

BROWSER: Final = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
MOST_WEIGHT: Final = 100_000
"""Bytes of HTML, style sheet and script together, as sent."""

MOST_CPU: Final = 0.02
SLOWER: Final = 3
"""A machine that is shared with other suites has that much less to give."""


class Outline(HTMLParser):
    """Headings, ids and where the parts of a page are."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.refers: list[str] = []
        self.tables = self.captions = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        self.tables += tag == "table"
        self.captions += tag == "caption"
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("aria-labelledby", "aria-describedby", "for"):
                self.refers += (value or "").split()


async def page(client: Client, path: str, status: int = 200) -> str:
    """A page as a browser gets it."""
    answer = await client.get(path, headers={**BROWSER, **bearer(VIEW)})
    assert answer.status == status, await answer.text()
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    return await answer.text()


@pytest.fixture
async def site() -> Site:
    """An open incident."""
    site = Site(world=failing_world(), runbooks=read_runbooks("/nowhere/figwatch.yaml"))
    await site.commit()
    return site


def paths(site: Site) -> list[str]:
    """Every page."""
    incident = f"/incidents/{site.world.incident().id}"
    spans = [f"/routes{CHAT}?span={span}" for span in SPANS]
    return ["/", "/?wall", "/?query=x", "/incidents", incident, *spans, "/agent", "/runbooks/", "/runbooks/EarlyOutage"]


async def test_every_page_has_one_title_and_headings_in_order(site: Site) -> None:
    async with serving(site) as client:
        for path in paths(site):
            outline = Outline(await page(client, path))
            assert outline.headings.count(1) == 1, path
            steps = zip(outline.headings, outline.headings[1:], strict=False)
            assert all(later <= earlier + 1 for earlier, later in steps), f"{path}: {outline.headings}"


async def test_ids_are_unique_and_all_that_is_referred_to_is_there(site: Site) -> None:
    async with serving(site) as client:
        for path in paths(site):
            outline = Outline(await page(client, path))
            assert len(outline.ids) == len(set(outline.ids)), path
            assert set(outline.refers) <= set(outline.ids), path
            assert outline.tables == outline.captions, path


async def test_no_page_holds_an_inline_script_or_style(site: Site) -> None:
    async with serving(site) as client:
        for path in paths(site):
            text = await page(client, path)
            assert not re.search(r"<style|<script(?! src=)|\sstyle=|\son[a-z]+=|javascript:", text), path


async def test_the_title_and_the_icon_say_how_it_stands(site: Site) -> None:
    async with serving(site) as client:
        text = await page(client, "/")
        assert "<title>1 open · figwatch</title>" in text
        assert 'href="/icon/bad.svg"' in text
        for state in ("ok", "bad", "warn", "unknown"):
            icon = await client.get(f"/icon/{state}.svg")
            assert f'class="{state}"' in await icon.text()
        assert (await client.get("/icon/%22onload=x.svg")).status == 200


async def test_the_incident_names_every_condition_with_its_evidence(site: Site) -> None:
    incident = site.world.incident()
    assert incident.decision is not None
    async with serving(site) as client:
        text = await page(client, f"/incidents/{incident.id}")
    for word in ("Impact began", "Detected", "Paged", "Acknowledged", "Mitigated", "Resolved"):
        assert word in text
    assert text.count('class="conditions"') == 1
    conditions = text.partition('class="conditions"')[2].partition("</ul>")[0]
    assert conditions.count("<li") == len(incident.decision.conditions)
    assert "not yet" in text


async def test_what_was_never_measured_is_said_to_be_unknown() -> None:
    site = Site(world=World())
    site.world.tick()
    await site.commit()
    async with serving(site) as client:
        overview, route = await page(client, "/"), await page(client, f"/routes{CHAT}")
    assert "not wholly measured" in overview or "Nothing can be measured" in overview
    assert "NaN" not in overview + route
    assert "hatch" in route or "not measured" in route


async def test_before_the_first_tick_a_browser_asks_again_by_itself() -> None:
    async with serving(Site()) as client:
        answer = await client.get("/", headers=BROWSER)
        assert answer.status == 503
        assert answer.headers["Refresh"] == "1"
        assert "just started" in await answer.text()
        assert (await client.get("/agent", headers={**BROWSER, **bearer(VIEW)})).status == 200


@pytest.mark.parametrize("path", ["/incidents/inc-nonsense", "/routes/nonsense", "/runbooks/Nonsense", "/routes/"])
async def test_what_is_not_there_is_said_on_a_page(site: Site, path: str) -> None:
    async with serving(site) as client:
        assert "Back to the overview" in await page(client, path, 404)


async def test_who_is_no_browser_gets_plain_text(site: Site) -> None:
    async with serving(site) as client:
        for path in ("/runbooks/", "/runbooks/EarlyOutage", f"/incidents/{site.world.incident().id}"):
            answer = await client.get(path, headers={"Accept": "*/*"})
            assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_assets_are_kept_for_as_long_as_they_stay_as_they_are(site: Site) -> None:
    async with serving(site) as client:
        for asset in re.findall(r'(?:href|src)="(/static/[^"]+)"', await page(client, "/")):
            answer = await client.get(asset)
            assert "immutable" in answer.headers["Cache-Control"]
            old = await client.get(re.sub("/static/[^/]+/", "/static/old/", asset))
            assert "immutable" not in old.headers["Cache-Control"]
        assert (await client.get("/static/old/secrets.txt")).status == 404


@pytest.fixture(scope="module")
def thousand() -> Engine:
    """A thousand SLOs that have seen some days."""
    return many_slos()


class Many(World):
    """A world around an engine that is there already."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine = engine


@pytest.mark.slow
async def test_no_page_weighs_a_hundred_kilobytes_with_a_thousand_slos(thousand: Engine) -> None:
    site = Site(world=Many(thousand))
    site.latest.publish(thousand.view(0))
    async with serving(site) as client:
        assets = re.findall(r'(?:href|src)="(/static/[^"]+)"', await page(client, "/"))
        shared = sum([len(await (await client.get(asset)).read()) for asset in assets])
        busy = f"/routes{thousand.view(0).routes[0].route.replace('{', '%7B').replace('}', '%7D')}?span=30d"
        for path in ("/", "/?page=7", "/incidents", "/agent", busy):
            assert shared + len((await page(client, path)).encode()) < MOST_WEIGHT, path
        assert len(await (await client.get(assets[-1])).read()) < 3 * 1024


@pytest.mark.slow
async def test_a_forecast_is_said_only_of_days(site: Site, thousand: Engine) -> None:
    async with serving(site) as client:
        assert "A forecast needs some days of counts" in await page(client, "/")
    days = Site(world=Many(thousand))
    days.latest.publish(thousand.view(0))
    async with serving(days) as client:
        text = await page(client, "/")
    assert "Zero on 20" in text
    assert "zero on 20" in text


@pytest.mark.slow
async def test_the_overview_of_a_thousand_slos_is_made_in_twenty_milliseconds_of_cpu(thousand: Engine) -> None:
    site = Site(world=Many(thousand))
    spent: list[float] = []
    async with serving(site) as client:
        for _ in range(12):
            site.latest.publish(thousand.view(0))
            began = time.process_time()
            await page(client, "/")
            spent.append(time.process_time() - began)
    assert min(spent) < SLOWER * MOST_CPU
