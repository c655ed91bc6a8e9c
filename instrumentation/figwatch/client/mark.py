"""What every client adapter adds to a request: the trace context always, the migration mark for hosts that are named.

The mark carries the shared secret, so it goes only to hosts that share it, redirects included: naming none sends none.
"""

from collections.abc import Sequence

from figwatch import contract
from figwatch.errors import DefinitionError
from figwatch.observation import current_request
from figwatch.telemetry import process
from figwatch.tracing import outgoing

MARK_HEADERS = (contract.MIGRATION_STATUS_HEADER, contract.MIGRATION_TOKEN_HEADER)
"""Headers that must not reach a host that is not named."""


class Mark:
    """Who gets the migration mark."""

    def __init__(self, trust_token: str | None, hosts: Sequence[str]) -> None:
        """`hosts` are names without a port, or `*.suffix` for every name below one. Raises DefinitionError."""
        if isinstance(hosts, str):
            raise DefinitionError(f"hosts is a sequence: write ({hosts!r},)")
        if hosts and not trust_token:
            raise DefinitionError("hosts get the migration mark only beside a trust_token: hand over both or neither")
        self._token = trust_token
        self._names = frozenset(host.lower() for host in hosts if not host.startswith("*."))
        self._suffixes = tuple(host[1:].lower() for host in hosts if host.startswith("*."))

    def goes_to(self, host: str | None) -> bool:
        """Whether this host shares the secret."""
        name = (host or "").lower().rstrip(".")
        return bool(name) and (name in self._names or name.endswith(self._suffixes or ("\0",)))

    def headers(self, host: str | None) -> dict[str, str]:
        """Headers for a call made while serving; empty outside of a request, or if making them fails. Never raises."""
        try:
            headers = dict(outgoing())
            request = current_request()
            if self._token and request is not None and self.goes_to(host):
                headers[contract.MIGRATION_STATUS_HEADER] = request.served_by
                headers[contract.MIGRATION_TOKEN_HEADER] = self._token
        except Exception as error:  # noqa: BLE001 - the request's edge: a fault of ours must not stop the call
            process().health.fault("client", error)
            return {}
        return headers
