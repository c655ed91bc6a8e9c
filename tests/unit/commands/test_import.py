"""``figwatch import``."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from figwatch_agent import cli
from figwatch_agent.commands.check import command as check
from figwatch_agent.commands.import_ import command

SPEC = """\
version: prometheus/v1
service: shop
slos:
  - name: orders
    objective: 99.9
    labels: {team: shop}
    sli:
      events:
        error_query: sum(rate(orders_failed_total[{{.window}}]))
        total_query: sum(rate(orders_total[{{.window}}]))
    alerting: {}
"""
FULL = SPEC.replace("99.9", "100")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("spec.yaml").write_text(SPEC, "utf-8")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


def test_a_file_of_slo_is_written_and_what_was_left_behind_is_told() -> None:
    result = run("spec.yaml")
    assert result.exit_code == 0
    assert result.output.startswith("spec.yaml:6:5: notice: labels is not carried over")
    assert result.output.endswith("\n1 notice\n\nWrote slo/shop.yaml: 1 SLO.\n")
    assert Path("slo/shop.yaml").read_text("utf-8").startswith("# Imported by figwatch from spec.yaml.\n")
    assert CliRunner().invoke(check, ["slo"]).exit_code == 0


def test_a_dry_run_writes_nothing() -> None:
    result = run("spec.yaml", "--dry-run")
    assert "Would write slo/shop.yaml: 1 SLO." in result.output
    assert not Path("slo").exists()


def test_nothing_that_exists_is_overwritten() -> None:
    run("spec.yaml")
    before = Path("slo/shop.yaml").read_text("utf-8")
    Path("other.yaml").write_text(SPEC.replace("shop", "other").replace("orders", "more"), "utf-8")
    result = run("spec.yaml", "other.yaml")
    assert result.exit_code == 1
    assert "nothing was written, since slo/shop.yaml exists already" in result.output
    assert [file.name for file in Path("slo").iterdir()] == ["shop.yaml"]
    assert Path("slo/shop.yaml").read_text("utf-8") == before


def test_one_wrong_file_keeps_all_from_being_written() -> None:
    Path("wrong.yaml").write_text(SPEC.replace("objective", "objectve"), "utf-8")
    result = run("spec.yaml", "wrong.yaml")
    assert result.exit_code == 3
    assert 'wrong.yaml:5:5: unknown key "objectve"' in result.output
    assert not Path("slo").exists()


def test_a_file_that_is_not_there_is_told_like_any_problem() -> None:
    result = run("nowhere.yaml")
    assert result.exit_code == 3
    assert "nowhere.yaml:1:1: the file cannot be read: No such file or directory" in result.output


def test_where_nothing_can_be_carried_over_that_is_an_error() -> None:
    Path("spec.yaml").write_text(FULL, "utf-8")
    result = run("spec.yaml")
    assert result.exit_code == 1
    assert "an objective of 100% leaves no error budget" in result.output
    assert "no SLO of these files could be carried over" in result.output


def test_the_migration_is_that_of_the_files_that_stand_there() -> None:
    Path("slo").mkdir()
    Path("slo/other.yaml").write_text("migration: away\n", "utf-8")
    run("spec.yaml")
    assert "\nmigration: away\n" in Path("slo/shop.yaml").read_text("utf-8")


def test_the_migration_can_be_named() -> None:
    run("spec.yaml", "--migration", "ai-assistant")
    assert "\nmigration: ai-assistant\n" in Path("slo/shop.yaml").read_text("utf-8")


def test_a_migration_that_is_no_name_is_refused_before_anything_is_written() -> None:
    result = run("spec.yaml", "--migration", "not a name")
    assert result.exit_code == 3
    assert '"not a name" is not a name' in result.output
    assert not Path("slo").exists()


def test_the_window_can_be_chosen_where_the_files_state_none() -> None:
    run("spec.yaml", "--window", "28d")
    text = Path("slo/shop.yaml").read_text("utf-8")
    assert "\nwindow: 28d\n" in text
    assert text.count("allow_slow: true") == 1  # 10% in three days of 28 is a burn rate below 1


def test_windows_too_short_for_the_interval_are_dropped_and_named() -> None:
    result = run("spec.yaml", "--interval", "2m")
    assert "the page alert on 1h and 5m is not carried over" in result.output
    assert "long: 1h\n" not in Path("slo/shop.yaml").read_text("utf-8")


@pytest.mark.parametrize("option", ["--window", "--interval"])
@pytest.mark.parametrize("text", ["soon", "0s"])
def test_a_duration_that_is_none_is_refused(option: str, text: str) -> None:
    result = run("spec.yaml", option, text)
    assert result.exit_code == 2
    assert option in result.output


def test_the_answer_comes_as_json_too() -> None:
    body = json.loads(run("spec.yaml", "spec.yaml", "--output", "json").output)
    assert body["read"] == [{"file": "spec.yaml", "tools": ["sloth"], "slos": ["shop-orders"]}]
    assert body["written"] == ["slo/shop.yaml"]
    assert body["would_write"] == []
    assert body["problems"] == []
    assert [(one["line"], one["message"].split()[0]) for one in body["notices"]] == [(6, "labels")]


def test_the_verb_is_found_under_its_name() -> None:
    assert cli.VERBS["import"].module.endswith("import_")
    assert CliRunner().invoke(cli.figwatch, ["import", "--help"]).exit_code == 0


def test_a_folder_stands_for_the_files_in_it() -> None:
    Path("specs").mkdir()
    Path("specs/a.yaml").write_text(SPEC, "utf-8")
    assert "Wrote slo/shop.yaml: 1 SLO." in run("specs").output
    Path("none").mkdir()
    assert run("none").exit_code == 2


def test_promql_that_was_kept_is_a_finding_where_figwatch_scrapes_by_itself() -> None:
    Path("spec.yaml").write_text(SPEC.replace("sum(rate(orders_failed_total", "avg(rate(orders_failed_total"), "utf-8")
    assert "kept as PromQL, which needs source: {prometheus: ...}" in run("spec.yaml").output
    settings = "state: {sqlite: a.db}\nreceivers:\n  - {name: a, webhook: {url: 'http://127.0.0.1:1/'}}\n"
    scrape = "source: {scrape: {targets: ['http://127.0.0.1:1/metrics']}}\n"
    Path("figwatch.yaml").write_text(settings + scrape, "utf-8")
    found = CliRunner().invoke(check, [])
    assert found.exit_code == 3
    assert "PromQL needs a Prometheus source, and figwatch.yaml scrapes by itself" in found.output
    Path("figwatch.yaml").write_text(settings + "source: {prometheus: {url: 'http://127.0.0.1:1'}}\n", "utf-8")
    assert CliRunner().invoke(check, []).exit_code == 0
