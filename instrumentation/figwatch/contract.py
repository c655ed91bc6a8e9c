"""Every series, label, unit, bucket and header name that leaves the process.

Loads nothing but the standard library, so that the agent and a service's own tests may import it for free.
"""

from typing import Final

__version__ = "0.1.0"

REQUEST_DURATION: Final = "http_server_request_duration_seconds"
"""Histogram of seconds from the first byte in to the last byte out; its ``_count`` is the request total."""

TIME_TO_FIRST_BYTE: Final = "http_server_time_to_first_byte_seconds"
"""Histogram of seconds from the first byte in to the first byte of the body out, for streams.

A response without a body counts at its end; a request that was never answered has none."""

METHOD: Final = "http_request_method"
ROUTE: Final = "http_route"
STATUS: Final = "http_response_status_code"
ERROR_TYPE: Final = "error_type"
SERVED_BY: Final = "served_by"
VANTAGE: Final = "vantage"

REQUEST_LABELS: Final = (METHOD, ROUTE, STATUS, ERROR_TYPE, SERVED_BY, VANTAGE)
"""Labels of both request histograms, in the order they are written. Absent values are empty strings."""

SIDES: Final = ("legacy", "service", "shadow", "unknown")
"""The closed set of ``served_by``."""
UNKNOWN_SIDE: Final = "unknown"
"""``served_by`` of a request whose trusted gateway said something that is no side."""

VANTAGES: Final = ("edge", "application")
"""Where a series is counted: the gateway sees what users see; an application diagnoses."""

BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.2, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Upper bounds in seconds: OpenTelemetry's advice for HTTP durations plus 0.2, the bound of the P95 promise."""

METHODS: Final = ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE", "QUERY")
"""Known methods; anything else is ``_OTHER`` (OpenTelemetry's word), so that hostile input adds no series."""

OTHER_METHOD: Final = "_OTHER"
OTHER_ERROR: Final = "_OTHER"
"""``error_type`` beyond the cap on distinct ones."""
UNMATCHED_ROUTE: Final = "__unmatched__"
"""Route of requests that no template matched."""
OVERFLOW_ROUTE: Final = "__overflow__"
"""Route of requests beyond the cap on distinct templates."""

CLIENT_DISCONNECT: Final = "client_disconnect"
"""``error_type`` of a request whose client went away: neither good nor bad."""
CANCELLED: Final = "cancelled"
"""``error_type`` of a request the server cancelled before it answered."""
NO_RESPONSE: Final = "no_response"
"""``error_type`` of a request whose application returned without answering."""
INCOMPLETE_RESPONSE: Final = "incomplete_response"
"""``error_type`` of a response whose application returned before its end."""
UPSTREAM_FAILURE: Final = "upstream_failure"
"""``error_type`` set by a gateway whose upstream refused, reset or broke off."""
UPSTREAM_TIMEOUT: Final = "upstream_timeout"
"""``error_type`` set by a gateway whose upstream did not answer in time."""

WEBSOCKET_DURATION: Final = "websocket_server_connection_duration_seconds"
"""Histogram of seconds from the handshake of a websocket to its end. A websocket is no request."""
WEBSOCKET_MESSAGES: Final = "websocket_server_messages_total"
"""Counter of messages that came in and went out over websockets."""
CLOSE_CODE: Final = "close_code"
DIRECTION: Final = "direction"
"""``in`` for what the client sent, ``out`` for what the application sent."""
WEBSOCKET_LABELS: Final = (ROUTE, CLOSE_CODE, ERROR_TYPE, SERVED_BY, VANTAGE)
WEBSOCKET_MESSAGE_LABELS: Final = (ROUTE, DIRECTION, SERVED_BY, VANTAGE)
WEBSOCKET_BUCKETS: Final = (0.1, 1.0, 10.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0)
"""Upper bounds in seconds: from a handshake that failed to a page left open for a day."""
REJECTED: Final = "rejected"
"""``close_code`` of a websocket that the application never accepted."""

MESSAGE_DURATION: Final = "messaging_process_duration_seconds"
"""Histogram of seconds that a consumer took for one message; its ``_count`` is the number of messages."""
MESSAGE_LAG: Final = "messaging_process_lag_seconds"
"""Histogram of seconds from a message's sending to the start of its processing."""
DESTINATION: Final = "messaging_destination_name"
OUTCOME: Final = "outcome"
OUTCOMES: Final = ("ok", "error", "cancelled")
"""The closed set of ``outcome``: of messages, and of business histograms that time a block."""
MESSAGE_LABELS: Final = (DESTINATION, OUTCOME, ERROR_TYPE, SERVED_BY)
LAG_LABELS: Final = (DESTINATION, SERVED_BY)
LAG_BUCKETS: Final = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0)
"""Upper bounds in seconds: from a queue that is read at once to one that lags by a day."""

MIGRATION_STATUS_HEADER: Final = "X-Migration-Status"
"""Set by the gateway: which side serves this request (one of SIDES)."""
ORIGINAL_PATH_HEADER: Final = "X-Original-Path"
"""Set by the gateway: the path as the client sent it."""
MIGRATION_TOKEN_HEADER: Final = "X-Migration-Token"  # noqa: S105 - the name of a header
"""Shared secret by which an application knows that the migration headers come from its gateway."""
TRACEPARENT_HEADER: Final = "traceparent"
TRACESTATE_HEADER: Final = "tracestate"
TRACE_ID_HEADER: Final = "X-Trace-Id"
"""On responses: the trace id, for people who report a failure."""

INTERNAL_ERRORS: Final = "figwatch_internal_errors_total"
"""Faults inside the instrumentation that were swallowed, label ``where``."""
DROPPED_SPANS: Final = "figwatch_dropped_spans_total"
EXPORT_FAILURES: Final = "figwatch_export_failures_total"
"""Requests to a collector that failed, labels ``signal`` (spans or metrics) and ``reason``."""
FOLDED_LABELS: Final = "figwatch_folded_label_values_total"
"""Label values folded into an overflow bucket, label ``metric``."""
UNTRUSTED_HEADERS: Final = "figwatch_untrusted_migration_headers_total"
"""Migration headers dropped (``reason`` untrusted) or not understood (``reason`` unknown_value)."""

SERIES: Final = (
    REQUEST_DURATION,
    TIME_TO_FIRST_BYTE,
    WEBSOCKET_DURATION,
    WEBSOCKET_MESSAGES,
    MESSAGE_DURATION,
    MESSAGE_LAG,
    INTERNAL_ERRORS,
    DROPPED_SPANS,
    EXPORT_FAILURES,
    FOLDED_LABELS,
    UNTRUSTED_HEADERS,
)
"""Every series of the library's own; business metrics have the names that their owners give."""
