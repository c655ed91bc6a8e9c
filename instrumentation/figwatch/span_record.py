"""What is kept of a finished request for those who export or show spans."""

from typing import Any, NamedTuple

from figwatch import contract
from figwatch.notes import Notes
from figwatch.tracing import LightSpan


class SpanRecord(NamedTuple):
    """One finished request, as it waits for the exporter. It refers to what is there already; the rest is derived."""

    span: LightSpan
    labels: tuple[str, ...]  # in the order of contract.REQUEST_LABELS
    sent_path: str  # as the client sent it, if a span may carry it
    service: str
    end: int  # nanoseconds since the epoch
    seconds: float  # how long it took

    @property
    def path(self) -> str:
        """The path, or, because ids stand in paths, the route that tells where they stand; empty if nobody knows."""
        return self.sent_path or ("" if self.route.startswith("__") else self.route)

    @property
    def start(self) -> int:
        """Nanoseconds since the epoch."""
        return self.end - int(self.seconds * 1e9)

    @property
    def trace_id(self) -> str:
        """32 hex digits."""
        return self.span.trace_id

    @property
    def span_id(self) -> str:
        """16 hex digits."""
        return self.span.span_id

    @property
    def parent_id(self) -> str:
        """16 hex digits, or empty for a root."""
        return self.span.parent_id

    @property
    def tracestate(self) -> str:
        """As it came, or empty."""
        return self.span.tracestate

    @property
    def notes(self) -> Notes | None:
        """What the handler wrote."""
        return self.span.notes

    @property
    def method(self) -> str:
        """The bounded method."""
        return self.labels[0]

    @property
    def route(self) -> str:
        """The bounded route."""
        return self.labels[1]

    @property
    def status(self) -> str:
        """Three digits, or empty for a request that was never answered."""
        return self.labels[2]

    @property
    def error_type(self) -> str:
        """Empty for a request that succeeded."""
        return self.labels[3]

    @property
    def served_by(self) -> str:
        """One of contract.SIDES."""
        return self.labels[4]

    @property
    def vantage(self) -> str:
        """One of contract.VANTAGES."""
        return self.labels[5]

    @property
    def name(self) -> str:
        """The handler's name for it, else method and route."""
        if self.notes is not None and self.notes.name:
            return self.notes.name
        method = self.method if self.method != contract.OTHER_METHOD else "HTTP"
        return f"{method} {self.route}" if not self.route.startswith("__") else method

    @property
    def failed(self) -> bool:
        """Whether the request ended in an error of ours: a 4xx is none, nor is a client that left."""
        return self.error_type not in ("", contract.CLIENT_DISCONNECT)

    def attributes(self) -> dict[str, Any]:
        """By OpenTelemetry's stable conventions; the handler's own stand last and win. Absent ones are left out."""
        known: dict[str, Any] = {
            "http.request.method": self.method,
            "http.route": "" if self.route.startswith("__") else self.route,
            "url.path": self.path,
            "http.response.status_code": int(self.status) if self.status else "",
            "error.type": self.error_type,
            "figwatch.served_by": self.served_by,
            "figwatch.vantage": self.vantage,
        }
        written = self.notes.attributes if self.notes is not None else {}
        return {key: value for key, value in {**known, **written}.items() if value != ""}


Ended = tuple[LightSpan, tuple[str, ...], str, str, int, float]
"""The fields of a SpanRecord before it is one: what the request makes, at half the price."""
