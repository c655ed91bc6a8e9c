"""Deployments told by other systems: each POST is signed with a secret of web.webhooks, and none needs a token.

Two shapes are read. GitHub's ``deployment_status`` event carries ``X-Hub-Signature-256``. The generic one is signed as
figwatch signs what it sends itself: ``X-Figwatch-Signature`` is ``v1=`` and the hex HMAC-SHA256 of
``<timestamp>.<id>.<raw body>``, with ``X-Figwatch-Timestamp`` (seconds) and ``X-Figwatch-Id`` beside it.
"""

import hashlib
import hmac
from typing import Any, Final

from aiohttp import web

from figwatch_agent.durations import MINUTE, SECOND, Duration, Instant
from figwatch_agent.model.event import FAILURE, SUCCESS, Event, EventInvalid, EventKind, read_event
from figwatch_agent.model.settings import IncomingWebhook
from figwatch_agent.web.answers import errors, json_answer
from figwatch_agent.web.deps import Deps
from figwatch_agent.web.events import keep
from figwatch_agent.web.guard import Guard
from figwatch_agent.web.who import visitor
from figwatch_agent.web.wish import BadWish, members_of

ID: Final = "X-Figwatch-Id"
TIMESTAMP: Final = "X-Figwatch-Timestamp"
SIGNATURE: Final = "X-Figwatch-Signature"
GITHUB_EVENT: Final = "X-GitHub-Event"
GITHUB_SIGNATURE: Final = "X-Hub-Signature-256"

FRESH: Final[Duration] = 5 * MINUTE
"""A signature this old is somebody's recording of it."""

_ENDED: Final = {"success": SUCCESS, "failure": FAILURE, "error": FAILURE}
"""States of a deployment_status that say how it ended; the others are on the way there, or past it."""

_FLAT: Final = ("id", "at", "service", "version", "status", "environment", "note")


class Ignored(Exception):
    """Well signed, and nothing to count."""


class Webhooks:
    """POST /api/v1/webhooks/{name}."""

    def __init__(self, deps: Deps, guard: Guard) -> None:
        self._deps = deps
        self._guard = guard

    async def take(self, request: web.Request) -> web.Response:
        """202 once the deployment is durable, 200 where there is none to count."""
        found = self._deps.webhooks.get(request.match_info["name"])
        body = await request.read()
        github = GITHUB_EVENT in request.headers
        now = self._deps.clock.now()
        if found is None or not (_github_signed if github else _signed)(request, body, found[0], now):
            await self._guard.note_refusal(request, "no webhook of this name, or not its signature")
            return errors(401, ["there is no webhook of this name, or the signature is not made with its secret"])
        webhook = found[1]
        try:
            members = members_of(body)
            event = _of_github(request, members, webhook, now) if github else _generic(request, members, webhook, now)
        except Ignored as ignored:
            return json_answer({"taken": 0, "known": 0, "ids": [], "ignored": str(ignored)})
        except BadWish as bad:
            return errors(400, bad.problems)
        except EventInvalid as error:
            return errors(400, [f"{field}: {problem}" if field else problem for field, problem in error.problems])
        return await keep(self._deps, [event], f"webhook {visitor().address}")


def _signed(request: web.Request, body: bytes, secret: str, now: Instant) -> bool:
    stamp, identity = request.headers.get(TIMESTAMP, ""), request.headers.get(ID, "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 13 and identity.isascii()):
        return False
    if abs(now - int(stamp) * SECOND) > FRESH:
        return False
    return _is(request.headers.get(SIGNATURE, ""), "v1=", secret, f"{stamp}.{identity}.".encode("ascii") + body)


def _github_signed(request: web.Request, body: bytes, secret: str, now: Instant) -> bool:
    return _is(request.headers.get(GITHUB_SIGNATURE, ""), "sha256=", secret, body)


def _is(given: str, prefix: str, secret: str, text: bytes) -> bool:
    right = prefix + hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())


def _of_github(request: web.Request, members: dict[str, Any], webhook: IncomingWebhook, now: Instant) -> Event:
    if request.headers[GITHUB_EVENT] != "deployment_status":
        raise Ignored("only deployment_status events are counted")
    status, deployment = _part(members, "deployment_status"), _part(members, "deployment")
    ended = _ENDED.get(str(status.get("state")))
    if ended is None:
        raise Ignored(f"the deployment is {str(status.get('state'))[:40]}, which is no end")
    environment = str(status.get("environment") or deployment.get("environment") or "")
    _wanted(environment, webhook)
    version = str(deployment.get("ref") or "")[:100]
    fields = {
        "service": webhook.service or str(_part(members, "repository").get("name") or ""),
        "version": version or str(deployment.get("sha") or "")[:40],
        "status": ended,
        "environment": environment,
    }
    return _event(fields, f"github-{deployment.get('id')}", str(status.get("created_at") or ""), webhook, now)


def _generic(request: web.Request, members: dict[str, Any], webhook: IncomingWebhook, now: Instant) -> Event:
    unknown = [name for name in members if name not in _FLAT]
    wrong = [name for name, value in members.items() if not isinstance(value, str)]
    if unknown or wrong:
        said = [f"unknown member {name[:40]!r}: there are {', '.join(_FLAT)}" for name in unknown]
        raise BadWish(said + [f"{name[:40]} is a text" for name in wrong])
    _wanted(members.get("environment", ""), webhook)
    fields = {name: text for name, text in members.items() if name not in ("id", "at")}
    fields["service"] = webhook.service or fields.get("service", "")
    return _event(fields, members.get("id") or request.headers[ID], members.get("at", ""), webhook, now)


def _wanted(environment: str, webhook: IncomingWebhook) -> None:
    if webhook.environment and environment and environment != webhook.environment:
        raise Ignored(f"deployments to {environment[:40]} are not counted, those to {webhook.environment} are")


def _event(fields: dict[str, str], id_: str, at: str, webhook: IncomingWebhook, now: Instant) -> Event:
    actor = f"webhook {webhook.name}"
    return read_event(EventKind.DEPLOYMENT.value, fields, id_=id_, at=at or now, actor=actor, now=now)


def _part(members: dict[str, Any], name: str) -> dict[str, Any]:
    found = members.get(name)
    if not isinstance(found, dict):
        raise BadWish([f"{name} is missing"])
    return found
