"""Takes wishes into the durable inbox. The loop alone decides what becomes of them."""

from aiohttp import web

from figwatch_agent.durations import Instant, format_instant
from figwatch_agent.model.command import Command
from figwatch_agent.web.answers import errors, json_answer
from figwatch_agent.web.deps import Deps
from figwatch_agent.web.who import visitor
from figwatch_agent.web.wish import BadWish, Wish, read_wish

LONGEST_KEY = 200
"""Characters of an Idempotency-Key."""


class Commands:
    """POST /api/v1/commands. The guard has seen to it that whoever asks may."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    async def take(self, request: web.Request) -> web.Response:
        """202 once the wish is durable. The same Idempotency-Key of the same token again is the same wish."""
        actor = visitor().name
        key = request.headers.get("Idempotency-Key")
        problems = [] if key is None or usable_key(key) else [_BAD_KEY]
        try:
            wish = read_wish(await request.read(), self._deps.clock.now())
        except BadWish as bad:
            return errors(400, [*problems, *bad.problems])
        if problems:
            return errors(400, problems)
        return await self._keep(wish, command_id(actor, key) if key else self._deps.new_id(), actor)

    async def _keep(self, wish: Wish, name: str, actor: str) -> web.Response:
        origin = f"api {visitor().address}"
        command = command_of(wish, name=name, actor=actor, origin=origin, at=self._deps.clock.now())
        await self._deps.inbox.put(command)
        until = None if command.until is None else format_instant(command.until)
        body = {"id": command.id, "kind": command.kind.value, "subject": command.subject, "until": until}
        return json_answer(body, 202)


def command_of(wish: Wish, *, name: str, actor: str, origin: str, at: Instant) -> Command:
    """The command that a wish becomes: ``name`` is its id, ``actor`` wished it, ``origin`` is from where."""
    return Command(
        id=name,
        kind=wish.kind,
        at=at,
        actor=actor,
        origin=origin,
        subject=wish.subject,
        why=wish.why,
        until=wish.until,
        plan_digest=wish.plan_digest,
        data=wish.data,
    )


def command_id(token: str, key: str) -> str:
    """One per token and key, so that nobody can take the place of another's wish."""
    return f"{token}/{key}"


def usable_key(key: str) -> bool:
    """Whether it may be part of a command's id."""
    return 0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()


_BAD_KEY = f"Idempotency-Key has 1 to {LONGEST_KEY} printable ASCII characters"
