"""The grammar of a receiver that is an Alertmanager."""

import re
from typing import Any

from figwatch_agent.durations import DAY, SECOND, Duration
from figwatch_agent.files.call_file import HEADERS
from figwatch_agent.files.diagnostics import quoted
from figwatch_agent.files.fields import DURATION, SECRET, TEXT, URL, string
from figwatch_agent.files.schema import items, may, named, record, wrong
from figwatch_agent.files.source_file import BASIC, TLS
from figwatch_agent.model.alertmanager import OWN_LABELS
from figwatch_agent.model.secret import Secret
from figwatch_agent.model.settings import Alertmanager

SHORTEST_RESEND: Duration = SECOND
LONGEST_TIMEOUT: Duration = 60 * SECOND
LONGEST_LABEL = 200
"""Characters of a label's value."""

_PATH = "/api/v2/alerts"
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,99}")


def _alertmanager(basic: tuple[str, Secret] | None = None, **members: Any) -> Alertmanager:
    urls = _urls(members.pop("url", None), members.pop("urls", None))
    if basic is not None and "bearer" in members:
        raise wrong("Alertmanager cannot be told two names at once", "keep basic or bearer", key="bearer")
    if members.get("resend", DAY) < SHORTEST_RESEND:
        raise wrong("an alert that is said more than once a second is noise", "1m is usual", key="resend")
    if members.get("timeout", SECOND) > LONGEST_TIMEOUT:
        raise wrong("a page waits for as long as the slowest member may take", "10s is usual", key="timeout")
    user, password = basic if basic is not None else (None, None)
    return Alertmanager(urls=urls, user=user, password=password, **members)


def _urls(one: str | None, several: tuple[str, ...] | None) -> tuple[str, ...]:
    if (one is None) == (several is None):
        raise wrong("an Alertmanager names exactly one of url and urls", "urls takes the members of a cluster")
    key, urls = ("url", (one,)) if one is not None else ("urls", several or ())
    trimmed = tuple(url.rstrip("/") for url in urls)
    for url in trimmed:
        if "?" in url or "#" in url or url.endswith(_PATH):
            raise wrong(
                f"{quoted(url)} is more than where Alertmanager is",
                f"write its address alone; {_PATH} is appended",
                key=key,
            )
    if len(set(trimmed)) < len(trimmed):
        raise wrong("a member of the cluster stands here twice", "remove one", key=key)
    return trimmed


def _labels(values: dict[str, str]) -> tuple[tuple[str, str], ...]:
    for name, value in values.items():
        if not _LABEL.fullmatch(name) or name.startswith("__"):
            raise wrong(
                f"{quoted(name)} is not a name of a label", "letters, digits and _, neither a digit nor __ in front"
            )
        if name in OWN_LABELS:
            raise wrong(f"figwatch sets the label {name} itself", "choose another name")
        if not string(value).strip() or len(value) > LONGEST_LABEL or not value.isprintable():
            raise wrong(f"the label {name} needs one line of at most {LONGEST_LABEL} characters")
    return tuple(sorted(values.items()))


ALERTMANAGER = record(
    _alertmanager,
    {
        "url": may(URL, "where it is, with its path prefix if it has one"),
        "urls": may(items(URL), "the same for every member of a pair or a cluster; all of them are told"),
        "labels": may(named(_labels, TEXT, TEXT), "more labels for every alert, to route by"),
        "resend": may(DURATION, "between two times that an open alert is said; 1m if left out"),
        "timeout": may(DURATION, "of one request; 10s if left out"),
        "basic": may(BASIC, "HTTP basic authentication"),
        "bearer": may(SECRET, "token sent with every request"),
        "headers": may(HEADERS, "sent with every request"),
        "tls": may(TLS, "how it is recognised, and how it recognises us"),
    },
)
