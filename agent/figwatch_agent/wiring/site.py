"""The agent's own server: what it is made of, and where it listens."""

import secrets
import uuid
from contextlib import AsyncExitStack
from functools import partial

from aiohttp import web as http

from figwatch_agent.clock import Clock
from figwatch_agent.engine import Engine
from figwatch_agent.engine.guarding import plan_digest
from figwatch_agent.files.runbooks import read_runbooks
from figwatch_agent.files.secrets import read_secret
from figwatch_agent.model.settings import Settings, Web
from figwatch_agent.report.redaction import Redaction
from figwatch_agent.report.status import status_document
from figwatch_agent.store.sqlite import SqliteStore
from figwatch_agent.telemetry import Telemetry
from figwatch_agent.web.deps import Deps, Gate
from figwatch_agent.web.listening import listening, tls_context
from figwatch_agent.web.publisher import Latest
from figwatch_agent.web.server import make_app
from figwatch_agent.wiring.about import About


async def site(settings: Settings, app: http.Application, stack: AsyncExitStack) -> str:
    """The agent's own server, listening; its URL."""
    web = settings.web
    where = f"web.listen in {settings.path}"
    return await stack.enter_async_context(listening(app, web.host, web.port, tls_context(web.tls), where))


def _gate(web: Web) -> Gate:
    outside = web.external_url or ""
    return Gate(
        access=web.access,
        secure=web.tls is not None or outside.startswith("https://"),
        host=web.host,
        external_url=web.external_url,
        trusted_proxies=web.trusted_proxies,
    )


def application(
    settings: Settings,
    store: SqliteStore,
    latest: Latest,
    engine: Engine,
    about: About,
    telemetry: Telemetry,
    clock: Clock,
) -> http.Application:
    """The application on these parts; secrets of tokens are read here, once."""
    return make_app(
        Deps(
            publisher=latest,
            inbox=store,
            outbox=store,
            journal=store,
            past=engine,
            facts=about.facts,
            history=store.transitions,
            telemetry=telemetry,
            healthy=about.healthy,
            tokens=tuple((token.name, read_secret(token.token), token.role) for token in settings.web.tokens),
            clock=clock,
            new_id=lambda: uuid.uuid4().hex,
            document=status_document,
            audit=store,
            new_secret=partial(secrets.token_urlsafe, 32),
            runbooks=read_runbooks(settings.path),
            gate=_gate(settings.web),
            plans={plan.name: (plan_digest(plan), plan) for plan in settings.rollback.plans},
            webhooks={each.name: (read_secret(each.secret), each) for each in settings.web.webhooks},
            told=store,
            redaction=Redaction(settings),
        )
    )
