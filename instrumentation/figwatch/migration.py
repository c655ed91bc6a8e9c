"""Who serves this request: the application's own side, or what a trusted gateway says.

A migration header is believed only where it comes from the gateway: beside a token that equals the shared secret, or
from a peer in a trusted network. A trusted header that says legacy, service or shadow wins over the application's own
side; any other trusted value is `unknown`, and counted; an untrusted header is ignored, and counted.
"""

import hmac
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from figwatch import contract
from figwatch.errors import DefinitionError
from figwatch.health import Health

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

STATED_SIDES: Final = frozenset({"legacy", "service", "shadow"})
"""What a gateway may say; `unknown` is only ever our own conclusion."""

_PEERS: Final = 1_000  # addresses whose answer is remembered


class SideRule:
    """Decides the side of each request of one application."""

    def __init__(self, own: str, trust_token: str | None, health: Health, trust_networks: Sequence[str] = ()) -> None:
        """`own` is the declared side; without a token or a network no header is believed. Raises DefinitionError."""
        if own not in ("service", "legacy"):
            raise DefinitionError(f"side {own!r} is not known: an application declares side='service' or side='legacy'")
        self.own = own
        self._token = trust_token.encode() if trust_token else None
        self._networks = _networks(trust_networks)
        self._peers: dict[str, bool] = {}
        self._health = health

    def decide(self, status: str | None, token: str | None, peer: Callable[[], str | None] | None = None) -> str:
        """One of `contract.SIDES`, from the values of the migration status and token headers.

        `peer` gives the address of whoever opened the connection; it is asked only where networks are trusted.
        """
        if status is None:
            return self.own
        if not (self._trusts(token) or (self._networks and peer is not None and self._near(peer()))):
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

    def _near(self, peer: str | None) -> bool:
        if peer is None:
            return False
        known = self._peers.get(peer)
        if known is None:
            known = _within(peer, self._networks)
            if len(self._peers) < _PEERS:
                self._peers[peer] = known
        return known


def _networks(written: Sequence[str]) -> "tuple[IPv4Network | IPv6Network, ...]":
    if isinstance(written, str):
        raise DefinitionError(f"trust_networks is a sequence: write ({written!r},)")
    named = [each.strip() for each in written if each.strip()]
    if not named:
        return ()
    from ipaddress import ip_network  # only for those who trust a network

    try:
        return tuple(ip_network(each) for each in named)
    except ValueError as wrong:
        raise DefinitionError(f"trust_networks {written!r}: {wrong}; write networks such as '10.0.0.0/8'") from wrong


def _within(peer: str, networks: "tuple[IPv4Network | IPv6Network, ...]") -> bool:
    from ipaddress import ip_address

    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return False  # a Unix socket, or what a proxy wrote
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in networks)
