"""The generated inhibition rules in a real Alertmanager, and what the docs tell people to write."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.alertmanager_taking import generated
from support.folders import quick_folder
from support.parts import ROOT, program
from support.real_alertmanager import hook, until

FENCE = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)
PROMISE = {"service": "chat", "slo": "chat-availability", "route": "/api/v1/chat"}


@pytest.fixture(name="folder")
def _folder() -> Iterator[Path]:
    with quick_folder() as folder:
        yield folder


@pytest.mark.needs("prometheus-alertmanager")
async def test_a_ticket_is_held_back_while_the_same_promise_pages_and_no_other_is(folder: Path) -> None:
    others = PROMISE | {"slo": "chat-latency"}
    async with hook() as people, generated(folder / "am", people.url) as prometheus:
        await prometheus.fires("ErrorBudgetBurnFast", severity="page", **PROMISE)
        await until(lambda: len(people.told) == 1, "the page was not told")
        await prometheus.fires("ErrorBudgetBurnSlow", severity="ticket", **PROMISE)
        await prometheus.fires("LatencyBurnSlow", severity="ticket", **others)
        await until(lambda: len(people.told) >= 2, "the other ticket was not told")
        held = {
            alert["labels"]["alertname"]: bool(alert["status"]["inhibitedBy"])
            for alert in await prometheus.server.alerts()
        }
        told = {labels["alertname"] for _, labels in people.told}
        assert held == {"ErrorBudgetBurnFast": False, "ErrorBudgetBurnSlow": True, "LatencyBurnSlow": False}
        assert told == {"ErrorBudgetBurnFast", "LatencyBurnSlow"}
        # It was held back and not lost: once nobody is paged any more it is told.
        await prometheus.resolves("ErrorBudgetBurnFast", severity="page", **PROMISE)
        await until(
            lambda: ("firing", "ErrorBudgetBurnSlow") in [(state, one["alertname"]) for state, one in people.told],
            "the ticket was not told after the page",
        )


@pytest.mark.needs("amtool")
def test_amtool_takes_every_configuration_of_alertmanager_in_the_docs(folder: Path) -> None:
    pages = [page.read_text("utf-8") for page in (ROOT / "docs").glob("*.md")]
    snippets = [text for page in pages for text in FENCE.findall(page) if "_configs:" in text and "receivers:" in text]
    assert any("/api/v1/alertmanager" in text for text in snippets)
    for text in snippets:
        (folder / "alertmanager.yml").write_text(text, "utf-8")
        done = subprocess.run(
            [program("amtool"), "check-config", "alertmanager.yml"],
            cwd=folder, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr + text
