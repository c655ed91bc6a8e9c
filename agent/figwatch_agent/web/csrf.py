"""Where a request that changes something was made: on a page of this agent, under a name of this agent."""

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web


class Places:
    """The names under which the agent is reached."""

    def __init__(self, listen: str, external_url: str | None) -> None:
        """``listen``: the host it listens on; ``external_url``: as people reach it, where that differs."""
        outside = urlsplit(external_url or "")
        self._names = {name.lower() for name in (listen, outside.hostname or "", "localhost") if name}
        self._origins = {f"{outside.scheme}://{outside.netloc}".lower()} if outside.netloc else set()

    def known(self, request: web.Request) -> bool:
        """Whether the Host header names this agent.

        A page of somebody else can point a name of its own at this address, but never an address: one that is written
        in figures is the address that was meant.
        """
        name = _host_name(request.headers.get("Host", ""))
        return name in self._names or _is_address(name)

    def from_here(self, request: web.Request) -> bool:
        """Whether the browser says that the form stood on a page of this agent.

        Every browser sends Origin with a form; newer ones say it more plainly. A request that says neither was not
        sent by a browser, and has no business with a cookie.
        """
        site = request.headers.get("Sec-Fetch-Site")
        origin = request.headers.get("Origin", "").lower()
        if site is not None and site != "same-origin":
            return False
        if not origin:
            return site == "same-origin"
        return origin in self._origins or origin.partition("://")[2] == request.headers.get("Host", "").lower()


def local_path(given: str, pages: Iterable[str] = ("/",)) -> str:
    """``given`` where it is a path of this agent that may be gone to after a form, else the overview."""
    plain = given.isascii() and given.isprintable() and not set(given) & set("\\ \"'<>")
    local = given.startswith("/") and not given.startswith(("//", "/sign-", "/api/"))
    return given if plain and local and len(given) <= 1000 and given.startswith(tuple(pages)) else "/"


def _host_name(host: str) -> str:
    name = host.lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.rpartition(":")[0] if name.count(":") == 1 else name


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
