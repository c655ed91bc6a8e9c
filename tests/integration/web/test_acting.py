"""What people ask for by a form: taken once, bound to what was read, and said so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from figwatch_agent.durations import HOUR
from figwatch_agent.engine.guarding import plan_digest
from figwatch_agent.model.command import Command, CommandKind
from figwatch_agent.model.names import Mode
from figwatch_agent.web.deps import Gate
from support.agent_site import CHAT, UNCAPPED, VIEW, GoneStore, Site, failing_world, serving
from support.signing import HERE, fields, sign_in
from support.world import START, settings


async def commands(site: Site) -> tuple[Command, ...]:
    """What waits in the inbox."""
    return (await site.store.waiting())[0]


async def site_of(mode: Mode = Mode.AUTO, **more: Any) -> Site:
    """A site with an open incident."""
    site = Site(world=failing_world(conf=settings(mode=mode)), **more)
    await site.commit()
    return site


async def test_an_acknowledgement_goes_into_the_inbox_and_back_to_the_incident() -> None:
    site = await site_of()
    incident = site.world.incident().id
    async with serving(site) as client:
        signed = await sign_in(client)
        form = fields(await signed.page(f"/act/acknowledge?subject={incident}"))
        answer = await signed.send("/act/acknowledge", **{**form, "why": "looking", "user": "Ada"})
        assert (answer.status, answer.headers["Location"]) == (303, f"/incidents/{incident}")
        (command,) = await commands(site)
        assert (command.kind, command.subject, command.why) == (CommandKind.ACKNOWLEDGE, incident, "looking")
        assert (command.actor, command.origin, command.data) == ("team", "page 127.0.0.1", (("user", "Ada"),))
        (line, _) = await site.store.audit_lines()
        assert (line.note.kind, line.note.actor, line.note.user) == ("acknowledge", "team", "Ada")


async def test_the_next_page_says_once_what_was_taken() -> None:
    site = await site_of()
    async with serving(site) as client:
        signed = await sign_in(client)
        await signed.send("/act/silence", **{"subject": CHAT, "why": "a test", "for": "2h", "next": "/"})
        said = "Silence: taken until 2026-"
        assert said in await signed.page("/")
        assert said not in await signed.page("/")


async def test_a_form_that_is_sent_twice_is_one_wish() -> None:
    site = await site_of()
    incident = site.world.incident().id
    async with serving(site) as client:
        signed = await sign_in(client)
        form = fields(await signed.page(f"/act/acknowledge?subject={incident}"))
        assert [(await signed.send("/act/acknowledge", **form)).status for _ in range(2)] == [303, 303]
        assert len(await commands(site)) == 1
        other = fields(await signed.page(f"/act/acknowledge?subject={incident}"))
        assert other["key"] != form["key"]


async def test_a_silence_asks_why_and_for_how_long_and_keeps_what_was_typed() -> None:
    site = await site_of()
    async with serving(site) as client:
        signed = await sign_in(client)
        typed = {"subject": CHAT, "user": "Ada <script>", "for": "8h", "why": ""}
        answer = await signed.send("/act/silence", **typed)
        page = await answer.text()
        assert answer.status == 400
        assert '<ul class="problems" id="why-problems" role="alert">' in page
        assert "why is missing: silence is remembered with its reason" in page
        assert '<option value="8h" selected>' in page
        assert 'value="Ada &lt;script&gt;"' in page
        assert await commands(site) == ()


@pytest.mark.parametrize(
    ("kind", "typed", "beside", "problem"),
    [
        ("silence", {"for": "400d", "why": "x"}, "for", "at most 30 days away"),
        ("silence", {"for": "soon", "why": "x"}, "for", "is not a duration"),
        ("silence", {"why": "x"}, "for", "until or for is missing"),
        ("resolve", {}, "why", "why is missing"),
        ("acknowledge", {"why": "one\x00two"}, "why", "control characters"),
        ("acknowledge", {"user": "x" * 81}, "user", "more than 80 characters"),
        ("acknowledge", {"subject": ""}, "form", "subject is missing"),
    ],
)
async def test_what_is_wrong_stands_beside_the_field(
    kind: str, typed: dict[str, str], beside: str, problem: str
) -> None:
    site = await site_of()
    async with serving(site) as client:
        signed = await sign_in(client)
        answer = await signed.send(f"/act/{kind}", **{"subject": CHAT, **typed})
        page = await answer.text()
        assert answer.status == 400
        assert f'id="{beside}-problems"' in page
        assert problem in page
        assert await commands(site) == ()


async def test_an_end_is_counted_from_when_the_form_came() -> None:
    site = await site_of()
    async with serving(site) as client:
        signed = await sign_in(client)
        await signed.send("/act/silence", **{"subject": CHAT, "for": "2h", "why": "x"})
        assert (await commands(site))[0].until == START + 2 * HOUR


async def test_an_approval_shows_the_steps_and_is_bound_to_the_plan_as_it_was_read() -> None:
    site = await site_of(mode=Mode.APPROVE)
    plan = site.world.settings.rollback.plans[0]
    site.plans = {plan.name: (plan_digest(plan), plan)}
    incident = site.world.incident()
    assert incident.decision is not None
    async with serving(site) as client:
        signed = await sign_in(client)
        page = await signed.page(f"/act/approve?subject={incident.id}")
        assert plan.steps[0].id in page
        assert "POST http://127.0.0.1:2/routes" in page
        form = fields(page)
        assert form["plan_digest"] == incident.decision.plan_digest
        assert (await signed.send("/act/approve", **form)).status == 303
        (command,) = await commands(site)
        assert (command.kind, command.plan_digest) == (CommandKind.APPROVE, incident.decision.plan_digest)


async def test_a_plan_that_changed_since_the_decision_cannot_be_approved() -> None:
    site = await site_of(mode=Mode.APPROVE)
    plan = replace(site.world.settings.rollback.plans[0], data_loss="everything")
    site.plans = {plan.name: (plan_digest(plan), plan)}
    async with serving(site) as client:
        signed = await sign_in(client)
        page = await signed.page(f"/act/approve?subject={site.world.incident().id}")
        assert "The plan was changed since the guard decided" in page
        assert "<button>Approve" not in page


async def test_where_nothing_awaits_approval_there_is_nothing_to_send() -> None:
    site = await site_of()
    async with serving(site) as client:
        signed = await sign_in(client)
        page = await signed.page(f"/act/approve?subject={site.world.incident().id}")
        assert "Nothing awaits approval here" in page
        answer = await signed.send("/act/approve", subject=site.world.incident().id)
        assert answer.status == 400
        assert await commands(site) == ()


async def test_a_form_without_the_sessions_token_or_with_that_of_another_changes_nothing() -> None:
    site = await site_of()
    async with serving(site) as client:
        signed, other = await sign_in(client), await sign_in(client)
        for token in ("", "0" * 64, other.form_token, "ä"):
            answer = await replace(signed, form_token=token).send("/act/acknowledge", subject=CHAT)
            assert answer.status == 403
        assert await commands(site) == ()
        assert "the form is not one of this session" in (await site.store.audit_lines())[0].note.why


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://sub.example"},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": ""},
        {"Sec-Fetch-Site": ""},
        {"Host": "rebound.example:9464"},
    ],
)
async def test_a_form_from_elsewhere_changes_nothing_even_with_cookie_and_token(headers: dict[str, str]) -> None:
    site = await site_of()
    async with serving(site) as client:
        signed = await sign_in(client)
        sent = {name: value for name, value in {**HERE, **headers, "Cookie": signed.cookie}.items() if value}
        data = {"form_token": signed.form_token, "subject": CHAT}
        answer = await client.post("/act/acknowledge", data=data, headers=sent, allow_redirects=False)
        assert answer.status == 403
        assert await commands(site) == ()


async def test_an_older_browser_that_names_its_origin_alone_is_believed() -> None:
    site = await site_of()
    async with serving(site) as client:
        signed = await sign_in(client)
        origin = f"http://127.0.0.1:{client.server.port}"
        data = {"form_token": signed.form_token, "subject": CHAT}
        headers = {"Cookie": signed.cookie, "Origin": origin}
        answer = await client.post("/act/acknowledge", data=data, headers=headers, allow_redirects=False)
        assert answer.status == 303


async def test_a_session_is_no_way_into_the_api() -> None:
    async with serving(await site_of()) as client:
        signed = await sign_in(client)
        body = {"kind": "acknowledge", "subject": CHAT}
        answer = await client.post("/api/v1/commands", json=body, headers={**HERE, "Cookie": signed.cookie})
        assert answer.status == 401


async def test_whoever_may_only_look_is_told_so() -> None:
    async with serving(await site_of()) as client:
        signed = await sign_in(client, VIEW)
        answer = await signed.send("/act/acknowledge", subject=CHAT)
        assert answer.status == 403
        assert "the token wall has the role view; this needs operate" in await answer.text()


async def test_what_has_no_form_is_not_found() -> None:
    async with serving(await site_of()) as client:
        signed = await sign_in(client)
        assert (await signed.send("/act/external_alert", subject="x")).status == 404


async def test_while_the_state_is_gone_the_form_comes_back_with_its_key() -> None:
    site = Site(store=GoneStore())
    async with serving(site) as client:
        signed = await sign_in(client)
        answer = await signed.send("/act/acknowledge", subject=CHAT, key="k-1", why="looking")
        page = await answer.text()
        assert answer.status == 503
        assert "nothing was taken, send it again" in page
        assert (fields(page)["key"], fields(page)["why"]) == ("k-1", "looking")


async def test_nobody_acts_through_a_session_that_ended() -> None:
    site = await site_of(gate=Gate(caps=UNCAPPED))
    async with serving(site) as client:
        signed = await sign_in(client)
        site.clock.advance(HOUR + 1)
        answer = await signed.send("/act/acknowledge", subject=CHAT)
        assert answer.status == 401
        assert await commands(site) == ()


@pytest.mark.parametrize("given", ["https://evil.example", "//evil.example", "javascript:alert(1)"])
async def test_nobody_is_sent_elsewhere_after_a_form(given: str) -> None:
    async with serving(await site_of()) as client:
        signed = await sign_in(client)
        answer = await signed.send("/act/acknowledge", subject=CHAT, next=given)
        assert answer.headers["Location"] == "/"
