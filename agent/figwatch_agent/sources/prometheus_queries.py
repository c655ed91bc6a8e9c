"""Which raw series a look asks an engine for, in few queries: joined by metric, narrowed by labels where all agree.

A query brings at least the series of its selectors. What it brings beyond them costs bytes and no truth: the engine of
figwatch picks by the selectors themselves.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from figwatch import contract
from figwatch_agent.durations import Duration
from figwatch_agent.model.selector import Selector
from figwatch_agent.model.slo import Availability, Events, Histogram, Latency, ServiceSlos

MOST_QUERIES: Final = 14
"""For counters, of the sixteen that a look may ask: `up` is one more, and one stays free."""

UP: Final = "up"

_LITERAL: Final = re.compile(r"[A-Za-z0-9_ /:@%<>=,;!~'&#-]*")


@dataclass(slots=True)
class _Group:
    """Metrics asked for together."""

    metrics: set[str]
    values: dict[str, set[str]] = field(default_factory=dict)
    """By label what every selector of the group asks of it by equality; labels on which one does not are left out."""

    def joined(self, other: "_Group") -> "_Group":
        """Both as one: narrowed only by labels that narrow both."""
        values = {label: found | other.values[label] for label, found in self.values.items() if label in other.values}
        return _Group(self.metrics | other.metrics, values)

    def text(self) -> str:
        """As a vector selector."""
        matchers = [one_of("__name__", self.metrics)]
        matchers += [one_of(label, values) for label, values in sorted(self.values.items())]
        return "{" + ",".join(matchers) + "}"


def selectors_of(services: Iterable[ServiceSlos]) -> tuple[Selector, ...]:
    """Selectors of every raw series that the SLOs count, suffixes included."""
    found: dict[Selector, None] = {}
    for service in services:
        for slo in service.slos:
            sli = slo.sli
            if isinstance(sli, (Availability, Latency)):
                for histogram in (contract.REQUEST_DURATION, contract.TIME_TO_FIRST_BYTE):
                    found.update(dict.fromkeys(Selector(metric=histogram + part) for part in ("_count", "_bucket")))
            elif isinstance(sli, Events):
                found.update(dict.fromkeys((*sli.total, *sli.good, *sli.bad)))
            elif isinstance(sli, Histogram):
                for selector in sli.selectors:
                    for part in ("_count", "_bucket"):
                        found[Selector(metric=selector.metric + part, matchers=selector.matchers)] = None
    return tuple(found)


def queries(selectors: Sequence[Selector], most: int = MOST_QUERIES) -> tuple[str, ...]:
    """At most ``most`` vector selectors that together bring all that ``selectors`` want; stable for the same files."""
    groups: dict[str, _Group] = {}
    for selector in sorted(selectors, key=lambda each: each.metric):
        asked = _Group({selector.metric}, _equalities(selector))
        known = groups.get(selector.metric)
        groups[selector.metric] = asked if known is None else known.joined(asked)
    ordered = list(groups.values())
    share = -(-len(ordered) // most) if ordered else 1
    packed: list[_Group] = []
    for first in range(0, len(ordered), share):
        group = ordered[first]
        for other in ordered[first + 1 : first + share]:
            group = group.joined(other)
        packed.append(group)
    return tuple(group.text() for group in packed)


def over(selector: str, window: Duration) -> str:
    """The raw samples of the last ``window``: an engine hands them out as it holds them, timestamps included."""
    return f"{selector}[{window}ms]"


def one_of(label: str, values: Iterable[str]) -> str:
    """A label matcher for any of these values, each taken as it is."""
    ordered = sorted(values)
    if len(ordered) == 1:
        return f"{label}={quoted(ordered[0])}"
    return f"{label}=~{quoted('|'.join(_escaped(value) for value in ordered))}"


def quoted(text: str) -> str:
    """A PromQL string literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _escaped(value: str) -> str:
    """A literal inside RE2, which knows fewer escapes than Python's re.escape writes."""
    if _LITERAL.fullmatch(value):
        return value
    return "".join(f"\\{letter}" if letter in r"\.+*?()|[]{}^$" else letter for letter in value)


def _equalities(selector: Selector) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for matcher in selector.matchers:
        if matcher.operator == "=":
            found.setdefault(matcher.label, {matcher.value})
    return found
