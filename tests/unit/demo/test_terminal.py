"""What remains on the terminal when the demo's story is over."""

from __future__ import annotations

import io

from rich.console import Console

from figwatch_agent.demo.terminal import Terminal, figure


def criterion(**changed: object) -> dict[str, object]:
    """A criterion of the status document."""
    return {
        "name": "latency-p95",
        "target": "< 200ms",
        "verdict": "inconclusive",
        "value": 105,
        "low": 100,
        "high": 250,
        "unit": "ms",
        "evidence": "95th percentile of 1121 requests",
        "reason": "the target lies between the bounds",
        **changed,
    }


def shown(*criteria: dict[str, object]) -> str:
    """The end of a story with these criteria."""
    file = io.StringIO()
    requests = {"service": {"sent": 922, "failed": 79}, "legacy": {"sent": 0, "failed": 0}}
    Terminal(Console(file=file, width=200)).show(
        {
            "decision": None,
            "route": "/api/v1/chat",
            "requests": requests,
            "criteria": criteria,
            "differences": [],
            "fault": "errors",
        }
    )
    return file.getvalue()


def test_an_inconclusive_criterion_says_why_beside_its_evidence() -> None:
    assert "the target lies between the bounds; 95th percentile of 1121 requests" in shown(criterion())


def test_a_share_is_written_like_everywhere_else() -> None:
    assert "8.57%" in shown()
    assert figure(criterion(value=0.688, low=0.688, high=0.688, unit="ratio")) == "68.80%"


def test_a_side_that_served_nothing_is_left_out() -> None:
    assert "legacy" not in shown()
