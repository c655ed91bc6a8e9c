"""Puts a wish where the loop finds it: over HTTP where an agent and a token are at hand, else into the inbox itself."""

import getpass
import os
import socket
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Final

import click

from figwatch_agent.commands._agent import AgentClient, client_of, usable_token
from figwatch_agent.commands._options import loaded_from, say_json
from figwatch_agent.durations import SECOND, Duration, Instant, format_instant
from figwatch_agent.errors import AgentUnreachable, FigwatchError
from figwatch_agent.model.command import Command, CommandKind
from figwatch_agent.model.settings import Settings
from figwatch_agent.store.writer import open_inbox

LONGEST_WAIT: Final[Duration] = 10 * SECOND
"""For the loop to decide; it does at its next tick."""

POLL: Final = 0.1
"""Seconds."""


class WishRefused(FigwatchError):
    """The agent decided against it and said why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is wished for."""

    kind: CommandKind
    subject: str
    why: str = ""
    lasting: Duration | None = None
    plan_digest: str | None = None
    data: tuple[tuple[str, str], ...] = ()
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Where a wish went."""

    id: str
    way: str  # "api" or "inbox"
    actor: str
    running: bool  # whether an agent answers


def send(wish: Wish, *, config: str, dry_run: bool, output: str) -> None:
    """Send a wish, wait for what is decided, and say so. Raises WishRefused, AgentRefused, StoreError."""
    settings = loaded_from(config).settings
    client = client_of(settings.web)
    running = client.answers()
    token = usable_token(settings.web, "operate") if running else None
    if dry_run:
        way = f"POST {client.url}/api/v1/commands as {token[0]}" if token else f"the inbox of {settings.state}"
        _say(output, {"would_send": _plain(wish), "to": way}, f"Would send to {way}: {_in_words(wish)}")
        return
    before = _happened(client) if running else []
    sent = _over_http(wish, client, token) if token else None
    if sent is None:
        sent = _into_inbox(wish, settings, running, token[0] if token else None)
    text = _decided(client, wish, sent, before, settings) if sent.running else ""
    body = {**_plain(wish), "id": sent.id, "way": sent.way, "actor": sent.actor, "decided": text or None}
    _say(output, body, text or _still_open(wish, sent))


def actor() -> str:
    """Who types, as far as this machine knows."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # an account without a name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def _over_http(wish: Wish, client: AgentClient, token: tuple[str, str]) -> Sent | None:
    """None where the agent went away: whether it took the wish or not, the same id in the inbox is the same wish."""
    name, secret = token
    body = {key: value for key, value in _plain(wish).items() if value is not None}
    body["data"] = {**dict(wish.data), "user": actor()}
    try:
        headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": wish.id}
        answer = client.post("/api/v1/commands", body, headers)
    except AgentUnreachable:
        return None
    return Sent(id=str(answer.get("id", wish.id)), way="api", actor=name, running=True)


def _into_inbox(wish: Wish, settings: Settings, running: bool, token: str | None) -> Sent:
    now: Instant = time.time_ns() // 1_000_000
    command = Command(
        id=wish.id if token is None else f"{token}/{wish.id}",
        kind=wish.kind,
        at=now,
        actor=actor(),
        origin="cli",
        subject=wish.subject,
        why=wish.why,
        until=None if wish.lasting is None else now + wish.lasting,
        plan_digest=wish.plan_digest,
        data=wish.data,
    )
    with open_inbox(settings.state) as inbox:
        inbox.put(command)
    return Sent(id=command.id, way="inbox", actor=command.actor, running=running)


def _happened(client: AgentClient) -> list[dict[str, Any]]:
    try:
        found = client.get("/api/v1/transitions", limit=100).get("transitions", [])
    except FigwatchError:
        return []
    return [one for one in found if isinstance(one, dict)]


def _decided(client: AgentClient, wish: Wish, sent: Sent, before: list[dict[str, Any]], settings: Settings) -> str:
    """What the loop made of it, or "" where it said nothing in time. Raises WishRefused."""
    end = time.monotonic() + min(2 * settings.interval + SECOND, LONGEST_WAIT) / SECOND
    while time.monotonic() < end:
        for one in _happened(client):
            if one not in before and _answers(one, wish, sent):
                text = str(one.get("text", ""))
                if one.get("kind") == "command_refused":
                    raise WishRefused(text)
                return text
        time.sleep(POLL)
    return ""


def _answers(transition: dict[str, Any], wish: Wish, sent: Sent) -> bool:
    """Whether it says what became of the wish. An approval makes the guard decide, and that decision is the guard's."""
    if wish.kind is CommandKind.APPROVE and transition.get("kind") == "decided":
        return transition.get("subject") == wish.subject
    return transition.get("actor") == sent.actor


def _plain(wish: Wish) -> dict[str, Any]:
    plain = {
        "kind": wish.kind.value,
        "subject": wish.subject,
        "why": wish.why or None,
        "for": None if wish.lasting is None else f"{wish.lasting}ms",
        "plan_digest": wish.plan_digest,
    }
    return {**plain, "data": dict(wish.data)} if wish.data else plain


def _in_words(wish: Wish) -> str:
    now = time.time_ns() // 1_000_000
    until = "" if wish.lasting is None else f" until {format_instant(now + wish.lasting)}"
    return f"{wish.kind.value} {wish.subject}{until}{': ' + wish.why if wish.why else ''}"


def _still_open(wish: Wish, sent: Sent) -> str:
    if sent.running:
        return f"{_in_words(wish)}: taken; the agent decides at its next tick (see `figwatch status`)."
    return f"{_in_words(wish)}: kept in the inbox. No agent answers now; it decides when it runs again."


def _say(output: str, body: dict[str, Any], text: str) -> None:
    if output == "json":
        say_json(body)
    else:
        click.echo(text)
