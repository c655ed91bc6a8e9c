"""``figwatch replay --history``: one small history, as text and as JSON, and what is said where there is none."""

from __future__ import annotations

import gzip
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from figwatch_agent import cli
from figwatch_agent.sources import history_lines
from support.agent_site import write_files
from support.histories import SLO, START, small_history, written
from support.parts import ROOT

GOLDEN = ROOT / "tests" / "golden" / "replay"


def answer(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """What the command prints."""
    assert cli.main(["replay", *arguments]) == code
    return capsys.readouterr().out


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """The JSON that the command prints."""
    found: dict[str, Any] = json.loads(answer(capsys, *arguments, "--output", "json"), parse_constant=pytest.fail)
    return found


def slo(found: dict[str, Any], name: str) -> dict[str, Any]:
    """One of its SLOs."""
    (one,) = [each for each in found["slos"] if each["name"] == name]
    result: dict[str, Any] = one
    return result


@pytest.mark.parametrize(("form", "name"), [("text", "small.txt"), ("json", "small.json")])
def test_a_small_history_is_told_as_it_always_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, name: str
) -> None:
    files, history = written(tmp_path)
    assert answer(capsys, files, "--history", history, "--output", form) == (GOLDEN / name).read_text("utf-8")


def test_figures_are_exact_and_the_ledger_sums_to_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files, history = written(tmp_path)
    found = document(capsys, files, "--history", history)
    chat = slo(found, "chat-availability")
    # 239 minutes follow the first sample; 11 of them lie across the gap and belong to no window
    assert (chat["total"], chat["bad"], chat["untimed_total"]) == (243 * 228, 900, 243 * 11)
    assert chat["good"] + chat["bad"] == chat["total"]
    assert Fraction(chat["error_ratio_fraction"]) == Fraction(900, 243 * 228)
    assert Fraction(chat["budget_remaining_fraction"]) == 1 - Fraction(900, 243 * 228) * 1000
    assert abs(Fraction(chat["error_ratio"]) - Fraction(900, 243 * 228)) <= Fraction(1, 2 * 10**30)
    for each in found["slos"]:
        assert sum(cell["total"] for cell in each["ledger"]) == each["total"]
        assert sum(cell["bad"] for cell in each["ledger"]) == each["bad"]


def test_an_slo_of_several_routes_is_split_by_route(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files, history = written(tmp_path)
    chat = slo(document(capsys, files, "--history", history), "chat-availability")
    assert [(one["route"], one["total"], one["bad"]) for one in chat["routes"]] == [
        ("/api/v1/chat", 240 * 228, 900),
        ("/api/v1/models", 3 * 228, 0),
    ]


def test_a_restart_of_a_worker_loses_no_event(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files, history = written(tmp_path)
    jobs = slo(document(capsys, files, "--history", history), "chat-jobs")
    # 10 a minute and one failure, but for the minute of the restart, whose counter says 0, and the gap's eleven
    assert (jobs["total"], jobs["bad"], jobs["untimed_total"]) == (10 * 227 + 1, 1, 110)
    assert jobs["alerts"] == []


def test_what_a_history_does_not_hold_is_null_with_a_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files, history = written(tmp_path)
    found = document(capsys, files, "--history", history)
    for name, reason in (
        ("chat-uptime", "probes are no part of a history"),
        ("chat-mail", "nothing of it was measured"),
    ):
        one = slo(found, name)
        assert (one["total"], one["error_ratio"], one["budget_remaining"], one["reason"]) == (0, None, None, reason)
    assert found["findings"] == [
        "chat-mail: total mails_total selects no series of the history",
        'chat-mail: good mails_total{result="sent"} selects no series of the history',
    ]


def test_the_same_history_gives_the_same_bytes_packed_shuffled_and_in_small_blocks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files, history = written(tmp_path)
    part = ["--output", "json", "--from", str(START + 100 * 60), "--to", str(START + 140 * 60)]
    first = answer(capsys, files, "--history", history, *part)
    lines = small_history().splitlines()
    packed = tmp_path / "other.om.gz"
    packed.write_bytes(gzip.compress("\n".join([*reversed(lines[:-1]), "# EOF\n"]).encode()))
    monkeypatch.setattr(history_lines, "BLOCK", 1000)
    assert answer(capsys, files, "--history", str(packed), *part) == first


def test_a_part_of_the_history_is_replayed_between_two_instants(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files, history = written(tmp_path)
    found = document(capsys, files, "--history", history, "--from", str(START + 600), "--to", "2026-09-21T14:53:20Z")
    assert (found["from"], found["to"], found["ticks"]) == ("2026-09-21T14:23:20.000Z", "2026-09-21T14:53:20.000Z", 31)
    assert slo(found, "chat-availability")["total"] == 243 * 30


def test_coarser_ticks_count_the_same_events(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files, history = written(tmp_path)
    part = ["--from", str(START + 190 * 60), "--to", str(START + 225 * 60)]
    fine, coarse = (
        slo(document(capsys, files, "--history", history, "--tick", tick, *part), "chat-availability")
        for tick in ("samples", "5m")
    )
    assert {name: fine[name] for name in ("total", "bad", "untimed_total")} == {
        name: coarse[name] for name in ("total", "bad", "untimed_total")
    }


@pytest.mark.parametrize("text", ["# EOF\n", "# TYPE jobs counter\n# EOF\n"])
def test_an_empty_history_is_not_enough_data(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    files, history = written(tmp_path)
    Path(history).write_text(text, encoding="utf-8")
    answer(capsys, files, "--history", history, code=5)


def test_a_history_of_other_series_is_answered_with_findings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files, history = written(tmp_path)
    Path(history).write_text("up 1 1790000000\n# EOF\n", encoding="utf-8")
    found = document(capsys, files, "--history", history)
    assert found["from"] is None
    assert len(found["findings"]) == 6
    assert {one["error_ratio"] for one in found["slos"]} == {None}


def test_broken_files_and_histories_have_exit_codes_of_their_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files, history = written(tmp_path)
    Path(files).write_text(SLO.replace("99.9%", "100%"), encoding="utf-8")
    answer(capsys, files, "--history", history, code=3)
    Path(files).write_text(SLO, encoding="utf-8")
    Path(history).write_text("jobs_total x 10\n# EOF\n", encoding="utf-8")
    answer(capsys, files, "--history", history, code=1)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--history", "HISTORY", "--recorded", "."],
        ["--history", "HISTORY", "--step", "0s"],
        ["--history", "HISTORY", "--tick", "1s"],
        ["--history", "HISTORY", "--from", "yesterday"],
        ["--history", "HISTORY", "--from", "2026-11-01T00:00:00"],
    ],
)
def test_what_cannot_be_meant_is_a_mistake_in_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    files, history = written(tmp_path)
    answer(capsys, files, *[history if one == "HISTORY" else one for one in arguments], code=2)


def test_without_files_those_of_the_settings_are_replayed_and_nothing_else_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, history = written(tmp_path)
    config = write_files(tmp_path, 1)
    part = ["--from", str(START + 100 * 60), "--to", str(START + 110 * 60), "--output", "json"]
    assert cli.main(["replay", "--history", history, "--config", config, *part]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["slos"][0]["total"] > 0
    assert told.err == ""
