"""The secrets of one run, handed to every process by environment and written nowhere."""

import hmac
import os
import secrets
from typing import Final

from figwatch.launch import TRUST_TOKEN_VARIABLE

FAULT: Final = "FIGWATCH_DEMO_TOKEN"
"""Bearer token of the fault switches."""
GATEWAY: Final = "GATEWAY_TOKEN"
"""Bearer token of the gateway's control call."""
AGENT: Final = "FIGWATCH_TOKEN"
"""Bearer token of the agent's own server."""
PAGERDUTY: Final = "PAGERDUTY_KEY"
SLACK: Final = "SLACK_WEBHOOK"
WEBHOOK: Final = "WEBHOOK_SECRET"

Tokens = dict[str, str]
"""Values by the name of their variable."""


def fresh() -> Tokens:
    """New secrets for one run; that of Slack is a URL and made when the pager's is known."""
    return {name: secrets.token_hex(16) for name in (FAULT, GATEWAY, AGENT, TRUST_TOKEN_VARIABLE, PAGERDUTY, WEBHOOK)}


def slack_webhook(pager: str) -> Tokens:
    """The secret URL of a Slack channel at the pager that listens there."""
    return {SLACK: f"{pager}/services/T000/B000/{secrets.token_hex(12)}"}


def secret(variable: str) -> str:
    """A secret of this process. Raises SystemExit naming the variable."""
    value = os.environ.get(variable, "")
    if not value:
        raise SystemExit(f"{variable} is not set: the demo sets it for every part it starts")
    return value


def bearer(token: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


def is_bearer(authorization: str | None, token: str) -> bool:
    """Whether an Authorization header carries the token, compared in constant time."""
    return hmac.compare_digest((authorization or "").encode("utf-8", "surrogateescape"), f"Bearer {token}".encode())
