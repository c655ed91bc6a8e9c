"""What the documents of the agent and of the load generator say of a story."""

from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]


def told_of(incident: Json) -> Sequence[tuple[str, str]]:
    """(stage, sentence) of everything that has happened to an incident so far."""
    route, found = incident["route"], []
    alerts = ", ".join(dict.fromkeys(alert["name"] for alert in incident["alerts"]))
    found.append(("detected", f"{route}: {alerts}"))
    decision, rollback = incident["decision"], incident["rollback"]
    if decision is not None:
        reason = "every condition holds" if decision["reason"] == "conditions_hold" else decision["reason"]
        found.append(("decided", f"{route}: {decision['outcome'].replace('_', ' ')}, {reason}"))
    if incident["paged_at"]:
        found.append(("paged", f"{route}: a person was paged"))
    if rollback is not None and rollback["done_at"]:
        found.append(("rolled_back", f"{route}: sent back to legacy by plan {rollback['plan']}"))
    if rollback is not None and rollback["verified_at"]:
        found.append(("verified", f"{route}: the rollback {rollback['verdict']}, {rollback['detail']}"))
    if incident["resolved_at"]:
        found.append(("resolved", f"{route}: incident {incident['id']} closed"))
    return found


def stage_at(incident: Json, stage: str) -> str | None:
    """When an incident came to a stage, as ISO 8601; None where it did not."""
    decision, rollback = incident["decision"] or {}, incident["rollback"] or {}
    found: dict[str, str | None] = {
        "detected": incident["detected_at"],
        "decided": decision.get("at"),
        "paged": incident["paged_at"],
        "rolled_back": rollback.get("done_at"),
        "verified": rollback.get("verified_at"),
        "resolved": incident["resolved_at"],
    }
    return found[stage]


def requests_of(load: Json, route: str) -> dict[str, dict[str, int]]:
    """Requests sent and failed on each side of a route, as the load generator counted them."""
    sides = load.get("routes", {}).get(route, {})
    return {
        side: {"sent": sides.get(side, {}).get("sent", 0), "failed": sides.get(side, {}).get("failed", 0)}
        for side in ("service", "legacy", "unknown")
    }


def decision_of(incident: Json | None) -> Json | None:
    """What was decided about an incident, and each condition with its evidence."""
    if incident is None or incident["decision"] is None:
        return None
    decision = incident["decision"]
    return {"outcome": decision["outcome"], "reason": decision["reason"], "conditions": decision["conditions"]}
