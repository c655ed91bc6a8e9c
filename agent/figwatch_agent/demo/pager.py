"""A pager: PagerDuty Events v2, Slack and plain webhooks in one process that keeps nothing on disk.

Of Slack it speaks incoming webhooks and the Web API. ``GET /seen`` shows everything received, in order of arrival, and
under ``people`` what a person would have seen of it. ``POST /misbehave`` queues failures (429, 500, 400, hang,
drop_reply, slow, reset, not_ok, garbage) for one of them.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from figwatch_agent.clock import AnchoredClock, Clock
from figwatch_agent.demo import child, events_v2, slack_api, slack_hook
from figwatch_agent.demo.misbehaviour import Misbehaviour, Misbehaviours

HANG_LIMIT_SECONDS: Final = 600.0
"""Even a hanging answer ends some day."""
KEPT_LIMIT: Final = 100_000
"""Requests remembered; a pager that is flooded says so instead of growing."""

Judge = Callable[["Received"], web.Response]


@dataclass(slots=True, kw_only=True)
class Received:
    """One request as it arrived, and what became of it."""

    at: int  # arrival, milliseconds since the epoch
    path: str  # pagerduty | slack | slack_api | webhook
    url: str
    headers: Mapping[str, str]
    body: str = ""  # exact: bytes that are no UTF-8 are kept as surrogate escapes
    accepted: bool = False
    refused: bool = False  # with status 200, as the Web API does
    status: int | None = None  # None: no answer was given
    misbehaved: str | None = None

    def as_json(self) -> dict[str, object]:
        """The request in the document of the pager."""
        return {
            "at": self.at,
            "path": self.path,
            "url": self.url,
            "headers": dict(self.headers),
            "body": self.body,
            "accepted": self.accepted,
            "status": self.status,
            "misbehaved": self.misbehaved,
        }


@dataclass(slots=True)
class Pager:
    """The receivers and what they have seen."""

    clock: Clock
    received: list[Received] = field(default_factory=list)
    messages: list[dict[str, object]] = field(default_factory=list)
    alerts: events_v2.Alerts = field(default_factory=events_v2.Alerts)
    workspace: slack_api.Workspace = field(default_factory=slack_api.Workspace)
    misbehaviours: Misbehaviours = field(default_factory=Misbehaviours)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def app(self) -> web.Application:
        """The web application, for a process or for a test."""
        app = web.Application(client_max_size=2 * events_v2.BODY_LIMIT)  # memory; the exact limit is checked below
        app.router.add_post("/v2/enqueue", self._pagerduty)
        app.router.add_post("/services/{team}/{bot}/{secret}", self._slack)
        app.router.add_post("/api/{method}", self._slack_api)
        app.router.add_post("/hook", self._webhook)
        app.router.add_post("/misbehave", self._misbehave)
        app.router.add_get("/seen", self._seen)
        app.router.add_get("/healthz", _healthz)
        app.on_shutdown.append(self._stop)
        return app

    def seen(self) -> dict[str, object]:
        """Everything received, and what a person would have seen of it: alerts first, then messages."""
        return {
            "received": [one.as_json() for one in self.received],
            "people": self.people(),
        }

    def people(self) -> list[dict[str, object]]:
        """What a person would have seen: alerts, then messages."""
        return [*self.alerts.seen(), *self.messages, *(one.as_json() for one in self.workspace.messages)]

    async def _pagerduty(self, request: web.Request) -> web.Response:
        return await self._receive(request, "pagerduty", self._judge_event)

    async def _slack(self, request: web.Request) -> web.Response:
        return await self._receive(request, "slack", self._judge_message)

    async def _slack_api(self, request: web.Request) -> web.Response:
        return await self._receive(request, "slack_api", self._judge_call)

    async def _webhook(self, request: web.Request) -> web.Response:
        return await self._receive(request, "webhook", lambda _: web.json_response({"ok": True}))

    async def _receive(self, request: web.Request, path: str, judge: Judge) -> web.Response:
        if len(self.received) >= KEPT_LIMIT:
            return web.Response(status=503, text=f"this pager keeps {KEPT_LIMIT} requests and is full: start another")
        order = self.misbehaviours.next(path)
        one = Received(at=self.clock.now(), path=path, url=request.path, headers=dict(request.headers))
        one.misbehaved = None if order is None else order.act
        self.received.append(one)
        if order is not None and order.act == "reset":
            return child.abort(request)
        raw = await request.read()
        if len(raw) > events_v2.BODY_LIMIT:
            one.status = 413
            return web.Response(status=413, text=f"a body may have {events_v2.BODY_LIMIT} bytes, not {len(raw)}")
        one.body = raw.decode("utf-8", "surrogateescape")
        return await self._answer(request, one, order, judge)

    async def _answer(
        self, request: web.Request, one: Received, order: Misbehaviour | None, judge: Judge
    ) -> web.Response:
        if order is not None and order.act.isdigit():
            one.status = int(order.act)
            headers = {} if order.retry_after is None else {"Retry-After": order.retry_after}
            return web.Response(status=one.status, text="told to refuse", headers=headers)
        if order is not None and order.act == "hang":
            await self._pause(HANG_LIMIT_SECONDS)
            return _hang_up(request)
        if order is not None and order.act == "slow":
            await self._pause(order.delay / 1000)
        if order is not None and order.act == "not_ok":
            one.status = 200
            return web.json_response({"ok": False, "error": order.error})
        response = judge(one)
        one.accepted = response.status < 300 and not one.refused
        if order is not None and order.act == "garbage":
            one.status = 200
            return web.Response(text=order.error)
        if order is not None and order.act == "drop_reply":
            return _hang_up(request)
        one.status = response.status
        return response

    def _judge_event(self, one: Received) -> web.Response:
        event = _json(one.body)
        errors = events_v2.refusals(event)
        if errors or not isinstance(event, dict):
            refused = {"status": "invalid event", "message": "Event object is invalid", "errors": errors}
            return web.json_response(refused, status=400)
        key = self.alerts.take(event, self.clock.now())
        return web.json_response({"status": "success", "message": "Event processed", "dedup_key": key}, status=202)

    def _judge_message(self, one: Received) -> web.Response:
        refused = slack_hook.refusal(one.body)
        if refused:
            return web.Response(status=400, text=refused)
        text = slack_hook.text_of(one.body)
        self.messages.append(
            {"receiver": "slack", "key": one.url, "summary": text, "state": "message", "at": self.clock.now()}
        )
        return web.Response(text="ok")

    def _judge_call(self, one: Received) -> web.Response:
        said = self.workspace.call(
            one.url.rpartition("/")[2], one.headers.get("Authorization", ""), one.body, self.clock.now()
        )
        one.refused = said["ok"] is not True
        return web.json_response(said)

    async def _misbehave(self, request: web.Request) -> web.Response:
        try:
            self.misbehaviours.order(await request.json())
        except ValueError as wrong:
            return web.json_response({"error": str(wrong)}, status=400)
        return web.json_response({"ok": True})

    async def _seen(self, _: web.Request) -> web.Response:
        return web.json_response(self.seen())

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return

    async def _stop(self, _: web.Application) -> None:
        self.stopping.set()


async def _healthz(_: web.Request) -> web.Response:
    return web.json_response({"ok": True})


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.close()
    return web.Response(status=500)


def _json(text: str) -> object:
    try:
        document: object = json.loads(text)
    except ValueError:
        return None
    return document


async def _create() -> web.Application:
    return Pager(clock=AnchoredClock()).app()


if __name__ == "__main__":
    child.serve(_create())
