"""Was the story the right one for the fault? Every difference is a sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was seen from outside when the story was over."""

    fault: str
    route: str
    incidents: tuple[Json, ...]  # of routes, as the agent's status shows them
    alerts: tuple[Json, ...]  # at the pager, as the person on call sees them
    shares_before: Mapping[str, int]  # service share by route
    shares_after: Mapping[str, int]


def differences(told: Told) -> list[str]:
    """Everything that differs from the right story; empty where it was the right one."""
    checks = {"none": _nothing, "shared": _withheld, "flap": _flapped}
    return checks.get(told.fault, _rolled_back)(told)


def _nothing(told: Told) -> list[str]:
    found = [f"a person was paged without a fault: {alert['summary']}" for alert in told.alerts]
    found += [f"an incident was opened without a fault: {incident['id']}" for incident in told.incidents]
    return found + _unmoved(told)


def _withheld(told: Told) -> list[str]:
    found = _one_page(told)
    for incident in _own(told):
        decision = incident["decision"] or {}
        if (decision.get("outcome"), decision.get("reason")) != ("withheld", "shared_cause"):
            found.append(
                f"the decision should be withheld for shared_cause, and was "
                f"{decision.get('outcome')} for {decision.get('reason')}"
            )
        if incident["rollback"] is not None:
            found.append("a rollback was begun although legacy fails alike")
    return found + _unmoved(told)


def _rolled_back(told: Told) -> list[str]:
    found = _one_page(told)
    for incident in _own(told):
        rollback = incident["rollback"]
        if rollback is None:
            decision = incident["decision"] or {}
            found.append(f"nothing was rolled back: {decision.get('outcome')} for {decision.get('reason')}")
            continue
        if rollback["state"] != "done":
            found.append(f"the rollback ended {rollback['state']}: {rollback['detail']}")
        if rollback["verdict"] != "helped":
            found.append(f"the rollback should have helped, and its verdict is {rollback['verdict']}")
        if incident["resolved_at"] is None:
            found.append(f"incident {incident['id']} is still open")
    found += [f"the pager still shows it open: {a['summary']}" for a in told.alerts if a["state"] != "resolved"]
    if told.shares_after.get(told.route) != 0:
        found.append(f"the gateway still sends {told.shares_after.get(told.route)} % of {told.route} to the service")
    return found + _others_moved(told)


def _flapped(told: Told) -> list[str]:
    found = _one_page(told)
    rollbacks = [incident for incident in told.incidents if incident["rollback"] is not None]
    if len(rollbacks) > 1:
        found.append(f"{len(rollbacks)} rollbacks were begun; one may be, until a person re-arms the route")
    return found + _others_moved(told)


def _own(told: Told) -> list[Json]:
    return [incident for incident in told.incidents if incident["route"] == told.route]


def _one_page(told: Told) -> list[str]:
    found: list[str] = []
    if not _own(told):
        found.append(f"no incident was opened for {told.route}")
    found += [
        f"an incident was opened for {i['route']}, which is well" for i in told.incidents if i["route"] != told.route
    ]
    if len(told.alerts) != 1:
        found.append(f"a person should see one page, and sees {len(told.alerts)}")
    return found


def _unmoved(told: Told) -> list[str]:
    return [
        f"the gateway's share of {route} changed from {before} to {told.shares_after.get(route)}"
        for route, before in told.shares_before.items()
        if told.shares_after.get(route) != before
    ]


def _others_moved(told: Told) -> list[str]:
    return [text for text in _unmoved(told) if f"of {told.route} changed" not in text]
