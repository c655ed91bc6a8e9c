"""Who asked for what, for operators: as JSON and on the page of the agent."""

from __future__ import annotations

import pytest

from figwatch_agent.durations import SECOND
from figwatch_agent.model.audit import AuditNote
from support.agent_site import OPERATE, VIEW, Site, bearer, failing_world, serving
from support.signing import sign_in
from support.world import START

BROWSER = {"Accept": "text/html"}


async def site_with_an_audit() -> Site:
    """Three lines: two acknowledgements and a hostile text."""
    site = Site(world=failing_world())
    await site.commit()
    for place, why in enumerate(("on it", "", "<script>alert(1)</script>")):
        note = AuditNote(
            at=START + place * SECOND,
            kind="acknowledge",
            actor="team",
            origin="api 10.1.2.3",
            subject="inc-1",
            why=why,
            user="ada",
        )
        await site.store.note(note)
    return site


async def test_the_api_gives_operators_the_newest_lines_first_with_the_hash_to_keep() -> None:
    site = await site_with_an_audit()
    async with serving(site) as client:
        answer = await client.get("/api/v1/audit", params={"limit": 2}, headers=bearer(OPERATE))
        document = await answer.json()
    head = await site.store.audit_head()
    assert document["head"] == {"sequence": 3, "hash": head.hash}
    assert [line["sequence"] for line in document["lines"]] == [3, 2]
    assert document["lines"][0]["hash"] == head.hash
    assert document["lines"][0]["previous"] == document["lines"][1]["hash"]
    assert (document["lines"][1]["actor"], document["lines"][1]["user"]) == ("team", "ada")


async def test_the_api_says_that_nothing_was_asked_for_yet() -> None:
    site = Site()
    async with serving(site) as client:
        document = await (await client.get("/api/v1/audit", headers=bearer(OPERATE))).json()
    assert (document["head"]["sequence"], document["lines"]) == (0, [])


@pytest.mark.parametrize("token", [None, VIEW])
async def test_who_is_no_operator_reads_no_audit(token: str | None) -> None:
    site = await site_with_an_audit()
    headers = {} if token is None else bearer(token)
    async with serving(site) as client:
        answer = await client.get("/api/v1/audit", headers=headers)
        refused = await answer.text()
        page = await (await client.get("/agent", headers={**BROWSER, **headers})).text()
    assert answer.status == (401 if token is None else 403)
    assert "10.1.2.3" not in refused
    assert "10.1.2.3" not in page
    assert "Who asked for what" not in page


async def test_an_operator_reads_the_newest_lines_on_the_page_of_the_agent() -> None:
    site = await site_with_an_audit()
    async with serving(site) as client:
        page = await (await sign_in(client, OPERATE)).page("/agent")
    section = page[page.index("Who asked for what") :]
    assert section.index("&lt;script&gt;") < section.index("on it")  # the newest first, escaped
    assert "10.1.2.3" in section
    assert 'href="/api/v1/audit"' in section


async def test_a_session_reads_what_its_page_links_to() -> None:
    site = await site_with_an_audit()
    async with serving(site) as client:
        signed = await sign_in(client, OPERATE)
        answer = await client.get("/api/v1/audit", headers={"Cookie": signed.cookie})
        assert answer.status == 200
