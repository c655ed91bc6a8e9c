"""Who serves this request: the application's own side, or what a trusted gateway says.

A migration header is believed only beside a token that equals the shared secret. A trusted header that says legacy,
service or shadow wins over the application's own side; any other trusted value is `unknown`, and counted; an untrusted
header is ignored, and counted.
"""

import hmac
from typing import Final

from figwatch import contract
from figwatch.errors import DefinitionError
from figwatch.health import Health

STATED_SIDES: Final = frozenset({"legacy", "service", "shadow"})
"""What a gateway may say; `unknown` is only ever our own conclusion."""


class SideRule:
    """Decides the side of each request of one application."""

    def __init__(self, own: str, trust_token: str | None, health: Health) -> None:
        """`own` is the declared side; without a token no header is believed. Raises DefinitionError."""
        if own not in ("service", "legacy"):
            raise DefinitionError(f"side {own!r} is not known: an application declares side='service' or side='legacy'")
        self.own = own
        self._token = trust_token.encode() if trust_token else None
        self._health = health

    def decide(self, status: str | None, token: str | None) -> str:
        """One of `contract.SIDES`, from the values of the migration status and token headers."""
        if status is None:
            return self.own
        if not self._trusts(token):
            self._health.header_refused("untrusted")
            return self.own
        side = status.strip().lower()
        if side in STATED_SIDES:
            return side
        self._health.header_refused("unknown_value")
        return contract.UNKNOWN_SIDE

    def _trusts(self, token: str | None) -> bool:
        if self._token is None or token is None:
            return False
        return hmac.compare_digest(token.encode("utf-8", "surrogateescape"), self._token)
