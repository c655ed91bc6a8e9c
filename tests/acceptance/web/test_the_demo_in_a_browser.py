"""The demo's whole story, as somebody sees it who has the overview open and does nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from figwatch_agent.demo.fault import Kind
from support.browser import WITHIN, browsing, visiting
from support.running_demo import ROUTE, running_demo

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium")]


@pytest.mark.timeout(240)
async def test_the_overview_follows_the_story_without_being_loaded_again(tmp_path: Path) -> None:
    async with running_demo(tmp_path) as demo, browsing() as browser, visiting(browser, demo.url) as visit:
        await visit.see("/")
        await visit.live()
        await visit.page.evaluate("window.stillTheSame = true")
        assert "No incident is open" in await visit.page.inner_text("main")
        await demo.fault(Kind.ERRORS)
        await (
            visit.page.get_by_role("heading", level=1)
            .filter(has_text=f"{ROUTE}: requests fail")
            .wait_for(timeout=WITHIN)
        )
        await visit.page.get_by_text("figwatch sent the route back to legacy").first.wait_for(timeout=WITHIN)
        await visit.picture("demo-broken")
        await demo.incident(lambda one: one["resolved_at"] is not None)
        await visit.page.get_by_text("No incident is open").first.wait_for(timeout=WITHIN)
        await visit.picture("demo-over")
        assert await visit.page.evaluate("window.stillTheSame")
        assert visit.troubles == []
