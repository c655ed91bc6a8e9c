"""requests: a session whose requests carry the context."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import requests

from figwatch.client.mark import MARK_HEADERS, Mark


def instrument(
    session: requests.Session, *, trust_token: str | None = None, hosts: Sequence[str] = ()
) -> requests.Session:
    """Send the trace context with every request of `session`, and the migration mark with those to `hosts`.

    `hosts` share the secret `trust_token`: names, or `*.suffix`. Raises DefinitionError.
    """
    mark, send = Mark(trust_token, hosts), session.send

    def with_context(request: requests.PreparedRequest, **options: Any) -> requests.Response:
        # Called for each hop of a redirect anew, with the headers of the one before.
        host = urlsplit(request.url or "").hostname
        for name in MARK_HEADERS:
            if not mark.goes_to(host):
                request.headers.pop(name, None)
        request.headers.update(mark.headers(host))
        return send(request, **options)

    session.send = with_context  # type: ignore[method-assign]  # the session has no hook for requests
    return session
