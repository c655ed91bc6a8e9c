"""Takes wishes into the durable inbox. The loop alone decides what becomes of them."""

from aiohttp import web

from figwatch_agent.durations import format_instant
from figwatch_agent.model.command import Command
from figwatch_agent.web.answers import errors, json_answer
from figwatch_agent.web.deps import Deps
from figwatch_agent.web.token import Tokens
from figwatch_agent.web.wish import BadWish, Wish, read_wish

LONGEST_KEY = 200
"""Characters of an Idempotency-Key."""


class Commands:
    """POST /api/v1/commands."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._tokens = Tokens(deps.tokens)

    async def take(self, request: web.Request) -> web.Response:
        """202 once the wish is durable. The same Idempotency-Key of the same token again is the same wish."""
        actor = self._tokens.operator(request)
        if not isinstance(actor, str):
            status, problem = actor
            challenge = {"WWW-Authenticate": 'Bearer realm="figwatch"'} if status == 401 else None
            return errors(status, [problem], challenge)
        key = request.headers.get("Idempotency-Key")
        problems = [] if key is None or _usable(key) else [_BAD_KEY]
        try:
            wish = read_wish(await request.read(), self._deps.clock.now())
        except BadWish as bad:
            return errors(400, [*problems, *bad.problems])
        if problems:
            return errors(400, problems)
        return await self._keep(wish, command_id(actor, key) if key else self._deps.new_id(), actor, request)

    async def _keep(self, wish: Wish, name: str, actor: str, request: web.Request) -> web.Response:
        command = Command(
            id=name,
            kind=wish.kind,
            at=self._deps.clock.now(),
            actor=actor,
            origin=f"api {request.remote}",
            subject=wish.subject,
            why=wish.why,
            until=wish.until,
            plan_digest=wish.plan_digest,
            data=wish.data,
        )
        await self._deps.inbox.put(command)
        until = None if command.until is None else format_instant(command.until)
        body = {"id": command.id, "kind": command.kind.value, "subject": command.subject, "until": until}
        return json_answer(body, 202)


def command_id(token: str, key: str) -> str:
    """One per token and key, so that nobody can take the place of another's wish."""
    return f"{token}/{key}"


def _usable(key: str) -> bool:
    return 0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()


_BAD_KEY = f"Idempotency-Key has 1 to {LONGEST_KEY} printable ASCII characters"
