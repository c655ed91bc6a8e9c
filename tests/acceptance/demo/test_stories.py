"""Each fault, told by `figwatch demo` on real processes and real HTTP, with figures anybody could check."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

Json = dict[str, Any]

SECONDS = 240
"""The demo takes 90 s; a busy machine may take longer to start and stop ten processes."""


def _play(fault: str, folder: Path, duration: str = "90s") -> tuple[int, Json]:
    command = [sys.executable, "-m", "figwatch_agent", "demo", "--fault", fault, "--output", "json"]
    command += ["--duration", duration]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.stdout, f"exit {done.returncode}, no document:\n{done.stderr[-4000:]}"
    return done.returncode, json.loads(done.stdout)


def _assert_right(code: int, story: Json) -> None:
    assert story["differences"] == []
    assert code == 0


def _assert_in_time(story: Json, *, detected: float, paged: float, rolled_back: float, verified: float) -> None:
    timeline = story["timeline"]
    limits = {"detected": detected, "paged": paged, "rolled_back": rolled_back, "verified": verified}
    late = {stage: timeline[stage] for stage, limit in limits.items() if not 0 <= timeline[stage] <= limit}
    assert late == {}, f"seconds since the fault, with limits {limits}: {timeline}"


def _assert_every_condition_held(story: Json) -> None:
    decision = story["decision"]
    assert (decision["outcome"], decision["reason"]) == ("rollback", "conditions_hold")
    assert {condition["name"]: condition["holds"] for condition in decision["conditions"]} == {
        "page_tier": "yes",
        "worse_than_control": "yes",
        "legacy_fit": "yes",
        "data_safe": "yes",
        "gateway_unchanged": "yes",
        "allowed": "yes",
    }
    assert all(condition["evidence"] for condition in decision["conditions"])


def _assert_rolled_back(story: Json) -> None:
    _assert_every_condition_held(story)
    [incident] = [one for one in story["incidents"] if one["kind"] == "route"]
    assert incident["rollback"]["state"] == "done"
    assert incident["rollback"]["verdict"] == "helped"
    assert incident["resolved_at"] is not None
    assert story["gateway"]["after"][story["route"]] == 0
    [page] = story["pages"]
    assert page["state"] == "resolved"
    stages = [story["timeline"][stage] for stage in ("detected", "rolled_back", "verified", "resolved")]
    assert stages == sorted(stages)


def _verdicts(story: Json) -> dict[str, str]:
    return {criterion["measure"]: criterion["verdict"] for criterion in story["criteria"]}


@pytest.mark.timeout(SECONDS + 30)
def test_half_of_the_requests_failing_is_paged_rolled_back_verified_and_resolved(tmp_path: Path) -> None:
    code, story = _play("errors", tmp_path)
    _assert_right(code, story)
    _assert_rolled_back(story)
    _assert_in_time(story, detected=5, paged=6, rolled_back=10, verified=30)
    assert 0 < story["requests"]["service"]["failed"] < story["requests"]["service"]["sent"]
    assert story["requests"]["legacy"]["failed"] == 0
    verdicts = _verdicts(story)
    assert len(verdicts) == 11
    assert verdicts["mttr"] == "met"
    assert verdicts["legacy_ratio"] == "missed"
    measured = {"uptime", "latency_p95", "mttr", "legacy_ratio"}
    for criterion in story["criteria"]:
        if criterion["measure"] in measured:
            assert criterion["evidence"]
        else:
            assert (criterion["verdict"], bool(criterion["reason"])) == ("inconclusive", True)


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 30)
def test_a_shared_cause_is_paged_and_nothing_is_flipped(tmp_path: Path) -> None:
    code, story = _play("shared", tmp_path, "60s")
    _assert_right(code, story)
    assert (story["decision"]["outcome"], story["decision"]["reason"]) == ("withheld", "shared_cause")
    [worse] = [each for each in story["decision"]["conditions"] if each["name"] == "worse_than_control"]
    assert worse["holds"] == "no"
    assert story["gateway"]["after"] == story["gateway"]["before"]
    assert story["timeline"]["rolled_back"] is None
    assert story["timeline"]["paged"] is not None
    assert len(story["pages"]) == 1


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 30)
def test_an_outage_is_paged_rolled_back_verified_and_resolved_in_time(tmp_path: Path) -> None:
    code, story = _play("outage", tmp_path)
    _assert_right(code, story)
    _assert_rolled_back(story)
    _assert_in_time(story, detected=5, paged=6, rolled_back=10, verified=30)


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 30)
def test_slow_answers_are_paged_rolled_back_verified_and_resolved(tmp_path: Path) -> None:
    code, story = _play("latency", tmp_path)
    _assert_right(code, story)
    _assert_rolled_back(story)
    [incident] = [one for one in story["incidents"] if one["kind"] == "route"]
    assert {alert["name"] for alert in incident["alerts"]} == {"LatencyDegraded"}


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 30)
def test_a_flapping_fault_gives_one_page_and_at_most_one_rollback(tmp_path: Path) -> None:
    code, story = _play("flap", tmp_path)
    _assert_right(code, story)
    assert len(story["pages"]) == 1
    assert sum(one["rollback"] is not None for one in story["incidents"]) <= 1


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 30)
def test_without_a_fault_nobody_is_paged(tmp_path: Path) -> None:
    code, story = _play("none", tmp_path)
    _assert_right(code, story)
    assert story["pages"] == []
    assert story["decision"] is None
    assert set(story["timeline"].values()) == {None}
