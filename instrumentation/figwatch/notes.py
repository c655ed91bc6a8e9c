"""What a handler wrote on the span of its request: made when it first writes, bounded like the SDK's spans."""

import time
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from opentelemetry.trace import SpanContext, Status, StatusCode

ATTRIBUTE_CAP: Final = 128
EVENT_CAP: Final = 128
LINK_CAP: Final = 128
"""OpenTelemetry's own limits for one span."""

Kind = Literal["server", "consumer"]


class Event(NamedTuple):
    """Something that happened while the span was open."""

    name: str
    timestamp: int  # nanoseconds since the epoch
    attributes: dict[str, Any]


class Link(NamedTuple):
    """Another span that this one has to do with."""

    context: SpanContext
    attributes: dict[str, Any]


class Notes:
    """Name, status, attributes, events and links that were set by hand; empty ones change nothing of the span."""

    __slots__ = ("attributes", "description", "dropped", "events", "kind", "links", "name", "status")

    def __init__(self) -> None:
        """Nothing is written yet."""
        self.name = ""
        self.kind: Kind = "server"
        self.status = StatusCode.UNSET
        self.description = ""
        self.attributes: dict[str, Any] = {}
        self.events: list[Event] = []
        self.links: list[Link] = []
        self.dropped = 0  # what found no room

    def set(self, key: str, value: object) -> None:
        """Set one attribute; what OpenTelemetry cannot carry is left out."""
        plain = _plain(value)
        if not key or plain is None or (key not in self.attributes and len(self.attributes) >= ATTRIBUTE_CAP):
            self.dropped += 1
        else:
            self.attributes[key] = plain

    def add_event(self, name: str, attributes: Mapping[str, Any] | None, timestamp: int | None) -> None:
        """Add one event; without a timestamp (nanoseconds) it happened now."""
        if len(self.events) >= EVENT_CAP:
            self.dropped += 1
            return
        self.events.append(Event(name, timestamp if timestamp is not None else time.time_ns(), _plain_all(attributes)))

    def add_exception(
        self, error: BaseException, attributes: Mapping[str, Any] | None, timestamp: int | None, escaped: bool
    ) -> None:
        """Add an exception as the event that OpenTelemetry describes."""
        kind = type(error)
        told = {
            "exception.type": kind.__qualname__
            if kind.__module__ == "builtins"
            else f"{kind.__module__}.{kind.__qualname__}",
            "exception.message": str(error),
            "exception.stacktrace": "".join(traceback.format_exception(error)),
            "exception.escaped": str(escaped),
        }
        self.add_event("exception", {**told, **(attributes or {})}, timestamp)

    def add_link(self, context: SpanContext, attributes: Mapping[str, Any] | None) -> None:
        """Add a link to another span."""
        if len(self.links) >= LINK_CAP:
            self.dropped += 1
        elif context.is_valid:
            self.links.append(Link(context, _plain_all(attributes)))

    def set_status(self, status: Status | StatusCode, description: str | None) -> None:
        """OK is final and unset says nothing, as OpenTelemetry has it."""
        code = status.status_code if isinstance(status, Status) else status
        if self.status is StatusCode.OK or code is StatusCode.UNSET:
            return
        self.status = code
        told = status.description if isinstance(status, Status) else description
        self.description = (told or "") if code is StatusCode.ERROR else ""


def _plain_all(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    kept = {key: _plain(value) for key, value in (attributes or {}).items() if key}
    return {key: value for key, value in list(kept.items())[:ATTRIBUTE_CAP] if value is not None}


def _plain(value: object) -> bool | int | float | str | tuple[bool | int | float | str, ...] | None:
    """A value as OpenTelemetry carries it: a copy, so that later changes do not reach it; None if it cannot be."""
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Sequence):
        return tuple(each for each in value if isinstance(each, bool | int | float | str))
    return None
