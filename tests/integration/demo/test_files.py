"""The files written for the demo are what a user could write: YAML, real addresses, every route covered, no secret."""

from pathlib import Path

import pytest
import yaml

from figwatch_agent.demo import files, routes, tokens
from figwatch_agent.files.load import load

ADDRESSES = files.Addresses(
    gateway="http://127.0.0.1:1",
    legacy="http://127.0.0.1:2",
    services={name: f"http://127.0.0.1:{port}" for port, name in enumerate(routes.SERVICES, 3)},
    pager="http://127.0.0.1:9",
    agent_port=10,
)
SHARES = routes.shares("/api/v1/chat")


def test_figwatch_itself_accepts_them_without_a_notice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (tokens.fresh() | tokens.slack_webhook(ADDRESSES.pager)).items():
        monkeypatch.setenv(name, value)
    loaded = load(str(files.write(tmp_path, ADDRESSES, SHARES)[0]))
    assert len(loaded.services) == len(routes.SERVICES)
    assert loaded.notices == ()
    assert loaded.settings.alerting.hold == files.HOLD_SECONDS * 1000


def test_every_route_is_promised_and_has_a_plan_of_its_own(tmp_path: Path) -> None:
    settings, *promises = [yaml.safe_load(path.read_text()) for path in files.write(tmp_path, ADDRESSES, SHARES)]
    plans = {route["route"]: route["rollback"] for promise in promises for route in promise["routes"]}
    assert sorted(plans) == sorted(routes.templates())
    assert sorted(plans.values()) == sorted(settings["rollback"]["plans"])


def test_a_plan_reads_and_changes_its_own_route() -> None:
    plans = yaml.safe_load(files.settings(ADDRESSES))["rollback"]["plans"]
    plan = plans["api-v1-chat-id-to-legacy"]
    assert plan["gateway"]["read"]["get"] == "http://127.0.0.1:1/routes/one?route=/api/v1/chat/%7Bid%7D"
    assert plan["steps"][0]["http"]["json"] == {"route": "/api/v1/chat/{id}", "to": "legacy"}
    assert plan["verify"]["slo"] == "chat-availability"


def test_every_process_but_the_pager_and_the_load_is_scraped() -> None:
    targets = yaml.safe_load(files.settings(ADDRESSES))["source"]["scrape"]["targets"]
    assert targets == [f"http://127.0.0.1:{port}/metrics" for port in range(1, 6)]


def test_a_route_that_has_moved_whole_is_called_migrated() -> None:
    promise = yaml.safe_load(files.promises("model_gateway", ADDRESSES, SHARES))
    assert {route["route"]: route["stage"] for route in promise["routes"]} == {
        "/api/v1/models": "migrated",
        "/api/v1/models/{model}/generate": "canary",
    }


def test_secrets_are_named_and_never_written(tmp_path: Path) -> None:
    made = tokens.fresh() | tokens.slack_webhook("http://127.0.0.1:9")
    text = "".join(path.read_text() for path in files.write(tmp_path, ADDRESSES, SHARES))
    assert not [name for name, value in made.items() if value in text]
    wanted = {tokens.PAGERDUTY, tokens.SLACK, tokens.WEBHOOK, tokens.GATEWAY, tokens.AGENT}
    assert all(f"{{env: {name}}}" in text for name in wanted)
