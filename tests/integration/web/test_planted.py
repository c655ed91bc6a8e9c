"""Texts of others in every field: no page grows an element of them, and no stranger learns of the inside by them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any, Final
from urllib.parse import quote

import pytest

from figwatch_agent.durations import Duration
from figwatch_agent.engine.guarding import plan_digest
from figwatch_agent.model.explanation import Explanation
from figwatch_agent.model.history import RouteHistory, Shares
from figwatch_agent.model.journal import StepEntry
from figwatch_agent.model.names import Mode
from figwatch_agent.model.plan import ExecCall, HttpCall, RollbackPlan
from figwatch_agent.model.secret import Secret
from figwatch_agent.model.settings import Heartbeat, Scrape, Settings, Slack, Tls, Token, Web, Webhook
from figwatch_agent.report.redaction import Redaction
from figwatch_agent.web.deps import Gate
from support.agent_site import OPERATE, UNCAPPED, VIEW, Client, Site, bearer, failing_world, serving
from support.model_values import NOON, a_row, a_step_entry, a_transition
from support.planting import HOSTILE, growth, planted
from support.signing import sign_in
from support.world import CHAT, World, settings


class PlantedPast:
    """The past of the chat route under every name."""

    def __init__(self, site: Site, text: str) -> None:
        self._engine = site.world.engine
        self._text = text

    def history(self, route: str, span: Duration) -> RouteHistory | None:
        """That of the chat route."""
        found = self._engine.history(CHAT, span)
        return None if found is None else planted(found, self._text)

    def shares(self, span: Duration) -> Shares:
        """Every route's."""
        return planted(self._engine.shares(span), self._text)

    def explain(self, subject: str) -> Explanation | None:
        """That of the chat route."""
        return planted(self._engine.explain(CHAT), self._text)

    def subjects(self) -> tuple[str, ...]:
        """The text alone."""
        return (self._text,)


class PlantedSite(Site):
    """A site whose view, past, facts, store and runbooks hold a text wherever one can be held."""

    text: str = ""

    async def facts(self) -> Any:
        """Planted, but for its own closed words."""
        return planted(await super().facts(), self.text, frozenset({"state", "version", "sha256"}))


@cache
def seen_world(conf: Settings) -> World:
    """A world that is looked at and not moved on."""
    return failing_world(conf=conf)


async def site_with(text: str, conf: Settings | None = None, **more: Any) -> PlantedSite:
    """Such a site, with an incident that was rolled back and one that awaits approval."""
    site = PlantedSite(world=seen_world(conf or settings(mode=Mode.AUTO)), **more)
    site.text = text
    await site.commit()
    await plant_store(site, text)
    site.latest.publish(planted(site.world.engine.view(site.world.now), text))
    site.runbooks = {"EarlyOutage": f"# {text}\n\n{text}\n\n```\n{text}\n```\n\n[{text}]({text}) `{text}`\n"}
    return site


async def plant_store(site: Site, text: str) -> None:
    """Rows, transitions and steps with the text."""
    incident = replace(site.world.incident(), route=text)
    page = replace(a_row("x/1/oncall", incident=incident.id).page, headline=text, action=text)
    row = replace(a_row("x/1/oncall", incident=incident.id), receiver=text, page=page)
    outcome = site.world.outcomes[-1]
    happened = tuple(
        replace(a_transition(text, at=NOON), subject=text, actor=text, data=((text[:50], text),)) for _ in range(2)
    )
    await site.store.commit(
        replace(
            outcome,
            sequence=outcome.sequence + 1,
            transitions=happened,
            outbox=(row,),
            incidents=(),
            intents=(),
            commands=(),
            effects=(),
        )
    )
    rollback = (await site.store.rollbacks())[0]
    entry: StepEntry = replace(a_step_entry(), rollback=rollback.intent.id, step=text, detail=text)
    await site.store.append_step(entry)


