"""What a Prometheus-compatible engine answers, opened: nothing that it says about its own answer is swallowed."""

import json
from dataclasses import dataclass
from typing import Any, Final

from figwatch_agent.sources.fault import Fault, FaultReason

PASSING: Final = frozenset({429, 502, 503, 504})
"""Statuses after which the same question may be answered a moment later."""

_SHOWN: Final = 300  # characters of the other side's words that are repeated


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the engine said."""

    data: Any  # the member `data`
    warnings: tuple[str, ...] = ()
    """Of an engine that could not see everything: the answer is partial, and what it lacks is unknown."""


class PassingFault(Fault):
    """One that may be gone a moment later."""


def opened(status: int, content_type: str, body: bytes) -> Answer:
    """The engine's envelope, opened. Raises Fault: what is no envelope is reported as what it is."""
    if content_type == "text/html" or body[:64].lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise Fault(
            FaultReason.MALFORMED,
            f"a page of HTML came with status {status}{_title(body)}: something in front of the engine answered",
        )
    kind = PassingFault if status in PASSING else Fault
    try:
        document = json.loads(body)
    except ValueError:
        if status != 200:
            raise kind(FaultReason.STATUS, f"answered {status}, not 200: {_words(body)}") from None
        raise Fault(FaultReason.MALFORMED, f"the answer is no JSON: {_words(body)}") from None
    if not isinstance(document, dict) or document.get("status") not in ("success", "error"):
        raise kind(FaultReason.STATUS if status != 200 else FaultReason.MALFORMED, f"answered {status} in another form")
    if document["status"] == "error" or status != 200:
        said = f"{document.get('errorType', 'error')}: {document.get('error', '')}"
        raise kind(FaultReason.STATUS, f"answered {status}: {said[:_SHOWN]}")
    warnings = document.get("warnings") or ()
    partial = document.get("isPartial") is True  # VictoriaMetrics says it so
    told = tuple(str(warning)[:_SHOWN] for warning in warnings)
    return Answer(data=document.get("data"), warnings=told or (("the answer is partial",) if partial else ()))


def _title(body: bytes) -> str:
    lower = body.lower()
    begin, end = lower.find(b"<title>"), lower.find(b"</title>")
    return f" ({_words(body[begin + 7 : end])})" if 0 <= begin < end else ""


def _words(body: bytes) -> str:
    return " ".join(body[: 4 * _SHOWN].decode("utf-8", "replace").split())[:80] or "nothing"
