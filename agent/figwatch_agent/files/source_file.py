"""The grammar of figwatch.yaml's `source`: where counts come from."""

import re
from typing import Any

from pydantic_core import core_schema

from figwatch_agent.durations import MILLISECOND, Duration
from figwatch_agent.files.call_file import HEADERS
from figwatch_agent.files.fields import DURATION, PATH, SECRET, STR, URL
from figwatch_agent.files.schema import describe, exactly_one, items, may, need, record, scalar, wrong
from figwatch_agent.model.secret import Secret
from figwatch_agent.model.settings import ClientTls, PrometheusServer, Scrape

SHORTEST_INTERVAL: Duration = 100 * MILLISECOND
DEFAULT_SCRAPE: Duration = 5_000 * MILLISECOND
DEFAULT_TIMEOUT: Duration = 4_000 * MILLISECOND
DEFAULT_LOOK_TIMEOUT: Duration = 10_000 * MILLISECOND
DEFAULT_LOOK: Duration = 15_000 * MILLISECOND
_SIZE = re.compile(r"([1-9]\d{0,5})(KiB|MiB)")
_UNITS = {"KiB": 1 << 10, "MiB": 1 << 20}


def _scrape(targets: tuple[str, ...], **members: Any) -> Scrape:
    if len(set(targets)) < len(targets):
        raise wrong(
            "a scrape target stands here twice, and its events would be counted twice", "remove one", key="targets"
        )
    interval = members.setdefault("interval", DEFAULT_SCRAPE)
    timeout = members.setdefault("timeout", min(DEFAULT_TIMEOUT, interval * 4 // 5))
    _check_interval(interval)
    if timeout > interval:
        raise wrong("the scrape's timeout is longer than its interval", "wait at most one interval", key="timeout")
    return Scrape(targets=targets, **members)


def _prometheus(basic: tuple[str, Secret] | None = None, **members: Any) -> PrometheusServer:
    interval = members.setdefault("interval", DEFAULT_LOOK)
    members.setdefault("timeout", min(DEFAULT_LOOK_TIMEOUT, interval * 4 // 5))
    _check_interval(interval)
    if members["timeout"] > interval:
        raise wrong("the timeout of a look is longer than the interval", "wait at most one interval", key="timeout")
    if basic is not None and "bearer" in members:
        raise wrong("the server cannot be told two names at once", "keep basic or bearer", key="bearer")
    user, password = basic if basic is not None else (None, None)
    return PrometheusServer(user=user, password=password, **members)


def _client_tls(**members: Any) -> ClientTls:
    if ("certificate" in members) != ("key" in members):
        raise wrong("a certificate of ours needs its key, and a key its certificate", "give both or neither")
    return ClientTls(**members)


def _check_interval(interval: Duration) -> None:
    if interval < SHORTEST_INTERVAL:
        raise wrong("an interval under 100ms leaves no time to think", "1s is short, 5s is usual", key="interval")


def _size(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1024 <= value <= 1 << 30:
        return value
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise wrong(f"expected a size, found {describe(value)}", "write 16MiB, 512KiB or bytes from 1024 up")
    return int(found[1]) * _UNITS[found[2]]


SCRAPE = record(
    _scrape,
    {
        "targets": need(items(URL), "URLs of /metrics pages"),
        "interval": may(DURATION, "time between two scrapes, 5s if left out"),
        "timeout": may(DURATION, "longest wait for a page, 4s or four fifths of the interval if left out"),
        "max_bytes": may(
            scalar(_size, core_schema.union_schema([core_schema.int_schema(), STR])), "largest page, 16MiB if left out"
        ),
        "bearer": may(SECRET, "token sent to the scrape targets"),
    },
)

BASIC = record(
    lambda user, password: (user, password),
    {"user": need(STR, "its name"), "password": need(SECRET, "its password")},
)
"""HTTP basic authentication, as a pair of name and password."""

TLS = record(
    _client_tls,
    {
        "ca": may(PATH, "certificates that may have signed the server's, in PEM"),
        "certificate": may(PATH, "ours, where the server asks for one, in PEM"),
        "key": may(PATH, "of our certificate"),
    },
)
"""How a server is recognised, and how it recognises us."""

PROMETHEUS = record(
    _prometheus,
    {
        "url": need(URL, "of the server, with its path prefix if it has one"),
        "interval": may(DURATION, "time between two looks, at least the server's scrape interval; 15s if left out"),
        "timeout": may(DURATION, "for all questions of one look; 10s or four fifths of the interval if left out"),
        "max_bytes": may(
            scalar(_size, core_schema.union_schema([core_schema.int_schema(), STR])),
            "largest answer, 64MiB if left out",
        ),
        "basic": may(BASIC, "HTTP basic authentication"),
        "bearer": may(SECRET, "token sent to the server"),
        "headers": may(HEADERS, "sent with every question, such as X-Scope-OrgID"),
        "tls": may(TLS, "how the server is recognised, and how it recognises us"),
    },
)

SOURCE = record(
    lambda **members: exactly_one("a source", members, "scrape", "prometheus"),
    {
        "scrape": may(SCRAPE, "figwatch reads /metrics itself"),
        "prometheus": may(PROMETHEUS, "a Prometheus-compatible engine"),
    },
)