async def paths(client: Client, site: Site, subject: str) -> list[str]:
    """Every GET path of the application, its parameters filled in every way that leads somewhere."""
    incident = site.world.incident().id
    runs = [record.intent.id for record in await site.store.rollbacks()]
    values: dict[str, list[str]] = {
        "{id}": [incident, subject, *runs],
        "{name}": ["EarlyOutage", "figwatch.css", subject],
        "{route}": [CHAT.removeprefix("/"), subject],
        "{kind}": ["acknowledge", "silence", "resolve", "approve", "re-arm"],
        "{digest}": ["0"],
        "{state}": ["ok"],
    }
    found: list[str] = []
    for route in client.app.router.routes():
        if route.method != "GET" or route.resource is None or route.resource.canonical == "/live":
            continue
        canonical = route.resource.canonical
        name = next((each for each in values if each in canonical), None)
        given = values[name] if name else [""]
        found += [canonical.replace(name or "{}", quote(value[:1500], safe="")) for value in given]
    more = quote(subject[:150], safe="")
    found += [f"/act/silence?subject={more}&next={more}", f"/sign-in?next={more}", f"/?query={more}", "/?page=2"]
    found += [f"/api/v1/explain?subject={more}", f"/api/v1/explain?subject=chat&at={more}"]
    found += [f"/incidents?show={more}", f"/api/v1/deliveries?incident={more}", f"/{more}", f"/live?page={more}"]
    return found


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:24]))
async def test_nothing_grows_of_a_hostile_text_in_any_field(text: str) -> None:
    site = await site_with(text)
    site.plans = {}
    grown: dict[str, object] = {}
    seen = 0
    async with serving(site) as client:
        signed = await sign_in(client)
        for path in await paths(client, site, text):
            for headers in ({}, {"Cookie": signed.cookie, "Accept": "text/html"}):
                async with client.get(path, headers=headers) as answer:
                    body = await answer.text()
                    assert answer.status != 500, path
                    assert "plant" not in str(answer.cookies)
                    if path.startswith(("/icon/", "/favicon")):
                        continue  # files of ours
                    if answer.content_type in ("text/html", "image/svg+xml"):
                        seen += 1
                        found = growth(body)
                        if path.startswith("/runbooks"):  # by hand, in whatever script is written from the right
                            found = [each for each in found if not each.startswith("control")]
                        if found:
                            grown[path] = found[:3]
                    elif answer.content_type == "application/json":
                        assert body.isascii(), path
                    else:
                        assert answer.content_type in ("text/plain", "text/css", "text/javascript"), path
    assert grown == {}
    assert seen > 20


SECRETS: Final = (
    "scrape-inside.example.net",
    "gateway-inside.example.net",
    "probe-inside.example.net",
    "lag-inside.example.net",
    "hook-inside.example.net",
    "watchdog-inside.example.net",
    "10.11.12.13:8099",
    "10.11.12.13",
    "/opt/inside/switch",
    "/srv/inside/figwatch.db",
    "/run/inside/token",
    "/run/inside/slack",
    "/etc/inside/tls.key",
    "/etc/inside/kill",
    "inside-query=1",
)
"""What only operators need to know."""


def inside() -> Settings:
    """Settings that name everything of the inside."""
    base = settings(mode=Mode.APPROVE)
    plan: RollbackPlan = base.rollback.plans[0]
    call = HttpCall(method="POST", url="https://gateway-inside.example.net:8443/routes?inside-query=1", json="{}")
    switch = replace(plan.steps[0], id="switch", call=ExecCall(argv=("/opt/inside/switch", "to-legacy")))
    plan = replace(
        plan,
        steps=(replace(plan.steps[0], call=call), switch),
        preconditions=(HttpCall(method="GET", url="http://lag-inside.example.net/ready"),),
        legacy=replace(plan.legacy, probe=HttpCall(method="GET", url="http://probe-inside.example.net/healthz")),
    )
    receivers = (
        *base.receivers,
        replace(base.receivers[0], name="hook", kind=Webhook(url="https://hook-inside.example.net/in")),
        replace(base.receivers[0], name="chat", kind=Slack(webhook_url=Secret(file="/run/inside/slack"))),
    )
    targets = ("http://scrape-inside.example.net:9100/metrics", "http://10.11.12.13:8099/metrics")
    return replace(
        base,
        source=Scrape(targets=targets),
        state="/srv/inside/figwatch.db",
        receivers=receivers,
        rollback=replace(base.rollback, plans=(plan,), kill_switch="/etc/inside/kill"),
        heartbeat=Heartbeat(url="https://watchdog-inside.example.net/ping"),
        web=Web(
            external_url="https://figwatch.example.com",
            tokens=(Token(name="team", token=Secret(file="/run/inside/token")),),
            tls=Tls(certificate="/etc/inside/tls.pem", key="/etc/inside/tls.key"),
        ),
    )


