"""``figwatch generate``: the index is written from the pages, and what is out of date is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from figwatch_agent import cli

PAGE = "# TrafficLost\n\n## Meaning\n\nA route that had requests has none. More.\n"


def test_the_index_is_written_once_and_then_up_to_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "TrafficLost.md").write_text(PAGE, "utf-8")
    assert cli.main(["generate", "--runbooks", str(tmp_path), "--dry-run"]) == 3
    assert not (tmp_path / "README.md").exists()
    assert cli.main(["generate", "--runbooks", str(tmp_path)]) == 0
    assert "A route that had requests has none." in (tmp_path / "README.md").read_text("utf-8")
    assert cli.main(["generate", "--runbooks", str(tmp_path), "--dry-run"]) == 0
    assert "up to date" in capsys.readouterr().out


def test_a_page_that_cannot_be_indexed_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "TrafficLost.md").write_text("nothing\n", "utf-8")
    assert cli.main(["generate", "--runbooks", str(tmp_path)]) == 1
    assert "TrafficLost.md" in capsys.readouterr().err
