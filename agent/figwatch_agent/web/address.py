"""Where a request comes from, where proxies stand in between that are trusted to say so."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from aiohttp import web

UNKNOWN: Final = "unknown"
"""The address of whoever has none."""

_MOST_HOPS: Final = 20
"""Members of X-Forwarded-For that are looked at, from the nearest."""


class Addresses:
    """Believes X-Forwarded-For of trusted proxies alone, from the nearest hop outwards."""

    def __init__(self, trusted: Sequence[str]) -> None:
        """``trusted``: addresses and networks."""
        self._trusted = [ip_network(each) for each in trusted]

    def of(self, request: web.Request) -> str:
        """The nearest address that no trusted proxy has. An IPv6 one counts as its /64, which is one household."""
        near = request.remote or UNKNOWN
        if self._trusted and self._is_trusted(near):
            hops = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
            for hop in reversed([hop.strip() for hop in hops[-_MOST_HOPS:]]):
                if _parsed(hop) is None:
                    break  # whatever stands further out was not written by who we trust
                near = hop
                if not self._is_trusted(hop):
                    break
        return _household(near)

    def _is_trusted(self, address: str) -> bool:
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in self._trusted)


def _household(address: str) -> str:
    if ":" not in address:
        return address
    parsed = _parsed(address)
    if not isinstance(parsed, IPv6Address):
        return UNKNOWN if parsed is None else str(parsed)
    return str(parsed) if parsed.is_loopback else str(ip_network((parsed, 64), strict=False))


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return parsed.ipv4_mapped or parsed if isinstance(parsed, IPv6Address) else parsed
