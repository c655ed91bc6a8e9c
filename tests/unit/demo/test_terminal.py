"""What remains on the terminal when the demo's story is over."""

from __future__ import annotations

import io
import re

from rich.console import Console

from figwatch_agent.demo.terminal import Terminal, bounds


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
        "coverage": 0.75,
        "evidence": "95th percentile of 1121 requests",
        "reason": "the target lies between the bounds",
        **changed,
    }


def shown(*criteria: dict[str, object], differences: tuple[str, ...] = ()) -> str:
    """The end of a story with these criteria."""
    file = io.StringIO()
    requests = {"service": {"sent": 922, "failed": 79}, "legacy": {"sent": 0, "failed": 0}}
    Terminal(Console(file=file, width=200)).show(
        {
            "decision": None,
            "route": "/api/v1/chat",
            "requests": requests,
            "criteria": criteria,
            "differences": differences,
            "fault": "errors",
        }
    )
    return file.getvalue()


def test_an_inconclusive_criterion_says_why_beside_its_evidence() -> None:
    assert "the target lies between the bounds; 95th percentile of 1121 requests" in shown(criterion())


def test_uptime_is_shown_with_its_bounds_and_its_coverage() -> None:
    uptime = criterion(name="uptime", value=1.0, low=0.8667, high=1.0, unit="ratio", coverage=0.8667)
    [line] = [line for line in shown(uptime).splitlines() if "uptime" in line]
    assert "100.00%   86.67% to 100.00%     86.67%" in line


def test_a_criterion_without_a_figure_shows_no_number() -> None:
    nothing = criterion(value=None, low=None, high=None, coverage=None, evidence="", reason="nothing was recorded")
    [line] = [line for line in shown(nothing).splitlines() if "latency-p95" in line]
    assert "-  -  -  nothing was recorded" in re.sub(" {2,}", "  ", line)


def test_an_open_incident_leaves_the_upper_bound_open() -> None:
    assert bounds(criterion(low=8000, high=None)) == "8.0 s to any"


def test_a_share_is_written_like_everywhere_else() -> None:
    assert "8.57%" in shown()
    assert bounds(criterion(low=0.688, high=0.688, unit="ratio")) == "68.80%"


def test_a_side_that_served_nothing_is_left_out() -> None:
    assert "legacy" not in shown()


def test_what_differed_is_listed_sentence_by_sentence() -> None:
    text = shown(differences=("nothing was rolled back", "a person should see one page, and sees 2"))
    assert "not the right one for fault errors" in text
    assert "- nothing was rolled back" in text
    assert "- a person should see one page, and sees 2" in text
