"""Signing in with a token and out again, and who cannot."""

from __future__ import annotations

import pytest

from figwatch_agent.durations import HOUR, SECOND
from figwatch_agent.web.caps import Cap, Caps
from figwatch_agent.web.deps import Gate
from support.agent_site import OPERATE, UNCAPPED, VIEW, Client, GoneStore, Site, failing_world, serving
from support.signing import HERE, sign_in

FIVE = Caps(requests=UNCAPPED.requests, changes=UNCAPPED.changes, failures=Cap(burst=5, every=30 * SECOND))


async def audited(site: Site) -> list[tuple[str, str, str]]:
    """What the audit tells, oldest first: what, who, why."""
    lines = reversed(await site.store.audit_lines())
    return [(line.note.kind, line.note.actor, line.note.why) for line in lines]


async def attempt(client: Client, token: str, **headers: str) -> int:
    """The status of one sign-in."""
    data = {"token": token, "next": "/"}
    async with client.post("/sign-in", data=data, headers={**HERE, **headers}, allow_redirects=False) as answer:
        return answer.status


async def test_a_token_becomes_a_session_whose_cookie_no_script_and_no_other_site_can_use() -> None:
    async with serving(Site()) as client:
        data = {"token": OPERATE, "next": "/incidents"}
        answer = await client.post("/sign-in", data=data, headers=HERE, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/incidents")
        cookie = answer.cookies["figwatch"]
        assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (True, "Strict", "/", "")
        assert OPERATE not in str(answer.headers)


async def test_with_https_the_cookie_is_secure_and_bound_to_the_host() -> None:
    site = Site(gate=Gate(secure=True, external_url="https://figwatch.example.com", caps=UNCAPPED))
    async with serving(site) as client:
        headers = {"Host": "figwatch.example.com", "Origin": "https://figwatch.example.com"}
        answer = await client.post("/sign-in", data={"token": OPERATE}, headers=headers, allow_redirects=False)
        assert answer.status == 303
        assert answer.cookies["__Host-figwatch"]["secure"] is True


async def test_signing_in_and_out_is_audited_under_the_tokens_name() -> None:
    site = Site()
    async with serving(site) as client:
        signed = await sign_in(client)
        assert (await signed.send("/sign-out")).status == 303
        assert await audited(site) == [("sign_in", "team", ""), ("sign_out", "team", "")]
        assert (await site.store.audit_lines())[0].note.origin == "page 127.0.0.1"


async def test_after_signing_out_the_cookie_opens_nothing_and_is_taken_away() -> None:
    site = Site(world=failing_world(), gate=Gate(access="token", caps=UNCAPPED))
    await site.commit()
    async with serving(site) as client:
        signed = await sign_in(client)
        answer = await signed.send("/sign-out")
        assert answer.cookies["figwatch"].value == ""
        assert answer.headers["Location"] == "/sign-in"
        assert (await client.get("/", headers={"Cookie": signed.cookie})).status == 401


async def test_an_id_from_before_signing_in_is_never_taken_over() -> None:
    async with serving(Site()) as client:
        data = {"token": OPERATE}
        headers = {**HERE, "Cookie": "figwatch=chosen-by-somebody-else"}
        answer = await client.post("/sign-in", data=data, headers=headers, allow_redirects=False)
        assert answer.cookies["figwatch"].value != "chosen-by-somebody-else"
        client.session.cookie_jar.clear()
        assert (await client.get("/act/acknowledge", headers=headers)).status == 401


async def test_signing_in_again_ends_the_session_from_before() -> None:
    async with serving(Site()) as client:
        first = await sign_in(client)
        second = await sign_in(client, VIEW, Cookie=first.cookie)
        assert first.cookie != second.cookie
        assert (await client.get("/act/acknowledge", headers={"Cookie": first.cookie})).status == 401


async def test_a_wrong_token_is_refused_and_audited_without_the_token() -> None:
    site = Site()
    async with serving(site) as client:
        assert await attempt(client, "wrong-but-secret") == 401
        assert await audited(site) == [("refused", "", "this token is not known here")]
        assert "wrong-but-secret" not in (await site.store.audit_lines())[0].text


async def test_after_five_wrong_tokens_even_the_right_one_waits_and_then_comes_in() -> None:
    site = Site(gate=Gate(caps=FIVE))
    async with serving(site) as client:
        assert [await attempt(client, f"guess {number}") for number in range(6)] == [401] * 5 + [429]
        assert await attempt(client, OPERATE) == 429
        site.clock.advance(30 * SECOND)
        assert await attempt(client, OPERATE) == 303


async def test_wrong_tokens_of_one_address_hold_up_no_other_behind_a_trusted_proxy() -> None:
    site = Site(gate=Gate(caps=FIVE, trusted_proxies=("127.0.0.1",)))
    async with serving(site) as client:
        for number in range(6):
            await attempt(client, f"guess {number}", **{"X-Forwarded-For": "192.0.2.1"})
        assert await attempt(client, OPERATE, **{"X-Forwarded-For": "192.0.2.1"}) == 429
        assert await attempt(client, OPERATE, **{"X-Forwarded-For": "192.0.2.2"}) == 303


async def test_without_a_trusted_proxy_nobody_gets_more_guesses_by_naming_other_addresses() -> None:
    site = Site(gate=Gate(caps=FIVE))
    async with serving(site) as client:
        found = [await attempt(client, "guess", **{"X-Forwarded-For": f"192.0.2.{number}"}) for number in range(7)]
        assert found == [401] * 5 + [429] * 2


async def test_ten_thousand_wrong_tokens_are_few_lines_with_their_count() -> None:
    site = Site()
    async with serving(site) as client:
        for number in range(40):
            await attempt(client, f"guess {number}")
        assert len(await site.store.audit_lines()) == 1
        site.clock.advance(HOUR)
        await attempt(client, "one more")
        lines = [line.note for line in reversed(await site.store.audit_lines())]
        assert [line.count for line in lines] == [1, 39, 1]
        assert lines[1].why == "repeated 39 times, at last: this token is not known here"


async def test_what_was_counted_is_written_when_the_agent_stops() -> None:
    site = Site()
    async with serving(site) as client:
        for _ in range(3):
            await attempt(client, "wrong")
    assert [line.note.count for line in reversed(await site.store.audit_lines())] == [1, 2]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "", "Origin": "null"},
        {"Host": "evil.example"},
        {"Host": "evil.example", "Origin": "http://evil.example"},
    ],
)
async def test_nobody_is_signed_in_from_a_page_of_somebody_else(headers: dict[str, str]) -> None:
    async with serving(Site()) as client:
        sent = {name: value for name, value in {**HERE, **headers}.items() if value}
        answer = await client.post("/sign-in", data={"token": OPERATE}, headers=sent, allow_redirects=False)
        assert answer.status == 403
        assert not answer.cookies


