"""Stories about figwatch itself: well, absent, standing still, and not heard."""

from collections.abc import Iterator

from figwatch_agent.durations import MINUTE
from figwatch_agent.generate.promtool import Check, Input, Scenario, named

AGENT = {"instance": "figwatch:9464", "job": "figwatch"}
FIRING = 'count by (alertname, tier, severity) (ALERTS{alertstate="firing"})'
ABSENT = ("TelemetryLost", "absent", "page")
STANDING = ("TelemetryLost", "standing", "page")
WAITING = ("DeliveryFailing", "waiting", "page")
REFUSED = ("DeliveryFailing", "refused", "ticket")

Told = tuple[str, str, str]


def agent_scenarios() -> Iterator[Scenario]:
    """A story for each rule, with both sides of its threshold."""
    yield _story("healthy", {}, {1: [], 10: []})
    yield _story("absent", {"figwatch_agent_build_info": "1x4 stale _x6"}, {4: [], 6: [], 7: [ABSENT], 10: [ABSENT]})
    # The newest commit was made at minute 2.
    standing = {"figwatch_agent_last_commit_timestamp_seconds": "0 60 120x8"}
    yield _story("standing still", standing, {5: [], 6: [STANDING], 10: [STANDING]})
    waiting = {"figwatch_agent_oldest_pending_page_seconds": "0x3 60+60x4 301 0"}
    yield _story("a page waits", waiting, {8: [], 9: [WAITING], 10: []})
    born = {'figwatch_agent_deliveries_total{receiver="oncall",result="refused"}': "_x12 1x17"}
    yield _story("the first refusal", born, {11: [], 12: [REFUSED], 21: [REFUSED], 22: []})
    more = {'figwatch_agent_deliveries_total{receiver="oncall",result="refused"}': "5x12 6x16"}
    yield _story("one more refusal", more, {12: [], 13: [REFUSED], 22: [REFUSED], 23: []})


def _story(name: str, changed: dict[str, str], told: dict[int, list[Told]]) -> Scenario:
    series = {
        "up": "1x40",
        "figwatch_agent_build_info": "1x40",
        "figwatch_agent_last_commit_timestamp_seconds": "0+60x40",
        "figwatch_agent_oldest_pending_page_seconds": "0x40",
        **changed,
    }
    return Scenario(
        name=name,
        inputs=tuple(Input(series=_with_target(key), values=values) for key, values in series.items()),
        checks=tuple(_said(minute, alerts) for minute, alerts in told.items()),
    )


def _with_target(series: str) -> str:
    metric, brace, inside = series.partition("{")
    target = named("", AGENT)
    return metric + (f"{target[:-1]},{inside}" if brace else target)


def _said(minute: int, told: list[Told]) -> Check:
    samples = tuple(
        (named("", {"alertname": name, "tier": tier, "severity": severity}), 1.0) for name, tier, severity in told
    )
    return Check(at=minute * MINUTE, expr=FIRING, samples=samples)
