"""A small history for people to read: two routes of one service, an outage of ten minutes, a restart and a gap."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

START: Final = 1_790_000_000
"""Seconds; the first sample."""

SLO: Final = """\
version: 1
migration: ai-assistant
service: chat
window: 30d
routes:
  - {route: /api/v1/chat, stage: canary, rollback: chat-to-legacy}
  - {route: /api/v1/models, stage: canary}
slos:
  - name: chat-availability
    sli: {kind: availability}
    objective: 99.9%
  - name: chat-jobs
    sli: {events: {bad: 'jobs_total{result="failed"}', total: jobs_total}}
    objective: 99.9%
  - name: chat-mail
    sli: {events: {good: 'mails_total{result="sent"}', total: mails_total}}
    objective: 99%
  - name: chat-uptime
    sli: {kind: uptime, probe: {http: "http://127.0.0.1:8101/healthz", interval: 5s}}
    objective: 99.9%
"""

_REQUESTS: Final = "http_server_request_duration_seconds_count"


def outage(minute: int) -> bool:
    """Whether half of the requests of the service side fail."""
    return 120 <= minute < 130


def small_history(minutes: int = 240) -> str:
    """A sample a minute. The service answers 180 requests a minute and legacy 60; models is quiet. Jobs never fail, but
    one in the night, and their worker is restarted after three hours; for ten minutes nothing is scraped."""
    counters: dict[str, list[tuple[int, int]]] = {}
    values: dict[str, int] = {}
    for minute in range(minutes):
        for series, more in _increments(minute).items():
            values[series] = values.get(series, 0) + more
        if minute == 180:
            values |= dict.fromkeys([series for series in values if series.startswith("jobs")], 0)
        if not 200 <= minute < 210:
            for series, value in values.items():
                counters.setdefault(series, []).append((START + 60 * minute, value))
    lines = [f"{series} {value} {at}" for series, samples in counters.items() for at, value in samples]
    return "\n".join(["# TYPE http_server_request_duration_seconds histogram", *lines, "# EOF", ""])


def _increments(minute: int) -> dict[str, int]:
    failed = 90 if outage(minute) else 0
    return {
        _request("/api/v1/chat", "service", "200"): 180 - failed,
        _request("/api/v1/chat", "service", "500"): failed,
        _request("/api/v1/chat", "legacy", "200"): 60,
        _request("/api/v1/models", "service", "200"): 3,
        'jobs_total{instance="worker:9464",job="jobs",result="ok"}': 10,
        'jobs_total{instance="worker:9464",job="jobs",result="failed"}': int(minute == 30),
    }


def _request(route: str, side: str, status: str) -> str:
    labels = {
        "error_type": "",
        "http_response_status_code": status,
        "http_route": route,
        "instance": "gateway:9464",
        "job": "gateway",
        "served_by": side,
        "vantage": "edge",
    }
    inside = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return f"{_REQUESTS}{{{inside}}}"


def written(folder: Path) -> tuple[str, str]:
    """Paths of the SLO file and of the history."""
    (folder / "chat.yaml").write_text(SLO, encoding="utf-8")
    (folder / "history.om").write_text(small_history(), encoding="utf-8")
    return str(folder / "chat.yaml"), str(folder / "history.om")


def replayed_counts(document: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """By SLO (total, bad), events of no window included, as `figwatch replay` tells them."""
    return {
        each["name"]: (each["total"] + each["untimed_total"], each["bad"] + each["untimed_bad"])
        for each in document["slos"]
    }


def reported_counts(document: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """The same as `figwatch report` tells them, all routes of an SLO together."""
    found: dict[str, tuple[int, int]] = {}
    for each in document["budgets"]:
        total, bad = found.get(each["slo"], (0, 0))
        found[each["slo"]] = total + each["totals"]["total"], bad + each["totals"]["bad"]
    return found
