"""``figwatch generate``: the index is written from the pages, and what is out of date is named."""

from __future__ import annotations

import subprocess
import sys
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


def test_dashboards_are_written_with_the_business_metrics_and_addresses_that_were_named(tmp_path: Path) -> None:
    where = ["generate", "--dashboards", str(tmp_path), "--business", "orders_total"]
    assert cli.main([*where, "--agent", "https://figwatch.example", "--runbook-url", "https://wiki.example/r"]) == 0
    written = {file.stem: file.read_text("utf-8") for file in tmp_path.iterdir()}
    assert len(written) == 6
    assert "orders_total" in written["figwatch-business"]
    assert "messages_total" not in written["figwatch-business"]
    assert '"https://figwatch.example/"' in written["figwatch-slo"]
    assert '"https://wiki.example/r/ErrorBudgetBurnFast"' in written["figwatch-slo"]
    assert cli.main([*where, "--dry-run"]) == 3, "the addresses are others"


def test_without_grafanas_builders_it_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("figwatch_agent.commands.generate.SDK", "no_such_builders")
    assert cli.main(["generate", "--dashboards", str(tmp_path)]) == 1
    assert "pip install 'figwatch[dashboards]'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_business_metrics_without_dashboards_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["generate", "--business", "orders_total"]) == 2
    assert "add --dashboards FOLDER" in capsys.readouterr().err


def test_rules_are_generated_where_the_builders_are_not_installed() -> None:
    alone = (
        "import sys; sys.modules['grafana_foundation_sdk'] = None\n"
        "from figwatch_agent.generate.dashboards.files import boards\n"
        "from figwatch_agent.generate.rule_files import rule_files\n"
        "assert boards() and rule_files\n"
    )
    subprocess.run([sys.executable, "-c", alone], check=True, timeout=60)
