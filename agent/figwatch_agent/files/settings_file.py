"""The grammar of figwatch.yaml: where things are."""

import re
from typing import Any
from urllib.parse import urlsplit

from figwatch_agent.files.alertmanager_file import ALERTMANAGER
from figwatch_agent.files.diagnostics import quoted
from figwatch_agent.files.fields import (
    DURATION,
    INSTANT,
    NAME,
    PATH,
    SECRET,
    STR,
    URL,
    URL_OR_SECRET,
    choice,
    string,
    whole,
    word,
)
from figwatch_agent.files.plan_file import PLANS
from figwatch_agent.files.schema import exactly_one, items, may, need, one_of, record, scalar, wrong
from figwatch_agent.files.source_file import SOURCE
from figwatch_agent.model.names import Mode, Severity
from figwatch_agent.model.settings import (
    Alerting,
    Heartbeat,
    IncomingWebhook,
    PagerDuty,
    Receiver,
    Rollback,
    Slack,
    SlackBot,
    Tls,
    Token,
    Web,
    Webhook,
)

LOOPBACK = ("127.0.0.1", "::1", "localhost")

_LISTEN = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+):(?P<port>\d{1,5})")
_CHANNEL = re.compile(r"[CDG][A-Z0-9]{2,30}")


def _receiver(name: str, fallback: str | None = None, **members: Any) -> Receiver:
    kind = exactly_one("a receiver", members, "alertmanager", "pagerduty", "slack", "webhook")
    return Receiver(name=name, kind=kind, severities=frozenset(members.get("for", Severity)), fallback=fallback)


def _slack_form(value: Any) -> str | None:
    """The form that is meant; None where it is neither, or both."""
    if not isinstance(value, dict):
        return None
    hook, bot = "webhook_url" in value, "bot_token" in value or "channel" in value
    return ("hook" if hook else "bot") if hook is not bot else None


def _channel(value: object) -> str:
    text = string(value, "the id of a channel, such as C0123ABCD")
    if not _CHANNEL.fullmatch(text):
        raise wrong(
            f"{quoted(text)} is not the id of a channel",
            "an id such as C0123ABCD stands at the end of the channel's details in Slack; names can change",
        )
    return text


def _freeze(**members: Any) -> tuple[int, int]:
    if members["from"] >= members["to"]:
        raise wrong("the freeze ends before it begins", "exchange from and to", key="to")
    return members["from"], members["to"]


def _listen(value: object) -> tuple[str, int]:
    text = string(value, "an address such as 127.0.0.1:9464")
    found = _LISTEN.fullmatch(text)
    if found is None or int(found["port"]) > 65535:
        raise wrong(f"{quoted(text)} is not an address to listen on", "write HOST:PORT, such as 127.0.0.1:9464")
    return found["host"].strip("[]"), int(found["port"])


def _web(listen: tuple[str, int] | None = None, **members: Any) -> Web:
    tokens = members.get("tokens", ())
    if len({token.name for token in tokens}) < len(tokens):
        raise wrong(
            "two tokens have the same name", "the name tells who did something; give each its own", key="tokens"
        )
    hooks = members.get("webhooks", ())
    if len({hook.name for hook in hooks}) < len(hooks):
        raise wrong("two webhooks have the same name", "it is the last part of their path", key="webhooks")
    if listen is not None:
        members["host"], members["port"] = listen
        members.setdefault("access", "public" if members["host"] in LOOPBACK else "token")
    outside = urlsplit(members.get("external_url") or "")
    if outside.path.strip("/") or outside.query or outside.fragment:
        raise wrong(
            f"external_url ends in {quoted(outside.path or '?')}: figwatch answers at the root of a name alone",
            f"give it a name of its own, such as {outside.scheme}://figwatch.example.com",
            key="external_url",
        )
    if members.get("access") == "token" and not tokens:
        raise wrong(
            "nobody could look: reading needs a token here, and there is none",
            "name one under web.tokens, or write access: public for everybody who reaches the address",
        )
    return Web(**members)


def _network(value: object) -> str:
    from ipaddress import ip_network  # only who stands behind a proxy needs it

    text = string(value, "an address or a network")
    try:
        return str(ip_network(text))
    except ValueError:
        raise wrong(
            f"{quoted(text)} is not an address and not a network", "write 10.0.0.7, 10.0.0.0/8 or fd00::/8"
        ) from None


SLACK = one_of(
    _slack_form,
    {
        "hook": record(Slack, {"webhook_url": need(SECRET, "of an incoming webhook")}),
        "bot": record(
            SlackBot,
            {
                "bot_token": need(SECRET, "of an app with the scope chat:write"),
                "channel": need(scalar(_channel, STR), "id of the channel; the bot must be in it"),
                "url": may(URL, "where the Web API is"),
            },
        ),
    },
    "slack takes either webhook_url, or bot_token and channel",
)

