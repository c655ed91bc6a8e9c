"""Certificates on both ends, by both readers: whom they trust, and what they show of themselves."""

from __future__ import annotations

import json
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from figwatch_agent.model.settings import ClientTls
from figwatch_agent.sources.fault import Fault
from support.certificates import certificate
from support.readers import Made, reading
from support.served import everywhere, served

pytestmark = pytest.mark.needs("openssl")

ANSWER = json.dumps({"status": "success", "data": {"resultType": "vector", "result": []}})


@asynccontextmanager
async def engine(folder: Path) -> AsyncIterator[str]:
    """One that answers only to who shows the certificate ``agent``."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=ANSWER, content_type="application/json")

    own, trusted = certificate(folder, "engine"), certificate(folder, "agent")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=trusted.certificate)
    context.load_cert_chain(own.certificate, own.key)
    context.verify_mode = ssl.CERT_REQUIRED
    async with served(everywhere(answer), context) as url:
        yield url


def shown(folder: Path, name: str | None, trusts: str = "engine") -> ClientTls:
    """What a reader is given: whom it trusts, and its own certificate if it has one."""
    own = None if name is None else certificate(folder, name)
    return ClientTls(
        ca=certificate(folder, trusts).certificate,
        certificate=None if own is None else own.certificate,
        key=None if own is None else own.key,
    )


async def test_both_ends_know_each_other_and_the_answer_comes(made: Made, tmp_path: Path) -> None:
    async with engine(tmp_path) as url, reading(made, url, tls=shown(tmp_path, "agent")) as opened:
        assert (await opened.instant("up", 0)).data == {"resultType": "vector", "result": []}


@pytest.mark.parametrize("name", [None, "somebody-else"])
async def test_an_engine_that_asks_for_a_certificate_answers_nobody_without_it(
    made: Made, tmp_path: Path, name: str | None
) -> None:
    async with engine(tmp_path) as url, reading(made, url, tls=shown(tmp_path, name)) as opened:
        with pytest.raises(Fault):
            await opened.instant("up", 0)


async def test_an_engine_that_nobody_vouches_for_is_not_asked(made: Made, tmp_path: Path) -> None:
    async with engine(tmp_path) as url, reading(made, url, tls=shown(tmp_path, "agent", "somebody-else")) as opened:
        with pytest.raises(Fault):
            await opened.instant("up", 0)


async def test_a_certificate_that_is_renewed_is_shown_from_the_next_question_on(made: Made, tmp_path: Path) -> None:
    own = ClientTls(
        ca=certificate(tmp_path, "engine").certificate,
        certificate=str(tmp_path / "own.pem"),
        key=str(tmp_path / "own.key"),
    )

    def renew(name: str) -> None:
        other = certificate(tmp_path, name)
        shutil.copyfile(other.certificate, tmp_path / "own.pem")
        shutil.copyfile(other.key, tmp_path / "own.key")

    renew("somebody-else")
    async with engine(tmp_path) as url, reading(made, url, tls=own) as opened:
        with pytest.raises(Fault):
            await opened.instant("up", 0)
        (tmp_path / "own.pem").unlink()
        with pytest.raises(Fault, match=r"own\.pem|TLS|certificate"):
            await opened.instant("up", 0)
        renew("agent")
        assert (await opened.instant("up", 0)).data == {"resultType": "vector", "result": []}
