"""Sessions of people who signed in: kept in memory, few, and short. A restart or a reload ends them all."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from figwatch_agent.durations import HOUR, Duration, Instant

IDLE: Final[Duration] = HOUR
"""Without a request for so long, a session ends."""

LONGEST: Final[Duration] = 12 * HOUR
"""So long after it began, a session ends: a shift and its handover."""

MOST: Final = 256
"""Sessions at one time; one more ends the one that was idle longest."""


@dataclass(slots=True, kw_only=True)
class Session:
    """One signed-in browser."""

    name: str  # of the token
    role: str
    begun: Instant
    seen: Instant
    secret: bytes = field(repr=False)  # forms are signed with it; it never leaves the process
    user: str = ""  # who the person said they are, kept for the next form
    flash: str = ""  # what the next page says once

    def form_token(self) -> str:
        """What every form of this session carries."""
        return hmac.new(self.secret, b"figwatch form", sha256).hexdigest()

    def owns(self, given: str) -> bool:
        """Whether a form carries what this session's forms carry."""
        return hmac.compare_digest(self.form_token(), given) if given.isascii() else False

    def ended(self, now: Instant) -> bool:
        """Whether it is over."""
        return now - self.seen > IDLE or now - self.begun > LONGEST


class Sessions:
    """By the digest of their id: the id itself is known to the browser alone."""

    def __init__(self, new_secret: Callable[[], str], most: int = MOST) -> None:
        """``new_secret`` gives a text that nobody can guess, a new one at each call."""
        self._new_secret = new_secret
        self._most = most
        self._sessions: dict[bytes, Session] = {}

    def begin(self, name: str, role: str, now: Instant) -> tuple[str, Session]:
        """A new session and its id. The id is always a new one, so that nobody can be handed one that is known."""
        self._forget_ended(now)
        if len(self._sessions) >= self._most:
            del self._sessions[min(self._sessions, key=lambda key: self._sessions[key].seen)]
        id_ = self._new_secret()
        session = Session(name=name, role=role, begun=now, seen=now, secret=self._new_secret().encode())
        self._sessions[_digest(id_)] = session
        return id_, session

    def find(self, id_: str, now: Instant) -> Session | None:
        """The session of an id, seen now; None where there is none or it is over."""
        session = self._sessions.get(_digest(id_))
        if session is None or session.ended(now):
            return None
        session.seen = max(session.seen, now)
        return session

    def end(self, id_: str) -> None:
        """Forget it; harmless where there is none."""
        self._sessions.pop(_digest(id_), None)

    def __len__(self) -> int:
        return len(self._sessions)

    def _forget_ended(self, now: Instant) -> None:
        self._sessions = {key: session for key, session in self._sessions.items() if not session.ended(now)}


def _digest(id_: str) -> bytes:
    return sha256(id_.encode("utf-8", "surrogateescape")).digest()
