"""The agent as it is built from files: HTTPS, tokens, caps and the audit, all wired."""

from __future__ import annotations

import ssl
from pathlib import Path

import aiohttp
import pytest

from figwatch_agent.files.load import load
from figwatch_agent.wiring import build
from support.agent_site import OPERATE, bearer, write_files
from support.certificates import certificate


def insert(config: Path, keys: str) -> None:
    """More keys of web."""
    config.write_text(config.read_text("utf-8").replace("web: {", "web: {" + keys), "utf-8")


@pytest.mark.needs("openssl")
async def test_https_tokens_roles_and_the_audit_are_wired(tmp_path: Path) -> None:
    tls = certificate(tmp_path, "agent")
    config = Path(write_files(tmp_path, 0))
    insert(config, f"access: token, tls: {{certificate: {tls.certificate}, key: {tls.key}}}, ")
    trust = ssl.create_default_context(cafile=tls.certificate)
    connector = aiohttp.TCPConnector(ssl=trust)
    async with build(load(str(config))) as agent, aiohttp.ClientSession(connector=connector) as session:
        assert agent.url.startswith("https://127.0.0.1:")
        async with session.get(agent.url + "/", headers={"Accept": "text/html"}) as answer:
            assert answer.status == 401
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        async with session.get(agent.url + "/api/v1/agent", headers=bearer("wrong")) as answer:
            assert answer.status == 401
        async with session.get(agent.url + "/api/v1/agent", headers=bearer()) as answer:
            assert answer.status == 200
            assert str(tmp_path / "figwatch.db") in await answer.text()
        form, headers = {"token": OPERATE, "next": "/agent"}, {"Origin": agent.url}
        async with session.post(agent.url + "/sign-in", data=form, headers=headers, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/agent")
            assert answer.cookies["__Host-figwatch"]["secure"] is True
            assert len(answer.cookies["__Host-figwatch"].value) >= 43  # 256 bits
        kinds = [line.note.kind for line in await agent.audit.audit_lines()]
        assert kinds == ["sign_in", "refused"]
        names = [part.name for part in agent.parts]
        assert "retention" in names


async def test_without_tokens_on_loopback_everybody_looks_and_hosts_are_hidden(tmp_path: Path) -> None:
    config = write_files(tmp_path, 0, token=False)
    async with build(load(config)) as agent, aiohttp.ClientSession() as session:
        async with session.get(agent.url + "/api/v1/agent") as answer:
            body = await answer.text()
            assert answer.status == 200
            assert str(tmp_path) not in body
        async with session.get(agent.url + "/act/acknowledge?subject=x", headers={"Accept": "text/html"}) as answer:
            assert answer.status == 401
            assert "No token is set up" in await answer.text()
