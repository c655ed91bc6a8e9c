"""``figwatch notify test``: whether a message reaches the people it is for."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from figwatch_agent import cli
from support.agent_site import write_files
from support.pager import ROUTING_KEY, RunningPager, running_pager

REFUSED = '- {name: nobody, webhook: {url: "http://127.0.0.1:1/hook"}}'


def receivers(pager: RunningPager) -> str:
    """A receiver of each kind."""
    return (
        f'\n  - {{name: oncall, pagerduty: {{routing_key: {{env: KEY}}, url: "{pager.pagerduty}"}}}}'
        f"\n  - {{name: ops, slack: {{webhook_url: {{env: SLACK}}}}}}"
        f'\n  - {{name: hook, webhook: {{url: "{pager.webhook}"}}}}'
    )


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The secrets that the receivers name."""
    monkeypatch.setenv("KEY", ROUTING_KEY)


async def run(*arguments: str) -> int:
    """The verb in a thread of its own, since it brings a loop along."""
    return await asyncio.to_thread(cli.main, ["notify", "test", *arguments])


async def test_every_receiver_gets_one_message_with_an_id_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running_pager() as pager:
        monkeypatch.setenv("SLACK", pager.slack)
        config = write_files(tmp_path, 1, receivers=receivers(pager))
        assert await run("--config", config) == 0
        assert await run("hook", "--config", config) == 0
        assert [len(pager.received(path)) for path in ("pagerduty", "slack", "webhook")] == [1, 1, 2]
    assert capsys.readouterr().out == "oncall: accepted\nops: accepted\nhook: accepted\nhook: accepted\n"


async def test_a_refusal_is_told_with_its_reason_and_ends_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_files(tmp_path, 1, receivers="\n  " + REFUSED)
    assert await run("--config", config) == 1
    assert "nobody: NOT accepted (connection_failed): No connection could be made" in capsys.readouterr().out


async def test_a_secret_that_is_missing_is_named_and_stops_nobody_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running_pager() as pager:
        config = write_files(tmp_path, 1, receivers=receivers(pager))  # SLACK is not set
        assert await run("--config", config, "--output", "json") == 1
    results = {one["receiver"]: one for one in json.loads(capsys.readouterr().out)["results"]}
    assert results["oncall"]["result"] == results["hook"]["result"] == "accepted"
    assert (results["ops"]["result"], results["ops"]["reason"]) == ("refused", "secret_unreadable")
    assert "SLACK" in results["ops"]["detail"]


async def test_a_dry_run_sends_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_files(tmp_path, 1, receivers="\n  " + REFUSED)
    assert await run("--dry-run", "--config", config) == 0
    assert capsys.readouterr().out == "Would send to nobody\n"


async def test_an_unknown_receiver_gets_the_nearest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_files(tmp_path, 1, receivers="\n  " + REFUSED)
    assert await run("nobdy", "--config", config) == 2
    assert "did you mean nobody?" in capsys.readouterr().err


async def test_without_receivers_it_says_that_nobody_would_be_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_files(tmp_path, 1)
    assert await run("--config", config) == 1
    assert "nobody is told" in capsys.readouterr().err