RECEIVER = record(
    _receiver,
    {
        "name": need(NAME, "unique"),
        "alertmanager": may(ALERTMANAGER, "Alertmanager, one or a cluster"),
        "pagerduty": may(
            record(
                PagerDuty,
                {
                    "routing_key": need(SECRET, "of an Events API v2 integration"),
                    "url": may(URL, "where events are sent"),
                },
            ),
            "Events API v2",
        ),
        "slack": may(SLACK, "an incoming webhook, or a bot that threads its messages"),
        "webhook": may(
            record(
                Webhook,
                {
                    "url": need(URL_OR_SECRET, "where pages are sent"),
                    "secret": may(SECRET, "signs them with HMAC-SHA256"),
                },
            ),
            "a plain webhook",
        ),
        "for": may(items(choice(Severity)), "page, ticket or both; both if left out"),
        "fallback": may(NAME, "the receiver that takes over what this one refuses"),
    },
)

ALERTING = record(
    Alerting,
    {
        "hold": may(DURATION, "after the last bad tick, before an alert may resolve; 5m if left out"),
        "telemetry_lost_after": may(DURATION, "2m if left out"),
        "traffic_lost_after": may(DURATION, "5m if left out"),
        "exclusion_open_after": may(
            DURATION, "of exclusions left open, before a finding tells of them; 1d if left out"
        ),
    },
)

ROLLBACK = record(
    Rollback,
    {
        "mode": may(choice(Mode), "how far rollbacks go without a person; dry-run if left out"),
        "cool_down": may(DURATION, "between two rollbacks of one route; 30m if left out"),
        "blast_cap": may(whole(1, 1000), "automatic rollbacks of any routes within blast_window; 3 if left out"),
        "blast_window": may(DURATION, "1d if left out"),
        "kill_switch": may(PATH, "while this file exists nothing is rolled back"),
        "freeze": may(
            items(
                record(_freeze, {"from": need(INSTANT, "begin, with offset"), "to": need(INSTANT, "end, with offset")})
            ),
            "no automatic rollback in between",
        ),
        "approval_expires": may(DURATION, "15m if left out"),
        "plans": may(PLANS, "ways back to legacy, by name"),
    },
)

WEB = record(
    _web,
    {
        "listen": may(scalar(_listen, STR), "HOST:PORT, 127.0.0.1:9464 if left out"),
        "external_url": may(URL, "how people reach it, without a path; links are built from it"),
        "tokens": may(
            items(
                record(
                    Token,
                    {
                        "name": need(NAME, "who is named in the audit"),
                        "token": need(SECRET, "the bearer token"),
                        "role": may(word("view", "operate"), "operate if left out"),
                    },
                )
            ),
            "bearer tokens; what changes state needs one",
        ),
        "access": may(word("public", "token"), "who may look; public on loopback and token elsewhere if left out"),
        "webhooks": may(
            items(
                record(
                    IncomingWebhook,
                    {
                        "name": need(NAME, "the last part of its path, /api/v1/webhooks/NAME"),
                        "secret": need(SECRET, "what its POSTs are signed with"),
                        "service": may(NAME, "that is deployed; the other side says so if left out"),
                        "environment": may(STR, "the one whose deployments count, production if left out"),
                    },
                )
            ),
            "systems that tell of deployments",
        ),
        "trusted_proxies": may(
            items(scalar(_network, STR)), "addresses and networks whose X-Forwarded-For is believed"
        ),
        "tls": may(
            record(
                Tls,
                {
                    "certificate": need(PATH, "the agent's own, in PEM, with the chain"),
                    "key": need(PATH, "of the certificate"),
                },
            ),
            "HTTPS without a proxy",
        ),
    },
)

FILE = record(
    lambda **members: members,
    {
        "source": need(SOURCE, "where counts come from"),
        "state": need(
            record(
                lambda **members: members,
                {
                    "sqlite": need(PATH, "the file that holds the state"),
                    "keep": may(DURATION, "how long what ended is remembered; 400d if left out"),
                    "layout": may(
                        word("compact", "default"),
                        "how finely the past of an SLO is kept: about 11 or 46 kB each; default if left out",
                    ),
                },
            ),
            "where state is kept",
        ),
        "slo": may(PATH, "folder of slo/*.yaml, slo beside this file if left out"),
        "runbooks": may(
            record(lambda url: url, {"url": need(URL, "prefix of runbook links")}), "where runbooks are read"
        ),
        "receivers": may(items(RECEIVER), "who is told"),
        "alerting": may(ALERTING, "alerts and recovery"),
        "rollback": may(ROLLBACK, "ways back to legacy"),
        "web": may(WEB, "the agent's own server"),
        "heartbeat": may(
            record(
                Heartbeat,
                {"url": need(URL_OR_SECRET, "called while all is well"), "interval": may(DURATION, "1m if left out")},
            ),
            "an outside watchdog",
        ),
    },
)
"""figwatch.yaml as a pydantic core schema; it yields its members by key."""
