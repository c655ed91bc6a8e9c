"""Test files of promtool as values: series in its notation, and what an expression must give at which minute."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from figwatch_agent.durations import MINUTE, Duration, format_duration
from figwatch_agent.generate.promql import quoted

Value = float | None
"""A sample; None where there is none."""

FINITE = 'count({__name__=~"(slo|route):.+"}) == bool count({__name__=~"(slo|route):.+"} > -Inf < Inf)'
"""1 where every recorded value is finite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A series and its samples, one an interval."""

    series: str
    values: str

    def document(self) -> dict[str, str]:
        """As it stands in a test file."""
        return {"series": self.series, "values": self.values}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """At this time the expression gives exactly these samples."""

    at: Duration
    expr: str
    samples: tuple[tuple[str, float], ...] = ()

    def document(self) -> dict[str, Any]:
        """As it stands in a test file."""
        body: dict[str, Any] = {"expr": self.expr, "eval_time": format_duration(self.at)}
        if self.samples:
            body["exp_samples"] = [
                {"labels": labels, "value": int(value) if value == int(value) else value}
                for labels, value in sorted(self.samples)
            ]
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """At this time exactly these alerts of one name fire: labels and annotations of each."""

    at: Duration
    alert: str
    alerts: tuple[tuple[dict[str, str], dict[str, str]], ...]

    def document(self) -> dict[str, Any]:
        """As it stands in a test file."""
        return {
            "eval_time": format_duration(self.at),
            "alertname": self.alert,
            "exp_alerts": [{"exp_labels": labels, "exp_annotations": said} for labels, said in self.alerts],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One story: what is scraped or recorded, and what follows."""

    name: str
    inputs: tuple[Input, ...]
    checks: tuple[Check, ...]
    firing: tuple[Firing, ...] = ()
    interval: Duration = MINUTE

    def document(self) -> dict[str, Any]:
        """As it stands in a test file."""
        body: dict[str, Any] = {"name": self.name, "interval": format_duration(self.interval)}
        body["input_series"] = [each.document() for each in self.inputs]
        if self.firing:
            body["alert_rule_test"] = [each.document() for each in self.firing]
        return body | {"promql_expr_test": [each.document() for each in self.checks]}


def file_of(
    rule_files: Sequence[str], order: Sequence[str], interval: Duration, scenarios: Iterable[Scenario]
) -> dict[str, Any]:
    """A test file; groups are evaluated every ``interval``, in ``order``."""
    return {
        "rule_files": list(rule_files),
        "evaluation_interval": format_duration(interval),
        "group_eval_order": list(order),
        "tests": [scenario.document() for scenario in scenarios],
    }


def named(metric: str, labels: Mapping[str, str]) -> str:
    """A series with its labels, as input or as what an expression gives."""
    return metric + "{" + ",".join(f"{key}={quoted(value)}" for key, value in sorted(labels.items())) + "}"


def constant_runs(values: Iterable[Value]) -> str:
    """Samples in promtool's notation, equal neighbours drawn together."""
    return in_runs((value, len(list(run))) for value, run in groupby(values))


def in_runs(runs: Iterable[tuple[Value, int]]) -> str:
    """The same of values that are given with how often they come."""
    parts = []
    for value, length in runs:
        if length and value is None:
            parts.append(f"_x{length}")
        elif length and value is not None:
            parts.append(_short(value) if length == 1 else f"{_short(value)}x{length - 1}")
    return " ".join(parts)


def counter(increments: Sequence[Value], start: float = 0, restart: int | None = None) -> str:
    """The samples of a counter that begins at ``start`` and then grows by these; None ends the series.

    At the increment ``restart`` its process starts anew, and the counter from 0.
    """
    parts = [_short(start)]
    value = start
    for (growth, anew), run in groupby(enumerate(increments), lambda pair: (pair[1], _anew(pair[0], restart))):
        length = len(list(run))
        if growth is None:
            parts.append("stale" if length == 1 else f"stale _x{length - 1}")
            continue
        if anew == 1:
            value = 0
        parts.append(f"{_short(value + growth)}+{_short(growth)}x{length - 1}")
        value += growth * length
    return " ".join(parts)


def _anew(index: int, restart: int | None) -> int:
    """0 before a restart, 1 at it, 2 after it."""
    return 0 if restart is None or index < restart else 1 if index == restart else 2


def _short(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
