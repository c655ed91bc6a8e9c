"""Who asks: a name and a role where a token or a session says so, else a stranger."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Literal

from figwatch_agent.web.session import Session

Role = Literal["view", "operate"]

OPERATE: Final = "operate"
"""The role that may change something; ``view`` may only look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Whoever sent the request that is being answered."""

    address: str = ""  # where it came from, behind trusted proxies too
    name: str = ""  # of the token; "" for a stranger
    role: str = ""
    session: Session | None = None  # None for a bearer token, which brings no cookie

    @property
    def known(self) -> bool:
        """Whether a token was shown, now or when the session began."""
        return bool(self.name)

    @property
    def operates(self) -> bool:
        """Whether something may be changed."""
        return self.role == OPERATE


STRANGER: Final = Visitor()

_visitor: ContextVar[Visitor] = ContextVar("visitor", default=STRANGER)


def visitor() -> Visitor:
    """Whoever sent the request that this task answers."""
    return _visitor.get()


def enter(who: Visitor) -> None:
    """From here on this task answers ``who``. The guard alone says so, at every request."""
    _visitor.set(who)
