"""Asks a running agent over HTTP, in few words and never for long."""

import http.client
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from figwatch_agent.errors import AgentUnreachable, FigwatchError, SecretUnreadable
from figwatch_agent.files.secrets import read_secret
from figwatch_agent.model.settings import Web

TIMEOUT: Final = 5.0
"""Seconds; the agent answers from memory."""

MOST_BYTES: Final = 64 * 1024 * 1024

_EVERYWHERE: Final[Mapping[str, str]] = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 (not bound)


class AgentRefused(FigwatchError):
    """The agent answered with an error; the message is its own."""


def url_of(web: Web) -> str:
    """Where an agent with these settings is reached from its own machine."""
    host = _EVERYWHERE.get(web.host, web.host)
    scheme = "http" if web.tls is None else "https"
    return f"{scheme}://[{host}]:{web.port}" if ":" in host else f"{scheme}://{host}:{web.port}"


def client_of(web: Web) -> "AgentClient":
    """The agent with these settings, asked with the first token that this user may read."""
    token = usable_token(web)
    certificate = None if web.tls is None else web.tls.certificate
    return AgentClient(url_of(web), token="" if token is None else token[1], certificate=certificate)


def usable_token(web: Web, role: str = "") -> tuple[str, str] | None:
    """Name and value of the first token of this role, or of any, that this user may read."""
    for token in web.tokens:
        if role in ("", token.role):
            try:
                return token.name, read_secret(token.token)
            except SecretUnreadable:
                continue
    return None


class AgentClient:
    """One agent's API. Loopback is never asked through a proxy."""

    def __init__(self, url: str, *, token: str = "", certificate: str | None = None) -> None:
        """ValueError unless it is an http or https URL. ``certificate`` names a file that is trusted as well."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError(f"{url!r} is no URL of an agent: write it like http://127.0.0.1:9464")
        self.url = url.rstrip("/")
        near = parts.hostname in ("127.0.0.1", "::1", "localhost")
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if near:
            handlers.append(urllib.request.ProxyHandler({}))
        if parts.scheme == "https":
            handlers.append(urllib.request.HTTPSHandler(context=_trusting(certificate, near)))
        self._opener = urllib.request.build_opener(*handlers)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def answers(self) -> bool:
        """Whether a figwatch agent answers, well or not. Another program on that port is none."""
        try:
            return self.get("/healthz").get("alive") is True
        except (AgentUnreachable, AgentRefused):
            return False

    def get(self, path: str, **query: str | int) -> dict[str, Any]:
        """The JSON of a path. Raises AgentUnreachable, AgentRefused."""
        asked = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in query.items())
        url = f"{self.url}{path}{'?' + asked if asked else ''}"
        return self._ask(urllib.request.Request(url, headers=self._headers))  # noqa: S310 (http(s) only, see above)

    def post(self, path: str, body: Mapping[str, object], headers: Mapping[str, str]) -> dict[str, Any]:
        """The JSON that answers a change. Raises AgentUnreachable, AgentRefused."""
        data = json.dumps(body).encode()
        headers = {**self._headers, "Content-Type": "application/json", **headers}
        return self._ask(urllib.request.Request(self.url + path, data=data, headers=headers, method="POST"))  # noqa: S310 (http(s) only, see above)

    def _ask(self, request: urllib.request.Request) -> dict[str, Any]:
        try:
            with self._opener.open(request, timeout=TIMEOUT) as answer:
                return _parsed(answer.read(MOST_BYTES), self.url)
        except urllib.error.HTTPError as error:
            with error:
                raise AgentRefused(_problems(error, self.url)) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise AgentUnreachable(
                f"no agent answers at {self.url} ({reason}): start it with `figwatch run`, or check web.listen in "
                "figwatch.yaml, or name another with --url"
            ) from None


def _trusting(certificate: str | None, near: bool) -> ssl.SSLContext:
    """On this machine the name in the agent's certificate is another one's: the public one, not 127.0.0.1."""
    context = ssl.create_default_context()
    if certificate is not None:
        try:
            context.load_verify_locations(certificate)
        except OSError as error:  # SSLError is one
            raise AgentUnreachable(f"the certificate {certificate} cannot be read: {error}") from None
    context.check_hostname = not near
    return context


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An agent does not redirect, and a token must not follow whoever does."""

    def redirect_request(self, *arguments: object, **named: object) -> None:
        return None


def _parsed(text: bytes, url: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise AgentRefused(f"what answers at {url} is no figwatch agent: check web.listen in figwatch.yaml")
    return found


def _problems(error: urllib.error.HTTPError, url: str) -> str:
    try:
        problems = _parsed(error.read(MOST_BYTES), url).get("errors", [])
    except (AgentRefused, OSError, http.client.HTTPException):
        problems = []
    said = "; ".join(str(problem) for problem in problems) or "it says no more"
    return f"the agent at {url} answered {error.code}: {said}"
