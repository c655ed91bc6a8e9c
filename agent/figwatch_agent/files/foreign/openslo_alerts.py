"""Alert policies of OpenSLO: burn rates over one window each."""

from fractions import Fraction
from typing import Any, Final, Protocol

from figwatch_agent.durations import Duration, format_duration, parse_duration
from figwatch_agent.files.document import Document, Path
from figwatch_agent.files.fields import percent
from figwatch_agent.files.foreign.imported import Burn, Reading
from figwatch_agent.files.foreign.openslo_metric import Located
from figwatch_agent.model.names import Severity

SHORT: Final = "figwatch-short"
"""Annotation of an AlertCondition that keeps the short window, for which OpenSLO has no place."""

CLOSE: Final = Fraction(1, 10**9)
"""How much a burn rate may differ from its share where its digits were cut."""

SHARE: Final = "figwatch-share"
"""Annotation that keeps a share of the budget whose burn rate has no end of digits."""

PAGES: Final = frozenset(("page", "critical", "crit", "emergency", "urgent", "high", "sev0", "sev1", "p0", "p1"))
TICKETS: Final = frozenset(
    ("ticket", "warning", "warn", "medium", "low", "info", "sev2", "sev3", "sev4", "p2", "p3", "p4")
)
"""Severities in lower case, as teams write them; the specification leaves the words open."""

_OF_POLICY: Final = {
    "notificationTargets": "receivers in figwatch.yaml say who is told",
    "alertWhenNoData": "TelemetryLost and TrafficLost open a ticket",
    "alertWhenResolved": "receivers are always told of the end",
}


class Objects(Protocol):
    """Where named objects are found."""

    def find(self, kind: str, name: str, document: Document, place: Path) -> Located | None:
        """An object, or None and a problem."""


def burns_of(slo: Located, library: Objects, reading: Reading, window: Duration, *, first: bool) -> list[Burn] | None:
    """The alerts of an SLO; None where it names no policies. ``first``: nothing was said about them yet."""
    policies = slo.body["spec"].get("alertPolicies")
    if policies is None:
        if first:
            message = "no alert policies are given: the usual four tiers apply"
            reading.notice(slo.document, ("metadata", "name"), message, "write alertPolicies: [] for none")
        return None
    teller = reading if first else Reading(reading.options)
    burns: list[Burn] = []
    for index, given in enumerate(policies):
        place: Path = ("spec", "alertPolicies", index)
        policy = _found(slo.document, place, given, "alertPolicyRef", "AlertPolicy", library)
        if policy is not None:
            burns += _of_policy(policy, library, teller, window)
    return burns


class _Inline:
    """An object that stands inside of another."""

    def __init__(self, document: Document, place: Path, body: dict[str, Any]) -> None:
        self.document, self.place, self.body = document, place, body


def _found(
    document: Document, place: Path, given: dict[str, Any], reference: str, kind: str, library: Objects
) -> Located | None:
    if reference in given:
        return library.find(kind, given[reference], document, (*place, reference))
    return _Inline(document, place, given)


def _of_policy(policy: Located, library: Objects, reading: Reading, window: Duration) -> list[Burn]:
    spec = policy.body["spec"]
    here: Path = (*policy.place, "spec")
    reading.dropped(policy.document, here, [key for key in spec if spec[key]], _OF_POLICY)
    if not spec.get("alertWhenBreaching", True):
        reading.notice(policy.document, here, "the policy is not carried over: alertWhenBreaching is false")
        return []
    burns: list[Burn] = []
    for index, given in enumerate(spec["conditions"]):
        place: Path = (*here, "conditions", index)
        condition = _found(policy.document, place, given, "conditionRef", "AlertCondition", library)
        burn = None if condition is None else _of_condition(condition, reading, window)
        burns += [] if burn is None else [burn]
    return burns


def _of_condition(found: Located, reading: Reading, window: Duration) -> Burn | None:
    spec = found.body["spec"]
    condition = spec["condition"]
    here: Path = (*found.place, "spec", "condition")
    if condition.get("op", "gte") not in ("gt", "gte"):
        reading.notice(found.document, here, "the condition is not carried over: it asks for a low burn rate")
        return None
    if "alertAfter" in condition and condition["alertAfter"].length:
        message = "alertAfter is not carried over: here evidence decides how soon an alert fires"
        reading.notice(found.document, (*here, "alertAfter"), message)
    annotations: dict[str, str] = found.body.get("metadata", {}).get("annotations", {})
    long: Duration = condition["lookbackWindow"].length
    share = _share(annotations, condition["threshold"] * long / window)
    return Burn(
        long=long,
        short=_short(annotations, long, found, here, reading),
        severity=_severity(found, reading),
        factor=condition["threshold"] if share is None else None,
        share=share,
    )


def _share(annotations: dict[str, str], meant: Fraction) -> Fraction | None:
    """The share that was written down beside a burn rate, while it still says the same."""
    share = percent(annotations.get(SHARE, ""))
    return share if share is not None and abs(share - meant) <= meant * CLOSE else None


def _short(annotations: dict[str, str], long: Duration, found: Located, here: Path, reading: Reading) -> Duration:
    try:
        return parse_duration(annotations[SHORT][:40])
    except (KeyError, ValueError):
        short = max(1, long // 12)
        message = f"OpenSLO knows no short window: {format_duration(short)} is taken, a twelfth of the long one"
        reading.notice(found.document, (*here, "lookbackWindow"), message)
        return short


def _severity(found: Located, reading: Reading) -> Severity:
    word = found.body["spec"]["severity"]
    if word.lower() in PAGES:
        return Severity.PAGE
    if word.lower() not in TICKETS:
        message = f"the severity {word} is taken for a ticket"
        reading.notice(
            found.document, (*found.place, "spec", "severity"), message, "write page for what wakes somebody"
        )
    return Severity.TICKET
