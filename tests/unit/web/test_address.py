"""Where a request comes from, and whose word about it counts."""

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from figwatch_agent.web.address import Addresses


class Transport:
    """A connection from an address."""

    def __init__(self, peer: str) -> None:
        self._peer = peer

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Where it comes from."""
        return (self._peer, 1) if name == "peername" else default

    def is_closing(self) -> bool:
        """It is open."""
        return False


def of(peer: str, trusted: tuple[str, ...], *forwarded: str) -> str:
    """The address of a request from ``peer`` with these X-Forwarded-For headers."""
    headers = CIMultiDict([("X-Forwarded-For", each) for each in forwarded])
    return Addresses(trusted).of(make_mocked_request("GET", "/", headers=headers, transport=Transport(peer)))


@pytest.mark.parametrize(
    ("peer", "trusted", "forwarded", "address"),
    [
        ("192.0.2.9", (), ("198.51.100.1",), "192.0.2.9"),  # nobody is trusted
        ("192.0.2.9", ("10.0.0.0/8",), ("198.51.100.1",), "192.0.2.9"),  # a stranger says so
        ("10.0.0.1", ("10.0.0.0/8",), ("198.51.100.1",), "198.51.100.1"),
        ("10.0.0.1", ("10.0.0.0/8",), ("203.0.113.7, 198.51.100.1",), "198.51.100.1"),  # the nearest that is not ours
        ("10.0.0.1", ("10.0.0.0/8",), ("198.51.100.1, 10.0.0.2",), "198.51.100.1"),  # two proxies
        ("10.0.0.1", ("10.0.0.0/8",), ("198.51.100.1", "10.0.0.2"), "198.51.100.1"),  # in two headers
        ("10.0.0.1", ("10.0.0.0/8",), ("10.0.0.3, 10.0.0.2",), "10.0.0.3"),  # all of them ours
        ("10.0.0.1", ("10.0.0.0/8",), (), "10.0.0.1"),
        ("10.0.0.1", ("10.0.0.0/8",), ("",), "10.0.0.1"),
        ("10.0.0.1", ("10.0.0.0/8",), ("198.51.100.1, nonsense",), "10.0.0.1"),  # what follows cannot be believed
        ("10.0.0.1", ("10.0.0.0/8",), ("198.51.100.1, unknown, 10.0.0.2",), "10.0.0.2"),
        ("10.0.0.1", ("10.0.0.1/32",), (",".join(["198.51.100.1"] * 5000),), "198.51.100.1"),
        ("::ffff:10.0.0.1", ("10.0.0.0/8",), ("198.51.100.1",), "198.51.100.1"),
        ("2001:db8::1:2", (), (), "2001:db8::/64"),
        ("2001:db8::ffff", (), (), "2001:db8::/64"),
        ("::1", (), (), "::1"),
        ("::1", ("::1/128",), ("2001:db8:1:2:3::4",), "2001:db8:1:2::/64"),
        ("fe80::1%eth0", (), (), "fe80::/64"),
    ],
)
def test_the_nearest_address_that_no_trusted_proxy_has(
    peer: str, trusted: tuple[str, ...], forwarded: tuple[str, ...], address: str
) -> None:
    assert of(peer, trusted, *forwarded) == address
