"""Every path and method, asked by everybody: who gets in stands in one table, and no path is missing from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import pytest

from figwatch_agent.durations import HOUR
from figwatch_agent.web.access import RULES, Rule
from figwatch_agent.web.deps import Gate
from figwatch_agent.web.session import IDLE
from support.agent_site import OPERATE, UNCAPPED, VIEW, Client, Site, bearer, failing_world, serving
from support.signing import sign_in
from support.world import World

WHO: Final = (
    "nobody",
    "wrong token",
    "view token",
    "operate token",
    "view session",
    "operate session",
    "expired session",
)
"""Everybody who asks."""

MAY: Final[dict[Rule, dict[str, set[str]]]] = {
    # rule -> access -> who is let in; everybody else is answered 401 or 403
    Rule.OPEN: {"public": set(WHO), "token": set(WHO)},
    Rule.LOOK: {
        "public": set(WHO) - {"wrong token"},  # a token that nobody has is a mistake, and worth being told
        "token": {"view token", "operate token", "view session", "operate session"},
    },
    Rule.TRUSTED: {access: {"operate token", "operate session"} for access in ("public", "token")},
    Rule.SELF: {access: {"view session", "operate session"} for access in ("public", "token")},
    Rule.FORM: {access: {"operate session"} for access in ("public", "token")},
    Rule.TOKEN: {access: {"operate token"} for access in ("public", "token")},
    Rule.SIGNED: {
        access: set() for access in ("public", "token")
    },  # nobody without a signature, whatever else they have
}

FILLED: Final = {
    "{id}": "inc-1",
    "{name}": "EarlyOutage",
    "{route}": "api/v1/chat",
    "{kind}": "acknowledge",
    "{digest}": "0",
    "{state}": "ok",
}


@cache
def seen_world() -> World:
    """A world that is looked at and not moved on."""
    return failing_world()


@cache
def routes() -> list[tuple[str, str]]:
    """Every method and path that the application answers, from its own router."""
    return sorted(
        (route.method, route.resource.canonical)
        for route in Site().app().router.routes()
        if route.resource is not None and route.method != "HEAD"
    )


@dataclass(kw_only=True)
class Asked:
    """How somebody asks."""

    headers: dict[str, str]
    form_token: str = ""


async def as_(who: str, site: Site, client: Client) -> Asked:
    """What they send along."""
    kind, _, way = who.partition(" ")
    if way == "token":
        return Asked(headers=dict(bearer({"wrong": "wrong", "view": VIEW, "operate": OPERATE}[kind])))
    if way != "session":
        return Asked(headers={})
    signed = await sign_in(client, VIEW if kind == "view" else OPERATE)
    if kind == "expired":
        site.clock.advance(IDLE + 1)
    return Asked(headers={"Cookie": signed.cookie}, form_token=signed.form_token)


def test_every_route_of_the_application_has_a_rule_and_every_rule_a_route() -> None:
    assert set(RULES) == set(routes())


@pytest.mark.parametrize("access", ["public", "token"])
@pytest.mark.parametrize("who", WHO)
async def test_whoever_asks_gets_in_exactly_where_the_table_says(who: str, access: str) -> None:
    site = Site(world=seen_world(), gate=Gate(access=access, caps=UNCAPPED))  # type: ignore[arg-type]  # of the two
    await site.commit()
    wrong = []
    async with serving(site) as client:
        asked = await as_(who, site, client)
        for method, path in routes():
            status = await answered(client, method, path, asked)
            if path == "/sign-out":
                asked = await as_(who, site, client)
            let_in = status not in (401, 403)
            if (method, path) == ("POST", "/sign-in"):
                let_in = status == 401  # everybody may try; this try brings a wrong token
            if let_in != (who in MAY[RULES[method, path]][access]):
                wrong.append(f"{method} {path}: {status}")
    assert wrong == []


async def answered(client: Client, method: str, path: str, asked: Asked) -> int:
    """The status of one request, a stream's as soon as it begins."""
    for name, value in FILLED.items():
        path = path.replace(name, value)
    client.session.cookie_jar.clear()
    if method == "GET":
        async with client.get(path, headers=asked.headers, allow_redirects=False) as answer:
            return answer.status
    headers = {**asked.headers, "Sec-Fetch-Site": "same-origin"}
    if path.startswith("/api/"):
        body = {"kind": "acknowledge", "subject": "inc-1"}
        async with client.post(path, headers=headers, json=body) as answer:
            return answer.status
    form = {"form_token": asked.form_token, "subject": "inc-1", "token": "wrong"}
    async with client.post(path, headers=headers, data=form, allow_redirects=False) as answer:
        return answer.status