async def inside_site(access: str = "public") -> PlantedSite:
    """A site in which every text tells all of the inside."""
    conf = inside()
    told = (
        "could not reach http://scrape-inside.example.net:9100/metrics or https://user:pw@gateway-inside.example.net:8443"
        "/routes?inside-query=1 nor probe-inside.example.net, lag-inside.example.net, hook-inside.example.net,"
        " watchdog-inside.example.net, 10.11.12.13:8099; /opt/inside/switch failed; /srv/inside/figwatch.db is full;"
        " /run/inside/token, /run/inside/slack, /etc/inside/tls.key and /etc/inside/kill cannot be read;"
        " see http://somewhere-else.example.org/inside-query=1 and/or so"
    )
    site = await site_with(told, replace(conf, rollback=settings(mode=Mode.AUTO).rollback))
    plan = conf.rollback.plans[0]
    site.plans = {plan.name: (plan_digest(plan), plan)}
    site.redaction = Redaction(conf)
    site.gate = Gate(access=access, caps=UNCAPPED)  # type: ignore[arg-type]  # of the two
    return site


def told(body: str) -> list[str]:
    """Secrets in a text, however pages break them."""
    plain = body.replace("<wbr>", "")
    return [secret for secret in (*SECRETS, "somewhere-else.example.org", "user:pw") if secret in plain]


async def test_a_stranger_learns_nothing_of_the_inside_on_any_path() -> None:
    site = await inside_site()
    leaked: dict[str, list[str]] = {}
    async with serving(site) as client:
        for path in await paths(client, site, site.text):
            async with client.get(path, headers={"Accept": "text/html"}) as answer:
                assert answer.status != 500, path
                asked = quote(site.text[:150], safe="") in path or quote(site.text[:1500], safe="") in path
                found = told(await answer.text())
                if found and not asked:  # what somebody asks for comes back as they wrote it
                    leaked[path] = found
    assert leaked == {}


async def test_names_stay_where_hosts_go() -> None:
    site = await inside_site()
    async with serving(site) as client:
        rollbacks = await (await client.get("/api/v1/rollbacks")).json()
        assert rollbacks["rollbacks"][0]["steps"][0]["id"] == "redirect"
        assert rollbacks["rollbacks"][0]["plan"] == "chat-to-legacy"
        status = await (await client.get("/api/v1/status")).text()
        assert "scrape target 1" in status
        assert "scrape target 2" in status


@pytest.mark.parametrize("token", [VIEW, OPERATE])
async def test_whoever_shows_a_token_sees_the_inside(token: str) -> None:
    site = await inside_site("token")
    async with serving(site) as client:
        body = await (await client.get("/api/v1/status", headers=bearer(token))).text()
        assert "scrape-inside.example.net:9100" in body
        assert "/opt/inside/switch" in body


async def test_no_token_and_no_secret_is_shown_even_to_operators() -> None:
    site = await inside_site()
    async with serving(site) as client:
        signed = await sign_in(client)
        for path in await paths(client, site, "x"):
            async with client.get(path, headers={"Cookie": signed.cookie}) as answer:
                body = await answer.text()
                assert OPERATE not in body
                assert VIEW not in body
                assert signed.cookie.partition("=")[2] not in body.split()


async def test_a_stream_to_a_stranger_hides_the_same() -> None:
    site = await inside_site()
    async with serving(site) as client:
        for page in ("/", "/agent", f"/incidents/{site.world.incident().id}"):
            async with client.get("/live", params={"page": page}) as answer:
                assert answer.status == 200
                sent = await answer.content.readuntil(b"\n\n")
                assert told(sent.decode()) == []
