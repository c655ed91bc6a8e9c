"""Stands before every handler: how often, who, whether they may, and what a stranger gets to see of the answer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from figwatch_agent.durations import SECOND, Duration
from figwatch_agent.web.access import RULES, Rule, key_of, rule_of
from figwatch_agent.web.address import Addresses
from figwatch_agent.web.answers import errors
from figwatch_agent.web.caps import Buckets
from figwatch_agent.web.csrf import Places
from figwatch_agent.web.deps import Deps
from figwatch_agent.web.doors import Doors
from figwatch_agent.web.refusals import Refusals
from figwatch_agent.web.session import Sessions
from figwatch_agent.web.token import Tokens, bearer
from figwatch_agent.web.who import OPERATE, Visitor, enter, visitor

BODY_TIMEOUT: Final = 10.0
"""Seconds in which a body has to be there; a command is a few hundred bytes."""

LONGEST_URL: Final = 4096
"""Characters of path and query."""

CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="figwatch"'}

_TEXTS: Final = ("text/html", "text/plain", "text/markdown", "application/json", "image/svg+xml")
_FORMATS: Final = ("/metrics", "/static/")
"""Paths whose answers are the same for everybody and name nothing of the inside."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refused(Exception):
    """The request goes no further; ``status`` and ``problem`` say why."""

    def __init__(self, status: int, problem: str, wait: Duration = 0) -> None:
        super().__init__(problem)
        self.status = status
        self.problem = problem
        self.wait = wait


class Guard:
    """Knows tokens, sessions, caps and places; handlers that sign people in and out share them."""

    def __init__(self, deps: Deps, doors: Doors) -> None:
        gate = deps.gate
        self.tokens = Tokens(deps.tokens)
        self.sessions = Sessions(deps.new_secret)
        self.places = Places(gate.host, gate.external_url)
        self.refusals = Refusals(deps.audit, deps.clock)
        self.failures = Buckets(gate.caps.failures)
        self.cookie = "__Host-figwatch" if gate.secure else "figwatch"
        self._requests = Buckets(gate.caps.requests)
        self._changes = Buckets(gate.caps.changes)
        self._addresses = Addresses(gate.trusted_proxies)
        self._doors = doors
        self._deps = deps
        self._clock = deps.clock

    @web.middleware
    async def before(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """A middleware: the answer of ``handler``, or why there is none."""
        enter(Visitor(address=self._addresses.of(request)))
        try:
            self._count(request)
            self._admit(request)
            if request.method not in ("GET", "HEAD"):
                await _read(request)
        except Refused as refused:
            return await self._refuse(request, refused)
        return self._as_seen(request, await handler(request))

    def shown(self, text: str) -> str:
        """``text`` as whoever asks now may see it: streams pass what they send through this."""
        return text if visitor().known else self._deps.redaction.text(text)

    def _count(self, request: web.Request) -> None:
        now, address = self._clock.now(), visitor().address
        wait = self._requests.take(address, now)
        if not wait and request.method not in ("GET", "HEAD"):
            wait = self._changes.take(address, now)
        if wait:
            raise Refused(429, "too many requests from this address; wait a moment", wait)
        if len(request.raw_path) > LONGEST_URL:
            raise Refused(414, f"the path and its query are longer than {LONGEST_URL} characters")

    def _admit(self, request: web.Request) -> None:
        rule = rule_of(request)
        if rule in (Rule.OPEN, Rule.SIGNED):
            self._recognise(request, strict=False)
            return
        who = self._recognise(request, strict=True)
        if rule is Rule.LOOK:
            if self._deps.gate.access == "token" and not who.known:
                raise Refused(401, "looking needs a token here: sign in, or send Authorization: Bearer TOKEN")
            return
        if rule is Rule.TOKEN:
            self._needs_bearer(who)
        elif rule is Rule.TRUSTED:
            if not who.known:
                raise Refused(401, "this names people: sign in, or send Authorization: Bearer TOKEN")
        elif who.session is None:
            raise Refused(401, "sign in first: this is done with a session")
        if rule in (Rule.TOKEN, Rule.FORM, Rule.TRUSTED) and who.role != OPERATE:
            raise Refused(403, f"the token {who.name} has the role {who.role}; this needs {OPERATE}")
        if who.session is not None and request.method == "POST":
            self.needs_own_page(request)

    def _needs_bearer(self, who: Visitor) -> None:
        if not self.tokens:
            raise Refused(401, "no token is set up: name one under web.tokens in figwatch.yaml")
        if not who.known or who.session is not None:
            raise Refused(401, "this needs a token: Authorization: Bearer TOKEN")

    def needs_own_page(self, request: web.Request) -> None:
        """Raise Refused unless a browser says that a page of this agent sent the form, to a name of this agent."""
        if not self.places.known(request):
            raise Refused(403, "this name is not the agent's: name it as web.external_url in figwatch.yaml")
        if not self.places.from_here(request):
            raise Refused(403, "the form was sent from a page of somebody else; open the one of figwatch and try again")

    def _recognise(self, request: web.Request, *, strict: bool) -> Visitor:
        """Whoever a token or a session says it is. ``strict``: a token that nobody has is refused, not overlooked."""
        given, address = bearer(request), visitor().address
        if given is not None:
            found = self.tokens.find(given)
            if found is None and strict:
                raise Refused(401, "this token is not known here")
            name, role = found or ("", "")
            enter(Visitor(address=address, name=name, role=role))
        elif (id_ := request.cookies.get(self.cookie)) is not None:
            session = self.sessions.find(id_, self._clock.now())
            if session is not None:
                enter(Visitor(address=address, name=session.name, role=session.role, session=session))
        return visitor()

    async def _refuse(self, request: web.Request, refused: Refused) -> web.Response:
        if refused.status in (401, 403) and (bearer(request) or request.method == "POST"):
            await self.note_refusal(request, refused.problem)
        headers = {"Retry-After": str(-(-refused.wait // SECOND))} if refused.wait else {}
        headers |= CHALLENGE if refused.status == 401 else {}
        if refused.status in (401, 403) and wants_page(request):
            return self._doors.sign_in(request, refused.status, refused.problem, headers)
        return errors(refused.status, [refused.problem], headers)

    async def note_refusal(self, request: web.Request, why: str) -> None:
        """One more refusal for the audit."""
        who, key = visitor(), key_of(request)
        origin = "page" if wants_page(request) else "api"
        subject = f"{request.method} {key[1] if key else ''}"
        await self.refusals.note(who.address, origin, why, who.name, subject)

    def _as_seen(self, request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
        if visitor().known or not isinstance(answer, web.Response) or request.path.startswith(_FORMATS):
            return answer
        if answer.content_type in _TEXTS and answer.text is not None:
            shown = self._deps.redaction.text(answer.text)
            if shown != answer.text:
                answer.text = shown
        return answer


def wants_page(request: web.Request) -> bool:
    """Whether a person in a browser asks."""
    form = request.content_type == "application/x-www-form-urlencoded"
    return form or ("text/html" in request.headers.get("Accept", "") and not request.path.startswith("/api/"))


async def _read(request: web.Request) -> None:
    """The whole body, soon; it stays with the request for the handler."""
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            await request.read()
    except TimeoutError:
        raise Refused(408, f"the body did not come within {BODY_TIMEOUT:g} s") from None


__all__ = ["BODY_TIMEOUT", "CHALLENGE", "LONGEST_URL", "RULES", "Guard", "Refused", "wants_page"]
