"""The answer of a gate as JSON, and as a table."""

from collections.abc import Mapping
from typing import Any

from figwatch_agent.durations import format_instant
from figwatch_agent.model.gate import GateAnswer
from figwatch_agent.report.summary import Table
from figwatch_agent.report.words import visible


def gate_document(answer: GateAnswer) -> dict[str, object]:
    """Every condition with its evidence; ``passes`` is yes, no or unknown."""
    return {
        "version": 1,
        "at": format_instant(answer.at),
        "route": answer.route,
        "stage": answer.stage.value,
        "to": answer.to.value,
        "passes": answer.passes.value,
        "conditions": [
            {"name": each.name, "holds": each.holds.value, "evidence": each.evidence} for each in answer.conditions
        ],
    }


def gate_table(document: Mapping[str, Any]) -> Table:
    """What does not hold first."""
    order = ("no", "unknown", "yes")
    conditions = sorted(document["conditions"], key=lambda each: order.index(each["holds"]))
    return Table(
        title="Conditions",
        columns=("condition", "holds", "evidence"),
        rows=tuple((visible(each["name"]), each["holds"], visible(each["evidence"])) for each in conditions),
        empty="none.",
    )
