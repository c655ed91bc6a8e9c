"""Events by the API and by signed webhooks: all or nothing, once each, and never without a token or a signature."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from jsonschema import Draft202012Validator

from figwatch_agent.durations import MINUTE, SECOND
from figwatch_agent.model.secret import Secret
from figwatch_agent.model.settings import IncomingWebhook
from figwatch_agent.notify.webhook import signed
from figwatch_agent.web.openapi import openapi_document
from figwatch_agent.web.server import make_app
from support.agent_site import OPERATE, TOKENS, VIEW, Site, bearer, serving
from support.world import START

SECRET = "shared with the pipeline"
HOOKS = {
    "github": (SECRET, IncomingWebhook(name="github", secret=Secret(env="X"), service="chat")),
    "ci": (SECRET, IncomingWebhook(name="ci", secret=Secret(env="X"))),
}


def hooked(site: Site) -> web.Application:
    """The site's application with two webhooks."""
    return make_app(replace(site.deps(TOKENS), webhooks=HOOKS, told=site.store))


async def taken(site: Site) -> list[dict[str, str]]:
    """Data of the events in the inbox, told to the world and kept."""
    commands, _ = await site.store.waiting()
    if commands:
        site.world.now = max(site.world.now, START)
        site.world.tick(commands=commands)
        await site.commit()
    return [dict(command.data) for command in commands]


def keeps(name: str, document: object) -> None:
    """Assert that a document keeps to its schema."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": openapi_document()["components"]}
    Draft202012Validator(schema).validate(document)


async def test_one_event_or_many_are_taken_once_each() -> None:
    site = Site()
    one = {"kind": "deployment", "id": "d1", "fields": {"service": "chat", "version": "1"}}
    many = {"events": [one, {"kind": "lag", "at": "2026-09-21T12:00:00Z", "fields": {"seconds": "1"}}]}
    async with TestClient(TestServer(hooked(site))) as client:
        first = await client.post("/api/v1/events", json=one, headers=bearer())
        second = await client.post("/api/v1/events", json=many, headers=bearer())
        bodies = [await first.json(), await second.json()]
        assert [first.status, second.status] == [202, 202]
        assert [(body["taken"], body["known"]) for body in bodies] == [(1, 0), (1, 1)]
        keeps("TakenEvents", bodies[1])
        assert [each["kind"] for each in await taken(site)] == ["deployment", "lag"]
        listed = await (await client.get("/api/v1/events?kind=deployment")).json()
        keeps("Events", listed)
        assert [(each["id"], each["actor"]) for each in listed["events"]] == [("d1", "team")]
        keeps("Baselines", await (await client.get("/api/v1/baselines")).json())


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"kind": "deploy"}, "kind: unknown kind"),
        ({"events": []}, "1 to 500"),
        ({"events": [{"kind": "lag"}], "more": 1}, "1 to 500"),
        ({"events": [{"kind": "lag", "fields": {"seconds": "1"}}, {"kind": "lag"}]}, "events[1]: seconds"),
        ({"kind": "lag", "fields": {"seconds": 1}}, "fields: is an object whose values are texts"),
        ({"kind": "lag", "at": 3, "fields": {"seconds": "1"}}, "at: is a text"),
        ({"kind": "lag", "id": "x" * 300, "fields": {"seconds": "1"}}, "id: an id has"),
        ({"kind": "lag", "what": "1", "fields": {"seconds": "1"}}, "what: there are"),
        ({"events": ["lag"]}, "events[0]: an event is an object"),
        ([], "the body is a JSON object"),
    ],
)
async def test_a_body_that_is_wrong_anywhere_is_taken_nowhere(body: Any, said: str) -> None:
    site = Site()
    async with serving(site) as client:
        answer = await client.post("/api/v1/events", json=body, headers=bearer())
        assert answer.status == 400
        assert said in " ".join((await answer.json())["errors"])
    assert await site.store.waiting() == ((), ())


@pytest.mark.parametrize(("token", "status"), [(None, 401), (VIEW, 403), ("wrong", 401), (OPERATE, 202)])
async def test_telling_needs_a_token_that_operates(token: str | None, status: int) -> None:
    body = {"kind": "lag", "fields": {"seconds": "1"}}
    async with serving(Site()) as client:
        headers = {} if token is None else bearer(token)
        assert (await client.post("/api/v1/events", json=body, headers=headers)).status == status


def github(state: str, *, id_: int = 7, environment: str = "production", **more: Any) -> bytes:
    """A deployment_status event as GitHub sends it, cut to what is read."""
    body = {
        "action": "created",
        "deployment_status": {
            "id": 99,
            "state": state,
            "environment": environment,
            "created_at": "2026-09-21T13:00:00Z",
        },
        "deployment": {"id": id_, "ref": "v1.4.2", "sha": "0" * 40, "environment": environment},
        "repository": {"name": "chat-service", "full_name": "example/chat-service"},
        **more,
    }
    return json.dumps(body).encode()


def github_headers(body: bytes, secret: str = SECRET, event: str = "deployment_status") -> Mapping[str, str]:
    """Signed as GitHub does."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-GitHub-Event": event, "X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json"}


