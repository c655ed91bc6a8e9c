"""Tables fit the terminal, and no name is cut in pieces."""

from __future__ import annotations

import io
import os
import re
import shutil
import sys

import pytest

from figwatch_agent.commands._screen import draw, heights
from figwatch_agent.report.spark import BLOCKS, PLAIN
from figwatch_agent.report.summary import Table

TABLE = Table(
    title="Incidents",
    columns=("id", "about", "since", "evidence"),
    rows=(("inc-gcvaeqzd", "/api/v1/knowledge/{id}", "2026-11-22T18:10:20.057Z", "74 bad of 1138 requests " * 3),),
    empty="none.",
)


def drawn(columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """The table on a terminal of so many columns."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((columns, 40)))
    draw("", (TABLE,))
    return re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)


@pytest.mark.parametrize("columns", [40, 80, 100, 140])
def test_names_stay_whole_at_any_width(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = drawn(columns, monkeypatch, capsys)
    for name in TABLE.rows[0][:3]:
        assert name in said
    assert max(len(line.rstrip()) for line in said.splitlines()) <= columns


def test_a_narrow_terminal_gets_a_line_for_each_cell(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = drawn(80, monkeypatch, capsys).splitlines()
    assert lines[1:4] == ["Incidents", "inc-gcvaeqzd", "  about     /api/v1/knowledge/{id}"]


def test_a_wide_terminal_gets_a_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    lines = drawn(140, monkeypatch, capsys).splitlines()
    assert lines[2].split() == ["id", "about", "since", "evidence"]


def test_a_terminal_that_knows_only_ascii_gets_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert heights() == PLAIN


def test_other_terminals_get_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    assert heights() == BLOCKS
