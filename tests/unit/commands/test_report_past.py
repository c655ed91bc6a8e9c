"""`figwatch report` over a history: what counters tell is told, what they cannot tell is inconclusive, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from figwatch_agent import cli
from support.histories import START, replayed_counts, reported_counts, written

CRITERIA = """\
criteria:
  - {name: legacy, measure: legacy_ratio, target: "< 30%", over: 4h}
  - {name: p95, measure: latency_p95, target: "< 200ms", over: 4h}
  - {name: uptime, measure: uptime, target: "> 99.9%"}
  - {name: mttr, measure: mttr, target: "< 15m"}
  - {name: loss, measure: data_loss, target: "< 1"}
  - {name: deploys, measure: deployment_frequency, target: x5}
  - {name: happy, measure: satisfaction, target: kept}
"""


def files(folder: Path) -> tuple[str, str]:
    slo, history = written(folder)
    with Path(slo).open("a", encoding="utf-8") as out:
        out.write(CRITERIA)
    return slo, history


def report(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert cli.main(["report", *arguments, "--format", "json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_counters_decide_what_they_can_and_every_other_criterion_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slo, history = files(tmp_path)
    document = report(capsys, slo, "--history", history)
    found = {each["name"]: (each["verdict"], each["reason"]) for each in document["criteria"]}
    assert [found[name][0] for name in ("legacy", "mttr")] == ["met", "met"]
    reasons = {"p95": "answered no request", "uptime": "no probes", "loss": "no samples of data"}
    reasons |= {"deploys": "no deployments", "happy": "no figures that people bring"}
    for name, reason in reasons.items():
        assert found[name][0] == "inconclusive"
        assert reason in found[name][1]
    assert document["findings"][0].startswith("read from files, 2026-09-21T14:13:20.000Z to ")
    assert "chat-uptime: probes are no part of a history" in document["findings"]


def test_counts_are_those_of_the_replay_and_both_ways_of_counting_requests_agree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slo, history = files(tmp_path)
    span = ["--from", str(START + 3600), "--to", str(START + 3 * 3600)]
    document = report(capsys, slo, "--history", history, *span)
    assert cli.main(["replay", slo, "--history", history, *span, "--output", "json"]) == 0
    replayed = json.loads(capsys.readouterr().out)
    assert reported_counts(document) == replayed_counts(replayed)
    (legacy,) = [each for each in document["criteria"] if each["name"] == "legacy"]
    assert legacy["counts"]["total"] == replayed["slos"][0]["total"] > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{slo}"], "go with --prometheus or --history"),
        (["--from", "1"], "go with --prometheus or --history"),
        (["{slo}", "--history", "{history}", "--url", "http://127.0.0.1:1"], "name one of --url"),
        (["{slo}", "--prometheus", "http://127.0.0.1:1"], "--prometheus needs --from"),
    ],
)
def test_options_that_do_not_go_together_are_named(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slo, history = files(tmp_path)
    assert cli.main(["report", *(each.format(slo=slo, history=history) for each in arguments)]) == 2
    assert said in capsys.readouterr().err


def test_a_span_without_a_sample_is_not_enough_to_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    slo, history = files(tmp_path)
    assert cli.main(["report", slo, "--history", history, "--from", str(START + 10**6)]) == 5
    assert "nothing to report" in capsys.readouterr().err
