"""``figwatch backtest``: the same history under two promises, and the check that it is in CI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from figwatch_agent import cli
from support.histories import SLO, START, written
from support.parts import ROOT

GOLDEN = ROOT / "tests" / "golden" / "replay"

INCIDENTS = """\
start,end,route,rollback_right
2026-09-21T16:13:00Z,2026-09-21T16:24:00Z,/api/v1/chat,yes
2026-09-21T16:00:00Z,2026-09-21T16:05:00+00:00,/api/v1/chat,no
2020-09-21T17:00:00Z,2020-09-21T17:05:00Z,,
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A history, the promises as they are, and some as they might be."""
    written(tmp_path)
    (tmp_path / "lax.yaml").write_text(SLO.replace("99.9%", "90%"), encoding="utf-8")
    (tmp_path / "late.yaml").write_text(SLO.replace("objective: 99.9%", "early: false\n    objective: 99.9%"), "utf-8")
    (tmp_path / "loose.yaml").write_text(SLO.replace("99.9%", "99%"), encoding="utf-8")
    (tmp_path / "incidents.csv").write_text(INCIDENTS, encoding="utf-8")
    return tmp_path


def backtest(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """What is printed; words with a dot are files of the folder."""
    known = [str(folder / one) if (folder / one).is_file() else one for one in arguments]
    history = ["--history", str(folder / "history.om"), "--from", str(START + 100 * 60), "--to", str(START + 150 * 60)]
    assert cli.main(["backtest", *known, *history]) == code
    return capsys.readouterr().out.replace(str(folder) + "/", "")


def document(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    """The same as JSON."""
    text = backtest(folder, capsys, *arguments, "--output", "json", code=code)
    found: dict[str, Any] = json.loads(text, parse_constant=pytest.fail)
    return found


WHOLE = (
    *("--base", "chat.yaml", "--head", "lax.yaml", "--incidents", "incidents.csv"),
    *("--sweep", "objective=99%,99.9%", "--sweep", "1h.share=1%,20%"),
)


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_a_small_backtest_is_told_as_it_always_was(folder: Path, capsys: pytest.CaptureFixture[str], form: str) -> None:
    told = backtest(folder, capsys, *WHOLE, "--output", form, code=4)
    assert told == (GOLDEN / f"backtest.{form}").read_text("utf-8")


def test_the_same_promises_page_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(folder, capsys, "--base", "chat.yaml", "--head", "chat.yaml")
    assert (len(found["difference"]["same"]), found["difference"]["new"], found["difference"]["lost"]) == (1, [], [])
    assert found["base"] == found["head"]


@pytest.mark.parametrize(
    ("base", "head", "fail_on", "code"),
    [
        ("chat.yaml", "lax.yaml", "any", 4),  # a page is lost
        ("chat.yaml", "lax.yaml", "lost-pages", 4),
        ("chat.yaml", "lax.yaml", "new-pages", 0),
        ("chat.yaml", "lax.yaml", "none", 0),
        ("lax.yaml", "chat.yaml", "any", 4),  # a page is new
        ("lax.yaml", "chat.yaml", "new-pages", 4),
        ("lax.yaml", "chat.yaml", "lost-pages", 0),
        ("chat.yaml", "late.yaml", "any", 0),  # the same page, by another tier
    ],
)
def test_a_check_fails_on_the_differences_that_it_names(
    folder: Path, capsys: pytest.CaptureFixture[str], base: str, head: str, fail_on: str, code: int
) -> None:
    backtest(folder, capsys, "--base", base, "--head", head, "--fail-on", fail_on, code=code)


def test_budgets_stand_under_each(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(folder, capsys, "--base", "chat.yaml", "--head", "loose.yaml", "--fail-on", "none")
    base, head = (found[side]["slos"][0] for side in ("base", "head"))
    assert (base["total"], base["bad"]) == (head["total"], head["bad"])
    assert base["budget_remaining"].startswith("-73.07")
    assert head["budget_remaining"].startswith("-6.40")


def test_pages_and_rollbacks_are_held_against_what_people_remember(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = document(folder, capsys, "--base", "chat.yaml", "--incidents", "incidents.csv")
    assert found["incidents"] == {"in_history": 2, "outside": 1}
    pages, rollbacks = (found["base"][part] for part in ("page_score", "rollback_score"))
    assert (pages["right"], pages["happened"], pages["found"], pages["wanted"]) == (1, 1, 1, 2)
    assert (pages["precision"], pages["recall"]) == ("1", "0.5")
    assert (rollbacks["right"], rollbacks["happened"], rollbacks["found"], rollbacks["wanted"]) == (1, 1, 1, 1)


def test_a_score_of_nothing_is_null_with_a_reason(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "incidents.csv").write_text("start,end\n", encoding="utf-8")
    found = document(folder, capsys, "--base", "lax.yaml", "--incidents", "incidents.csv")
    score = found["base"]["page_score"]
    assert (score["precision"], score["recall"]) == (None, None)
    assert score["reason"] == "no page to judge; no incident to find"


def test_a_sweep_tells_pages_and_detection_for_each_value(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(folder, capsys, "--base", "chat.yaml", "--sweep", "objective=90%,99.9%")
    assert [(one["key"], one["value"], len(one["pages"])) for one in found["sweep"]] == [
        ("objective", "90%", 0),
        ("objective", "99.9%", 1),
    ]
    assert [one["detection_seconds"]["worst"] for one in found["sweep"]] == [None, 180]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--sweep", "objective"],
        ["--sweep", "objective=150%"],
        ["--sweep", "objective=99.9"],
        ["--sweep", "7h.share=1%"],
        ["--sweep", "1h.factor=2%"],
        ["--sweep", "1h.colour=2%"],
        ["--prometheus", "http://127.0.0.1:9"],
    ],
)
def test_what_cannot_be_tried_is_a_mistake_in_usage(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    backtest(folder, capsys, "--base", "chat.yaml", *arguments, code=2)


def test_everything_wrong_with_an_incident_list_is_told_at_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "incidents.csv").write_text(
        "start,end,rollback_right\n2026-01-01T00:00:00Z,2025-01-01T00:00:00Z,yes\nnow,2026-01-01T00:00:00Z,maybe\n1,2\n",
        encoding="utf-8",
    )
    arguments = ["--base", "chat.yaml", "--history", "history.om", "--incidents", "incidents.csv"]
    assert cli.main(["backtest", *(str(folder / one) if "." in one else one for one in arguments)]) == 3
    said = capsys.readouterr().err
    for problem in (
        "incidents.csv:2:1: the incident ends before it starts",
        'incidents.csv:3:1: start is "now", which is no instant',
        'incidents.csv:3:1: rollback_right is "maybe"',
        "incidents.csv:4:1: 2 cells stand under 3 columns",
        "4 problems in 1 file",
    ):
        assert problem in said
