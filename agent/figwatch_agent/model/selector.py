"""A PromQL vector selector as a value: a metric name and label matchers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Operator = Literal["=", "!=", "=~", "!~"]


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """One label condition. A label that is absent counts as the empty string, as in Prometheus."""

    label: str
    operator: Operator
    value: str

    def matches(self, value: str) -> bool:
        """Whether a label with this value passes; regular expressions are anchored at both ends."""
        if self.operator == "=":
            return value == self.value
        if self.operator == "!=":
            return value != self.value
        found = _compiled(self.value).fullmatch(value) is not None
        return found if self.operator == "=~" else not found


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """Series of one metric whose labels pass every matcher."""

    metric: str
    matchers: tuple[Matcher, ...] = ()

    def matches(self, metric: str, labels: Mapping[str, str]) -> bool:
        """Whether a series belongs to this selector."""
        return metric == self.metric and all(m.matches(labels.get(m.label, "")) for m in self.matchers)
