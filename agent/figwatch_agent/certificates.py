"""What a client shows of itself and whom it trusts, as the files stand now."""

import os
import ssl

from figwatch_agent.model.settings import ClientTls


class ClientCertificates:
    """Read anew where a file has changed: certificates of a day are common, and nobody restarts an agent for them."""

    def __init__(self, tls: ClientTls | None) -> None:
        self._tls = tls
        self._context: ssl.SSLContext | None = None
        self._made_of: tuple[int, ...] = ()

    def context(self) -> ssl.SSLContext | bool:
        """For one request, as aiohttp takes it; True: none are named. OSError where a file cannot be read or used."""
        if self._tls is None:
            return True
        files = (self._tls.ca, self._tls.certificate, self._tls.key)
        made_of = tuple(os.stat(path).st_mtime_ns for path in files if path is not None)
        if self._context is None or made_of != self._made_of:
            self._context, self._made_of = _context(self._tls), made_of
        return self._context


def _context(tls: ClientTls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.ca)
    if tls.certificate is not None:
        context.load_cert_chain(tls.certificate, tls.key)
    return context
