"""Signing in with a token and out again. The token is sent once, in a form's body, and never kept."""

from aiohttp import web

from figwatch_agent.errors import StoreError
from figwatch_agent.model.audit import AuditKind, AuditNote
from figwatch_agent.web.csrf import local_path
from figwatch_agent.web.deps import Deps
from figwatch_agent.web.doors import Doors
from figwatch_agent.web.fields import read_fields
from figwatch_agent.web.guard import CHALLENGE, Guard, Refused
from figwatch_agent.web.session import LONGEST
from figwatch_agent.web.who import visitor


class Signing:
    """GET and POST /sign-in, POST /sign-out."""

    def __init__(self, deps: Deps, guard: Guard, doors: Doors) -> None:
        self._deps = deps
        self._guard = guard
        self._doors = doors

    async def ask(self, request: web.Request) -> web.Response:
        """The form."""
        return self._doors.sign_in(request, 200, "", {}, onward=request.query.get("next") or "/")

    async def begin(self, request: web.Request) -> web.Response:
        """A new session for whoever has a token, with a new id: one that was there before ends."""
        now, address = self._deps.clock.now(), visitor().address
        fields = read_fields(request, await request.read())
        onward = local_path(fields.get("next", "/"))
        try:
            self._guard.needs_own_page(request)
            if wait := self._guard.failures.wait(address, now):
                raise Refused(429, "too many wrong tokens from this address; wait a moment", wait)
            found = self._guard.tokens.find(fields.get("token", "").strip())
            if found is None:
                self._guard.failures.take(address, now)
                raise Refused(401, "this token is not known here")
        except Refused as refused:
            await self._guard.note_refusal(request, refused.problem)
            headers = dict(CHALLENGE) if refused.status == 401 else {}
            if refused.wait:
                headers["Retry-After"] = str(-(-refused.wait // 1000))
            return self._doors.sign_in(request, refused.status, refused.problem, headers, onward=onward)
        self._guard.sessions.end(request.cookies.get(self._guard.cookie, ""))
        id_, session = self._guard.sessions.begin(*found, now)
        await self._note(AuditKind.SIGN_IN, session.name, session.role)
        answer = web.Response(status=303, headers={"Location": onward})
        answer.set_cookie(
            self._guard.cookie,
            id_,
            path="/",
            max_age=LONGEST // 1000,
            secure=self._deps.gate.secure,
            httponly=True,
            samesite="Strict",
        )
        return answer

    async def end(self, request: web.Request) -> web.Response:
        """The session is over, here and in the browser."""
        session = visitor().session
        fields = read_fields(request, await request.read())
        if session is None or not session.owns(fields.get("form_token", "")):
            await self._guard.note_refusal(request, "the form is not one of this session")
            return self._doors.sign_in(
                request, 403, "the form was of another session; nothing was done", {}, onward="/"
            )
        self._guard.sessions.end(request.cookies.get(self._guard.cookie, ""))
        await self._note(AuditKind.SIGN_OUT, session.name, session.role)
        answer = web.Response(
            status=303, headers={"Location": "/" if self._deps.gate.access == "public" else "/sign-in"}
        )
        answer.del_cookie(self._guard.cookie, path="/", secure=self._deps.gate.secure, httponly=True, samesite="Strict")
        return answer

    async def _note(self, kind: AuditKind, name: str, role: str) -> None:
        note = AuditNote(
            at=self._deps.clock.now(), kind=kind, actor=name, origin=f"page {visitor().address}", subject=role
        )
        try:
            await self._deps.audit.note(note)
        except StoreError:  # whoever has the token may come in while the state is gone: then above all
            self._deps.telemetry.commit_failed()
