"""Alerts about figwatch itself, from what it says of itself: absent, standing still, or not heard."""

from figwatch_agent.durations import MINUTE, Duration, format_duration
from figwatch_agent.generate.promql import counted, indented
from figwatch_agent.generate.rule import Alert, Group
from figwatch_agent.generate.series import ALL, NONE
from figwatch_agent.generate.texts import Links, Text, annotations
from figwatch_agent.model.names import AlertName, Severity

PATIENCE: Duration = 2 * MINUTE
STANDING: Duration = 3 * MINUTE
WAITING: Duration = 5 * MINUTE
REFUSALS: Duration = 10 * MINUTE
SERVICE = "figwatch"
GROUP = "figwatch-agent"

_DECIDE = (
    "Who watches the routes until figwatch is back? No page and no rollback comes from it: tell the people on call,"
    " move no routes, and start it again."
)


def agent_group(links: Links) -> Group:
    """Four rules for all SLOs together."""
    return Group(name=GROUP, rules=(_absent(links), _standing(links), _waiting(links), _refused(links)))


def _absent(links: Links) -> Alert:
    text = Text(
        summary="figwatch itself is silent",
        description="No scrape target answers with figwatch's own metrics: it is down, or Prometheus cannot reach it.",
        decide=_DECIDE,
    )
    return _alert(
        AlertName.TELEMETRY_LOST, Severity.PAGE, "absent", "absent(figwatch_agent_build_info)", PATIENCE, text, links
    )


def _standing(links: Links) -> Alert:
    seconds = STANDING // 1000
    text = Text(
        summary="figwatch answers and stands still",
        description=(
            f"Its newest committed tick is more than {format_duration(STANDING)} old: the loop hangs, or its store"
            " takes nothing. Nothing is decided meanwhile."
        ),
        decide=_DECIDE,
    )
    expr = f"max by (instance) (time() - figwatch_agent_last_commit_timestamp_seconds) > {seconds}"
    return _alert(AlertName.TELEMETRY_LOST, Severity.PAGE, "standing", expr, 0, text, links)


def _waiting(links: Links) -> Alert:
    seconds = WAITING // 1000
    text = Text(
        summary="A page waits to be taken",
        description=(
            f"figwatch holds a page that no receiver took for more than {format_duration(WAITING)}. People who are"
            " waited for may not know of an incident."
        ),
        decide="What is open, and who has to be told by other means? `figwatch status` lists it.",
    )
    expr = f"max by (instance) (figwatch_agent_oldest_pending_page_seconds) > {seconds}"
    return _alert(AlertName.DELIVERY_FAILING, Severity.PAGE, "waiting", expr, 0, text, links)


def _refused(links: Links) -> Alert:
    refused = counted('figwatch_agent_deliveries_total{result="refused"}', REFUSALS)
    text = Text(
        summary="{{ $labels.receiver }} refuses pages",
        description=(
            f"Within {format_duration(REFUSALS)} it refused {{{{ $value }}}} for good. What has a fallback went there."
        ),
        decide="Is its key or URL wrong? `figwatch notify test {{ $labels.receiver }}` shows the answer.",
    )
    expr = f"sum by (instance, receiver) (\n{indented(refused)}) > 0"
    return _alert(AlertName.DELIVERY_FAILING, Severity.TICKET, "refused", expr, 0, text, links)


def _alert(
    name: AlertName, severity: Severity, tier: str, expr: str, lasting: Duration, text: Text, links: Links
) -> Alert:
    labels = {"service": SERVICE, "route": ALL, "slo": NONE, "severity": severity.value, "tier": tier}
    return Alert(
        alert=name.value, expr=expr, labels=labels, annotations=annotations(name, text, links), lasting=lasting
    )
