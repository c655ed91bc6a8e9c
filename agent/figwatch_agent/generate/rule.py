"""Rules as values, and the file that Prometheus reads."""

from dataclasses import dataclass, field
from typing import Any

from figwatch_agent.durations import MINUTE, Duration, format_duration

HEADER = "# Written by `{command}`. Changes belong into slo/, then generate again.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording rule."""

    record: str
    expr: str
    labels: dict[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As it stands in a rule file."""
        body: dict[str, Any] = {"record": self.record, "expr": self.expr}
        return body | ({"labels": self.labels} if self.labels else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alerting rule."""

    alert: str
    expr: str
    labels: dict[str, str]
    annotations: dict[str, str]
    lasting: Duration = 0  # `for:` in the file

    def document(self) -> dict[str, Any]:
        """As it stands in a rule file."""
        body: dict[str, Any] = {"alert": self.alert, "expr": self.expr}
        if self.lasting:
            body["for"] = format_duration(self.lasting)
        return body | {"labels": self.labels, "annotations": self.annotations}


Rule = Recording | Alert


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rules that are evaluated one after the other, at one time."""

    name: str
    rules: tuple[Rule, ...]
    interval: Duration = MINUTE

    def document(self) -> dict[str, Any]:
        """As it stands in a rule file."""
        rules = [rule.document() for rule in self.rules]
        return {"name": self.name, "interval": format_duration(self.interval), "rules": rules}
