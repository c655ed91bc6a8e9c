"""Why a delivery did not go through: a closed set, shown to people and counted under exactly these words."""

from enum import StrEnum
from typing import Final


class DeliveryReason(StrEnum):
    """The word is what logs, metrics and `figwatch status` show; its sentence says what to do."""

    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    REJECTED = "rejected"
    UNAUTHORIZED = "unauthorized"
    CHANNEL_CLOSED = "channel_closed"
    ODD_ANSWER = "odd_answer"
    REDIRECTED = "redirected"
    CONNECTION_FAILED = "connection_failed"
    NAME_NOT_FOUND = "name_not_found"
    TLS_FAILED = "tls_failed"
    CONNECT_TIMEOUT = "connect_timeout"
    NO_ANSWER = "no_answer"
    CONNECTION_LOST = "connection_lost"
    MISCONFIGURED = "misconfigured"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 (a word for people, not a secret)
    TOO_OLD = "too_old"
    INTERNAL = "internal"
    SENT_FROM_MEMORY = "sent_from_memory"

    @property
    def sentence(self) -> str:
        """What it means and what to do about it."""
        return _SENTENCES[self]


_SENTENCES: Final[dict[DeliveryReason, str]] = {
    DeliveryReason.RATE_LIMITED: "The receiver asked to slow down; it is tried again later.",
    DeliveryReason.SERVER_ERROR: "The receiver failed on its side; it is tried again.",
    DeliveryReason.REJECTED: "The receiver refuses this for good; check the key or URL of the receiver.",
    DeliveryReason.UNAUTHORIZED: "The receiver does not accept the token; check it, its scopes and who may use it.",
    DeliveryReason.CHANNEL_CLOSED: "The channel takes no messages from figwatch; invite the bot or name another.",
    DeliveryReason.ODD_ANSWER: "The receiver answered what figwatch does not know; check the URL and any proxy.",
    DeliveryReason.REDIRECTED: "The receiver points elsewhere and redirects are not followed; write its final URL.",
    DeliveryReason.CONNECTION_FAILED: "No connection could be made; check that the receiver can be reached from here.",
    DeliveryReason.NAME_NOT_FOUND: "The receiver's host name could not be resolved; check the name and DNS.",
    DeliveryReason.TLS_FAILED: "No trusted TLS connection could be made; check certificates and the clock.",
    DeliveryReason.CONNECT_TIMEOUT: "Connecting took too long; nothing was sent, it is tried again.",
    DeliveryReason.NO_ANSWER: "The request was sent and no answer came; it may have arrived, so it is tried again.",
    DeliveryReason.CONNECTION_LOST: "The connection broke after sending; it may have arrived, so it is tried again.",
    DeliveryReason.MISCONFIGURED: "The receiver's URL is not one that can be called; correct it.",
    DeliveryReason.SECRET_UNREADABLE: "The secret could not be read; check its environment variable or file.",
    DeliveryReason.TOO_OLD: "It was tried for as long as it could be of use and never taken.",
    DeliveryReason.INTERNAL: "figwatch failed to write or send this message; report it with the log.",
    DeliveryReason.SENT_FROM_MEMORY: "It was accepted while the store could not be written; it is not sent twice.",
}

CURABLE: Final = frozenset(
    {
        DeliveryReason.MISCONFIGURED,
        DeliveryReason.SECRET_UNREADABLE,
        DeliveryReason.UNAUTHORIZED,
        DeliveryReason.CHANNEL_CLOSED,
        DeliveryReason.ODD_ANSWER,
    }
)
"""Refusals that a person can correct without figwatch: where there is no fallback they are tried on."""