async def test_githubs_deployments_are_counted_when_they_end_and_once() -> None:
    site = Site()
    async with TestClient(TestServer(hooked(site))) as client:

        async def post(body: bytes, **named: str) -> tuple[int, dict[str, Any]]:
            answer = await client.post("/api/v1/webhooks/github", data=body, headers=github_headers(body, **named))
            return answer.status, await answer.json()

        assert (await post(github("in_progress")))[1]["ignored"] == "the deployment is in_progress, which is no end"
        assert (await post(github("failure")))[0] == 202
        assert (await post(github("success")))[1]["taken"] == 1
        assert (await post(github("success")))[1]["known"] == 1
        assert "staging" in (await post(github("success", environment="staging")))[1]["ignored"]
        assert (await post(b"{}", event="ping"))[0] == 200
        found = await taken(site)
    assert [(each["service"], each["status"], each["version"], each["id"]) for each in found] == [
        ("chat", "failure", "v1.4.2", "github-7"),
        ("chat", "success", "v1.4.2", "github-7"),
    ]


async def test_a_plain_webhook_is_signed_as_ours_are() -> None:
    site = Site()
    body = json.dumps({"service": "models", "version": "3"}).encode()
    async with TestClient(TestServer(hooked(site))) as client:
        for _ in range(2):
            headers = {**signed(body, "run-12", START, SECRET), "Content-Type": "application/json"}
            answer = await client.post("/api/v1/webhooks/ci", data=body, headers=headers)
            assert answer.status == 202, await answer.text()
        [event] = await taken(site)
    assert (event["id"], event["service"], event["version"]) == ("run-12", "models", "3")


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("ci", {"X-Figwatch-Signature": "v1=" + "0" * 64}),
        ("ci", {"X-Figwatch-Signature": ""}),
        ("ci", {"X-Figwatch-Id": "another"}),
        ("ci", {"X-Figwatch-Timestamp": str((START - 6 * MINUTE) // SECOND)}),
        ("ci", {"X-Figwatch-Timestamp": "x"}),
        ("ci", {"X-Figwatch-Timestamp": "٣"}),
        ("nobody", {}),
        ("ci", {"X-GitHub-Event": "deployment_status"}),
    ],
)
async def test_what_is_not_signed_right_is_refused_and_kept_nowhere(path: str, change: dict[str, str]) -> None:
    site = Site()
    body = json.dumps({"service": "chat"}).encode()
    headers = {**signed(body, "run-12", START, SECRET), "Content-Type": "application/json", **change}
    async with TestClient(TestServer(hooked(site))) as client:
        answer = await client.post(f"/api/v1/webhooks/{path}", data=body, headers=headers)
        assert answer.status == 401
    assert await site.store.waiting() == ((), ())


@pytest.mark.parametrize(
    "body", [b"[]", b'{"deployment_status": 3}', b"{", b'{"deployment_status": {"state": "success"}}']
)
async def test_a_signed_body_of_another_shape_says_what_is_wrong(body: bytes) -> None:
    site = Site()
    async with TestClient(TestServer(hooked(site))) as client:
        answer = await client.post("/api/v1/webhooks/github", data=body, headers=github_headers(body))
        assert answer.status == 400
        assert (await answer.json())["errors"]
