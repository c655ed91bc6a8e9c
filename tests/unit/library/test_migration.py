"""Who serves a request."""

from functools import partial
from typing import Any

import pytest

from figwatch.errors import DefinitionError
from figwatch.migration import SideRule
from support.library import fresh_telemetry

TOKEN = "s3cret"


@pytest.mark.parametrize(
    ("own", "status", "token", "side", "reason"),
    [
        ("service", None, None, "service", None),  # no header: its own side
        ("legacy", None, None, "legacy", None),
        ("service", None, TOKEN, "service", None),  # a token alone says nothing
        ("service", "legacy", TOKEN, "legacy", None),  # trusted: the header wins
        ("legacy", "service", TOKEN, "service", None),
        ("service", "shadow", TOKEN, "shadow", None),
        ("service", " Legacy ", TOKEN, "legacy", None),
        ("service", "unknown", TOKEN, "unknown", "unknown_value"),  # nobody may say unknown
        ("service", "canary", TOKEN, "unknown", "unknown_value"),
        ("service", "", TOKEN, "unknown", "unknown_value"),
        ("service", "legacy,service", TOKEN, "unknown", "unknown_value"),  # sent twice
        ("service", "legacy", None, "service", "untrusted"),
        ("service", "legacy", "guess", "service", "untrusted"),
        ("service", "legacy", f"{TOKEN},{TOKEN}", "service", "untrusted"),
        ("service", "legacy", "gän\udcff", "service", "untrusted"),  # bytes that are no text
        ("service", "nonsense", "guess", "service", "untrusted"),  # an untrusted value is not even read
    ],
)
def test_the_side_is_decided_by_the_rule(
    own: str, status: str | None, token: str | None, side: str, reason: str | None
) -> None:
    telemetry = fresh_telemetry()
    rule = SideRule(own, TOKEN, telemetry.health)
    assert rule.decide(status, token) == side
    (refused,) = [f for f in telemetry.cells.families() if f.definition.name.startswith("figwatch_untrusted")]
    assert [reading.labels for reading in refused.readings()] == ([(reason,)] if reason else [])


@pytest.mark.parametrize("secret", [None, ""])
def test_without_a_secret_no_header_is_believed(secret: str | None) -> None:
    rule = SideRule("service", secret, fresh_telemetry().health)
    assert rule.decide("legacy", "") == "service"
    assert rule.decide("legacy", "anything") == "service"


@pytest.mark.parametrize("own", ["shadow", "unknown", "Legacy", ""])
def test_an_application_declares_only_service_or_legacy(own: str) -> None:
    with pytest.raises(DefinitionError, match="side='service' or side='legacy'"):
        SideRule(own, None, fresh_telemetry().health)


NETWORKS = ("10.0.0.0/8", "2001:db8::/32", "192.168.1.7")


@pytest.mark.parametrize(
    ("peer", "side"),
    [
        ("10.1.2.3", "legacy"),
        ("192.168.1.7", "legacy"),
        ("2001:db8::1", "legacy"),
        ("::ffff:10.1.2.3", "legacy"),  # a server that listens on both kinds of address
        ("11.1.2.3", "service"),
        ("192.168.1.8", "service"),
        ("unix:/run/x", "service"),
        ("", "service"),
        (None, "service"),
    ],
)
def test_a_peer_in_a_trusted_network_is_believed_without_a_token(peer: str | None, side: str) -> None:
    rule = SideRule("service", None, fresh_telemetry().health, NETWORKS)
    for _ in range(2):  # the second answer is remembered
        assert rule.decide("legacy", None, lambda: peer) == side


def test_without_networks_nobody_is_asked_for_the_peer() -> None:
    def never() -> str:
        raise AssertionError

    assert SideRule("service", "s3cret", fresh_telemetry().health).decide("legacy", "guess", never) == "service"


def test_a_flood_of_peers_is_not_remembered() -> None:
    rule = SideRule("service", None, fresh_telemetry().health, NETWORKS)
    for number in range(3_000):
        rule.decide("legacy", None, partial("11.0.{}.{}".format, number // 250, number % 250))
    assert len(rule._peers) <= 1_000


@pytest.mark.parametrize("networks", ["10.0.0.0/8", ("10.0.0.1/8",), ("everywhere",)])
def test_networks_that_are_none_are_refused(networks: Any) -> None:
    with pytest.raises(DefinitionError, match="trust_networks"):
        SideRule("service", None, fresh_telemetry().health, networks)
