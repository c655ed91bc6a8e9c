"""Signs in as a browser does, and sends forms as one does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

from aiohttp import ClientResponse

from support.agent_site import OPERATE, Client

HERE = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
"""What a browser says of a form on a page of ours."""


@dataclass(frozen=True, kw_only=True)
class Signed:
    """A browser that is signed in."""

    client: Client
    cookie: str  # as it is sent
    form_token: str

    async def send(self, path: str, **fields: str) -> ClientResponse:
        """One form of this session."""
        data = {"form_token": self.form_token, **fields}
        headers = {**HERE, "Cookie": self.cookie}
        return await self.client.post(path, data=data, headers=headers, allow_redirects=False)

    async def page(self, path: str) -> str:
        """The text of a page."""
        async with self.client.get(path, headers={**HERE, "Cookie": self.cookie}) as answer:
            return await answer.text()


async def sign_in(client: Client, token: str = OPERATE, onward: str = "/", **headers: str) -> Signed:
    """A new session; the cookie is handed on by hand, so that several can live in one client."""
    client.session.cookie_jar.clear()
    form = {"token": token, "next": onward}
    answer = await client.post("/sign-in", data=form, headers={**HERE, **headers}, allow_redirects=False)
    assert answer.status == 303, await answer.text()
    morsel = next(iter(answer.cookies.values()))
    client.session.cookie_jar.clear()
    cookie = f"{morsel.key}={morsel.value}"
    page = await client.get("/act/acknowledge?subject=x", headers={**HERE, "Cookie": cookie})
    found = re.search(r'name="form_token" value="([0-9a-f]{64})"', await page.text())
    if found is None:  # the role is view: its only form is the one that signs out
        found = re.search(
            r'name="form_token" value="([0-9a-f]{64})"',
            await (await client.get("/", headers={**HERE, "Cookie": cookie})).text(),
        )
    return Signed(client=client, cookie=cookie, form_token=found[1] if found else "")


def fields(page: str) -> dict[str, str]:
    """What the form of wishes on a page would send."""
    form = page[page.index('<form class="act"') :]
    return {
        name: unescape(value) for name, value in re.findall(r'<input[^>]* name="([^"]+)"[^>]*? value="([^"]*)"', form)
    }
