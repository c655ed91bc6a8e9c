"""Alertmanager's webhook: durable before the answer, each alert once, everything wrong said at once."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from jsonschema import Draft202012Validator

from figwatch_agent.model.external import OWN_LABEL
from figwatch_agent.web.openapi import openapi_document
from figwatch_agent.web.server import make_app
from support.agent_site import OPERATE, TOKENS, VIEW, Site, bearer

PATH = "/api/v1/alertmanager"


def notification(status: str = "firing", **labels: str) -> dict[str, Any]:
    """As version 0.25 writes it."""
    alert = {
        "status": status,
        "labels": {"alertname": "DiskFull", "severity": "critical", **labels},
        "annotations": {"summary": "the disk is full"},
        "startsAt": "2026-09-21T14:00:00.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z" if status == "firing" else "2026-09-21T14:05:00Z",
        "generatorURL": "http://prometheus:9090/graph",
        "fingerprint": "8ab91cd0e5f6",
    }
    return {
        "version": "4",
        "groupKey": '{}:{alertname="DiskFull"}',
        "truncatedAlerts": 2,
        "status": status,
        "receiver": "figwatch",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "alerts": [alert],
    }


def keeps(name: str, document: object) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": openapi_document()["components"]}
    Draft202012Validator(schema).validate(document)


async def test_an_alert_is_taken_once_whoever_of_two_alertmanagers_tells_it() -> None:
    site = Site()
    async with TestClient(TestServer(make_app(site.deps(TOKENS)))) as client:
        answers = [await client.post(PATH, json=notification(), headers=bearer()) for _ in range(2)]
        assert [answer.status for answer in answers] == [200, 200]
        told = [await answer.json() for answer in answers]
        # Both told of a group of which they left two out.
        assert "figwatch_agent_alertmanager_truncated_total 4.0" in await (await client.get("/metrics")).text()
    assert told == [
        {"taken": 1, "known": 0, "own": 0, "truncated": 2},
        {"taken": 0, "known": 1, "own": 0, "truncated": 2},
    ]
    keeps("TakenAlerts", told[0])
    keeps("AlertmanagerNotification", notification())
    (command,), _ = await site.store.waiting()
    assert dict(command.data)["truncated"] == "2"


async def test_firing_and_resolved_are_two_things_to_know() -> None:
    site = Site()
    async with TestClient(TestServer(make_app(site.deps(TOKENS)))) as client:
        for status in ("firing", "resolved", "firing"):
            await client.post(PATH, json=notification(status), headers=bearer())
    commands, _ = await site.store.waiting()
    assert [command.id.rpartition("/")[2] for command in commands] == ["firing", "resolved"]


async def test_what_figwatch_itself_sent_goes_round_no_second_time() -> None:
    site = Site()
    async with TestClient(TestServer(make_app(site.deps(TOKENS)))) as client:
        answer = await client.post(PATH, json=notification(**{OWN_LABEL: "inc-1"}), headers=bearer())
        assert await answer.json() == {"taken": 0, "known": 0, "own": 1, "truncated": 2}
    assert await site.store.waiting() == ((), ())


async def test_only_a_token_that_may_operate_comes_in() -> None:
    site = Site()
    async with TestClient(TestServer(make_app(site.deps(TOKENS)))) as client:
        assert (await client.post(PATH, json=notification())).status == 401
        assert (await client.post(PATH, json=notification(), headers=bearer(VIEW))).status == 403
        # A token as the password of basic auth is no bearer token.
        basic = "Basic " + b64encode(f"team:{OPERATE}".encode()).decode()
        assert (await client.post(PATH, json=notification(), headers={"Authorization": basic})).status == 401
    assert await site.store.waiting() == ((), ())


async def test_everything_that_is_wrong_is_said_at_once_and_nothing_is_taken() -> None:
    site = Site()
    wrong = notification()
    wrong["version"] = "3"
    wrong["alerts"].append({"status": "on", "labels": {}, "startsAt": "soon", "fingerprint": "?"})
    async with TestClient(TestServer(make_app(site.deps(TOKENS)))) as client:
        answer = await client.post(PATH, json=wrong, headers=bearer())
        assert answer.status == 400
        assert len((await answer.json())["errors"]) == 5
    assert await site.store.waiting() == ((), ())