@pytest.mark.parametrize("path", ["/", "/api/v1/status"])
async def test_head_asks_what_get_asks(path: str) -> None:
    site = Site(world=failing_world(), gate=Gate(access="token", caps=UNCAPPED))
    await site.commit()
    async with serving(site) as client:
        assert (await client.head(path)).status == 401
        assert (await client.head(path, headers=bearer(VIEW))).status == 200


async def test_a_browser_without_a_session_is_shown_the_way_in_and_a_program_is_told_in_json() -> None:
    async with serving(Site(gate=Gate(access="token", caps=UNCAPPED))) as client:
        page = await client.get("/incidents/inc-1", headers={"Accept": "text/html,*/*"})
        assert (page.status, page.content_type) == (401, "text/html")
        assert 'name="next" value="/incidents/inc-1"' in await page.text()
        api = await client.get("/api/v1/status", headers={"Accept": "text/html,*/*"})
        assert (api.status, api.content_type) == (401, "application/json")
        assert api.headers["WWW-Authenticate"] == 'Bearer realm="figwatch"'


async def test_a_link_from_elsewhere_is_followed_once_more_from_here_because_the_cookie_comes_only_then() -> None:
    async with serving(Site(gate=Gate(access="token", caps=UNCAPPED))) as client:
        headers = {"Accept": "text/html", "Sec-Fetch-Site": "cross-site"}
        assert '<meta http-equiv="refresh" content="0">' in await (await client.get("/", headers=headers)).text()
        headers["Sec-Fetch-Site"] = "same-origin"
        assert "refresh" not in await (await client.get("/", headers=headers)).text()


async def test_what_nobody_answers_is_not_found_without_a_question_of_rights() -> None:
    async with serving(Site(gate=Gate(access="token", caps=UNCAPPED))) as client:
        assert (await client.get("/nowhere")).status == 404
        assert (await client.delete("/api/v1/status")).status == 405


async def test_a_bearer_token_that_changes_something_needs_no_page_of_ours() -> None:
    site = Site()
    async with serving(site) as client:
        headers = {
            **bearer(),
            "Host": "figwatch:9464",
            "Origin": "https://elsewhere.example",
            "Sec-Fetch-Site": "cross-site",
        }
        answer = await client.post("/api/v1/commands", json={"kind": "acknowledge", "subject": "x"}, headers=headers)
        assert answer.status == 202


@pytest.mark.parametrize(("secure", "said"), [(True, "max-age=31536000"), (False, None)], ids=["with https", "without"])
async def test_every_answer_carries_the_headers_whatever_it_is(secure: bool, said: str | None) -> None:
    site = Site(world=failing_world())
    site.gate = replace(site.gate, secure=secure)
    await site.commit()
    async with serving(site) as client:
        for method, path in [*routes(), ("GET", "/nowhere"), ("DELETE", "/"), ("OPTIONS", "/api/v1/status")]:
            for name, value in FILLED.items():
                path = path.replace(name, value)
            async with client.request(method, path) as answer:
                policy = answer.headers["Content-Security-Policy"]
                assert policy.startswith("default-src 'none'; ")
                assert "unsafe" not in policy
                assert {"frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} <= set(policy.split("; "))
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Referrer-Policy"] == "same-origin"
                assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
                assert "camera=()" in answer.headers["Permissions-Policy"]
                assert answer.headers.get("Strict-Transport-Security") == said
                assert answer.headers["Cache-Control"] == "no-store" or path.startswith(
                    ("/static/", "/icon/", "/badges/", "/favicon")
                )


async def test_sessions_of_twelve_hours_end_even_where_somebody_looks_all_the_time() -> None:
    site = Site(gate=Gate(access="token", caps=UNCAPPED))
    await site.commit()
    async with serving(site) as client:
        signed = await sign_in(client, VIEW)
        headers = {"Cookie": signed.cookie}
        client.session.cookie_jar.clear()
        for _ in range(12):
            site.clock.advance(HOUR)
            assert (await client.get("/api/v1/incidents", headers=headers)).status != 401
        site.clock.advance(1)
        assert (await client.get("/api/v1/incidents", headers=headers)).status == 401
