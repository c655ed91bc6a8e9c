"""Wishes of people in a browser: a form, and what becomes of it. The loop alone decides."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from aiohttp import web

from figwatch_agent.durations import format_instant
from figwatch_agent.errors import StoreError
from figwatch_agent.model.command import CommandKind
from figwatch_agent.report.records import step_document
from figwatch_agent.web.commands import command_id, command_of, usable_key
from figwatch_agent.web.csrf import local_path
from figwatch_agent.web.deps import Deps
from figwatch_agent.web.doors import Doors, Form, PlannedSteps
from figwatch_agent.web.fields import KINDS, beside, read_fields, wish_in
from figwatch_agent.web.guard import Guard
from figwatch_agent.web.session import Session
from figwatch_agent.web.who import visitor
from figwatch_agent.web.wish import BadWish, Wish


class Acting:
    """GET and POST /act/{kind}. The guard has seen to it that there is a session that may."""

    def __init__(self, deps: Deps, guard: Guard, doors: Doors) -> None:
        self._deps = deps
        self._guard = guard
        self._doors = doors

    async def ask(self, request: web.Request) -> web.Response:
        """The form about ``?subject=``."""
        session, kind = _session(), _kind(request)
        given = {"subject": request.query.get("subject", ""), "next": request.query.get("next", "")}
        return self._doors.form(self._form(kind, given, session), session)

    async def take(self, request: web.Request) -> web.Response:
        """Back to where they came from once the wish is durable; the form again where something is wrong with it."""
        session, kind = _session(), _kind(request)
        fields = read_fields(request, await request.read())
        if not session.owns(fields.get("form_token", "")):
            await self._guard.note_refusal(request, "the form is not one of this session")
            problem = "this form is older than your session; nothing was sent, send it again if it still holds"
            return self._doors.form(self._form(kind, fields, session, [problem]), session, 403)
        session.user = fields.get("user", "").strip()[:80]
        try:
            wish = wish_in(kind, fields, self._deps.clock.now())
        except BadWish as bad:
            return self._doors.form(self._form(kind, fields, session, bad.problems), session, 400)
        return await self._keep(wish, fields, session)

    async def _keep(self, wish: Wish, fields: Mapping[str, str], session: Session) -> web.Response:
        key = fields.get("key", "")
        name = command_id(session.name, key) if usable_key(key) else self._deps.new_id()
        command = command_of(
            wish, name=name, actor=session.name, origin=f"page {visitor().address}", at=self._deps.clock.now()
        )
        try:
            await self._deps.inbox.put(command)
        except StoreError as error:
            problem = f"the state cannot be written now ({error}); nothing was taken, send it again in a moment"
            return self._doors.form(self._form(wish.kind.value, fields, session, [problem]), session, 503)
        until = "" if command.until is None else f" until {format_instant(command.until)}"
        session.flash = f"{KINDS[wish.kind.value]}: taken{until}; the agent decides at its next tick."
        return web.Response(status=303, headers={"Location": self._onward(fields)})

    def _form(self, kind: str, fields: Mapping[str, str], session: Session, problems: list[str] | None = None) -> Form:
        subject = fields.get("subject", "")
        incident = self._incident(subject)
        plan, blocked = self._plan(incident, fields) if kind == CommandKind.APPROVE else (None, "")
        key = fields.get("key", "")
        return Form(
            kind=kind,
            subject=subject,
            about=_about(subject, incident),
            next=self._onward(fields),
            token=session.form_token(),
            key=key if usable_key(key) else self._deps.new_id(),
            values={"user": session.user, **fields},
            problems=beside(problems or []),
            plan=plan,
            blocked=blocked,
        )

    def _plan(self, incident: Mapping[str, Any] | None, fields: Mapping[str, str]) -> tuple[PlannedSteps | None, str]:
        """The plan that awaits approval, or why there is none: a form stays bound to the plan that was read on it."""
        decision = incident["decision"] if incident is not None and incident["open"] else None
        if decision is None or decision["outcome"] != "awaiting_approval":
            return None, "Nothing awaits approval here: what the guard decided is on the incident's page."
        digest, plan = self._deps.plans.get(str(decision["plan"]), ("", None))
        if plan is None or digest != decision["plan_digest"]:
            return None, "The plan was changed since the guard decided on it: wait for it to decide again."
        if fields.get("plan_digest", digest) != digest:
            return None, "The plan was changed since you read it: open this form anew, and read it again."
        shown = PlannedSteps(
            name=plan.name,
            digest=digest,
            data=plan.data.value,
            data_loss=plan.data_loss,
            steps=tuple(step_document(step) for step in plan.steps),
        )
        return shown, ""

    def _incident(self, subject: str) -> Mapping[str, Any] | None:
        view = self._deps.publisher.latest
        if view is None:
            return None
        incidents: Any = self._deps.document(view, self._deps.healthy())["incidents"]
        return next((one for one in incidents if one["id"] == subject), None)

    def _onward(self, fields: Mapping[str, str]) -> str:
        given = local_path(fields.get("next", ""))
        subject = fields.get("subject", "")
        if given != "/" or self._incident(subject) is None:
            return given
        return f"/incidents/{quote(subject, safe='')}"


def flash() -> str:
    """What the next page says once to whoever asks now; "" where there is nothing. Asking takes it away."""
    session = visitor().session
    if session is None:
        return ""
    text, session.flash = session.flash, ""
    return text


def _session() -> Session:
    session = visitor().session
    if session is None:
        raise web.HTTPUnauthorized
    return session


def _kind(request: web.Request) -> str:
    kind = request.match_info["kind"]
    if kind not in KINDS:
        raise web.HTTPNotFound
    return kind


def _about(subject: str, incident: Mapping[str, Any] | None) -> str:
    if incident is None:
        return subject
    state = "open" if incident["open"] else "resolved"
    return f"{incident['route'] or 'figwatch itself'}: incident {subject}, {incident['severity']}, {state}"
