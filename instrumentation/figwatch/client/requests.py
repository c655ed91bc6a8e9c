"""requests: a session whose requests carry the context."""

import requests

from figwatch.client.mark import outgoing_headers


def instrument(session: requests.Session, *, trust_token: str | None = None) -> requests.Session:
    """Send the trace context with every request of `session`; with `trust_token`, the migration mark too.

    Give the token only to sessions that call applications which share the secret: it is sent to every host they call.
    """
    prepare = session.prepare_request

    def with_context(request: requests.Request) -> requests.PreparedRequest:
        prepared = prepare(request)
        prepared.headers.update(outgoing_headers(trust_token))
        return prepared

    session.prepare_request = with_context  # type: ignore[method-assign]  # the session has no hook for requests
    return session