@pytest.mark.parametrize(
    "given",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/api/v1/status",
        "/sign-out",
        "/a\nb",
        "",
        "/ä",
        '/"><script>',
    ],
)
async def test_nobody_is_sent_elsewhere_after_signing_in(given: str) -> None:
    async with serving(Site()) as client:
        data = {"token": OPERATE, "next": given}
        answer = await client.post("/sign-in", data=data, headers=HERE, allow_redirects=False)
        assert answer.headers["Location"] == "/"


async def test_a_token_is_never_taken_from_a_url() -> None:
    async with serving(Site()) as client:
        answer = await client.post(f"/sign-in?token={OPERATE}", data={"x": "y"}, headers=HERE, allow_redirects=False)
        assert answer.status == 401
        page = await client.get(f"/act/acknowledge?token={OPERATE}")
        assert page.status == 401


async def test_anything_but_a_form_is_refused_before_it_is_read() -> None:
    async with serving(Site()) as client:
        assert (await client.post("/sign-in", json={"token": OPERATE}, headers=HERE)).status == 415
        data = "&".join(f"a{number}=1" for number in range(30))
        headers = {**HERE, "Content-Type": "application/x-www-form-urlencoded"}
        assert (await client.post("/sign-in", data=data, headers=headers)).status == 400
        assert (await client.post("/sign-in", data=b"token=%ff\xff", headers=headers)).status == 400


async def test_where_no_token_is_set_up_the_page_says_what_to_do() -> None:
    async with serving(Site(), tokens=()) as client:
        page = await (await client.get("/sign-in")).text()
        assert "No token is set up" in page
        assert "<input" not in page


async def test_somebody_signs_in_even_while_the_state_is_gone() -> None:
    async with serving(Site(store=GoneStore())) as client:
        assert await attempt(client, OPERATE) == 303
