"""What every client adapter adds to a request: trace context, and the migration mark for those who share the secret."""

from figwatch import contract
from figwatch.observation import current_request
from figwatch.telemetry import process
from figwatch.tracing import outgoing


def outgoing_headers(trust_token: str | None) -> dict[str, str]:
    """Headers for a call made while serving a request; empty outside of one, or if making them fails. Never raises."""
    try:
        headers = dict(outgoing())
        request = current_request()
        if trust_token and request is not None:
            headers[contract.MIGRATION_STATUS_HEADER] = request.served_by
            headers[contract.MIGRATION_TOKEN_HEADER] = trust_token
    except Exception as error:  # noqa: BLE001 - the request's edge: a fault of ours must not stop the call
        process().health.fault("client", error)
        return {}
    return headers
