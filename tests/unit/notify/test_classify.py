"""What an answer says about a delivery."""

import ssl

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from figwatch_agent.model.journal import DeliveryResultKind
from figwatch_agent.notify.classify import of_error, of_status
from figwatch_agent.notify.reasons import CURABLE, DeliveryReason

ACCEPTED, RETRY = DeliveryResultKind.ACCEPTED, DeliveryResultKind.RETRY
REFUSED, UNCONFIRMED = DeliveryResultKind.REFUSED, DeliveryResultKind.UNCONFIRMED
KEY = ConnectionKey("a.example", 443, True, True, None, None, None)


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (200, ACCEPTED, ""),
        (202, ACCEPTED, ""),
        (204, ACCEPTED, ""),
        (301, REFUSED, "redirected"),
        (307, REFUSED, "redirected"),
        (400, REFUSED, "rejected"),
        (401, REFUSED, "rejected"),
        (404, REFUSED, "rejected"),
        (408, RETRY, "server_error"),
        (413, REFUSED, "rejected"),
        (425, RETRY, "server_error"),
        (429, RETRY, "rate_limited"),
        (500, RETRY, "server_error"),
        (503, RETRY, "server_error"),
    ],
)
def test_a_status_says_whether_another_try_can_help(status: int, kind: DeliveryResultKind, reason: str) -> None:
    result = of_status(status, 7, "said")
    assert (result.kind, result.reason) == (kind, reason)
    assert result.retry_after == (7 if kind is RETRY else None)


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (aiohttp.ClientConnectorError(KEY, OSError(111, "refused")), RETRY, "connection_failed"),
        (aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "no name")), RETRY, "name_not_found"),
        (aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLCertVerificationError()), RETRY, "tls_failed"),
        (aiohttp.ConnectionTimeoutError(), RETRY, "connect_timeout"),
        (aiohttp.SocketTimeoutError(), UNCONFIRMED, "no_answer"),
        (TimeoutError(), UNCONFIRMED, "no_answer"),
        (aiohttp.ServerDisconnectedError(), UNCONFIRMED, "connection_lost"),
        (aiohttp.ClientOSError(104, "reset"), UNCONFIRMED, "connection_lost"),
        (aiohttp.ClientPayloadError(), UNCONFIRMED, "connection_lost"),
        (aiohttp.InvalidURL("nonsense"), REFUSED, "misconfigured"),
    ],
)
def test_what_is_not_certainly_unsent_may_have_arrived(error: Exception, kind: DeliveryResultKind, reason: str) -> None:
    result = of_error(error)
    assert (result.kind, result.reason) == (kind, reason)


def test_an_error_shows_no_address() -> None:
    assert "a.example" not in repr(of_error(aiohttp.ClientConnectorError(KEY, OSError(111, "refused"))))


@pytest.mark.parametrize("reason", DeliveryReason)
def test_every_reason_has_a_sentence(reason: DeliveryReason) -> None:
    assert reason.sentence.endswith(".")


def test_what_a_person_can_correct_here_is_curable() -> None:
    assert set(DeliveryReason) > CURABLE
