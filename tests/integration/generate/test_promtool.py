"""The real promtool and amtool on everything that is generated."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from figwatch_agent.generate.rule_files import rule_files
from figwatch_agent.generate.rules import Options
from support.generate import ALERTS, committed, promtool, services_from, written
from support.parts import program

RULES = sorted(committed("*/*.rules.yml"))
TESTS = sorted(committed("*/*.tests.yml"))
QUICK = [path for path in TESTS if "sloth" in path or path.startswith(("agent/figwatch", "agent/knowledge.windows"))]
ORDERS = """version: 1
migration: m
service: orders
window: 28d
slos:
  - name: orders-kept
    objective: 99.9%
    sli: {events: {total: [a_total, b_total, 'a_total{kind="x"}'], bad: 'a_total{code=~"5.."}'}}
  - name: orders-good
    objective: 99%
    sli: {events: {total: a_total, good: 'a_total{code="200"}'}}
  - name: orders-fast
    objective: 95%
    sli: {histogram: 'work_seconds{queue="q"}', threshold: 2}
"""
COUNTED = """rule_files: [orders.rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'up{job="j",instance="i"}', values: 1x9}
      - {series: 'a_total{code="200",kind="x",job="j",instance="i"}', values: 100+10x9}
      - {series: 'a_total{code="500",kind="y",job="j",instance="i"}', values: _x4 3x5}
      - {series: 'b_total{code="200",kind="x",job="j",instance="i"}', values: 7+2x9}
      - {series: 'work_seconds_count{queue="q",job="j",instance="i"}', values: 0+9x9}
      - {series: 'work_seconds_bucket{queue="q",le="2.0",job="j",instance="i"}', values: 0+5x9}
    promql_expr_test:
      - expr: sum by (slo) (slo:events:increase1m)
        eval_time: 4m
        exp_samples:
          - {labels: '{slo="orders-kept"}', value: 15}
          - {labels: '{slo="orders-good"}', value: 13}
          - {labels: '{slo="orders-fast"}', value: 9}
      - expr: sum by (slo, route) (slo:bad_events:increase1m)
        eval_time: 4m
        exp_samples:
          - {labels: '{slo="orders-kept",route="all"}', value: 3}
          - {labels: '{slo="orders-good",route="all"}', value: 3}
          - {labels: '{slo="orders-fast",route="all"}', value: 4}
      - expr: sum by (slo) (slo:bad_events:increase1m)
        eval_time: 3m
        exp_samples:
          - {labels: '{slo="orders-kept"}', value: 0}
          - {labels: '{slo="orders-good"}', value: 0}
          - {labels: '{slo="orders-fast"}', value: 4}
"""


@pytest.mark.needs("promtool")
def test_promtool_takes_every_rule_file() -> None:
    passed, said = promtool("check", "rules", *RULES)
    assert passed, said


@pytest.mark.needs("promtool")
@pytest.mark.parametrize("path", QUICK)
def test_promtool_passes_the_quick_test_files(path: str) -> None:
    passed, said = promtool("test", "rules", path)
    assert passed, said[:4000]


@pytest.mark.slow
@pytest.mark.needs("promtool")
@pytest.mark.parametrize("path", [path for path in TESTS if path not in QUICK])
def test_promtool_passes_the_long_test_files(path: str) -> None:
    passed, said = promtool("test", "rules", path)
    assert passed, said[:4000]


def test_every_rule_file_has_a_test_file() -> None:
    for path in RULES:
        assert path.replace(".rules.", ".tests.") in TESTS


@pytest.mark.needs("promtool")
def test_counters_and_histograms_of_ones_own_are_counted(tmp_path: Path) -> None:
    files = rule_files(services_from(tmp_path, orders=ORDERS), Options(standalone=True))
    written(tmp_path, files | {"counted.yml": COUNTED})
    for arguments in (("check", "rules", "orders.rules.yml"), ("test", "rules", "counted.yml")):
        passed, said = promtool(*arguments, folder=tmp_path)
        assert passed, said[:3000]


@pytest.mark.slow
@pytest.mark.needs("promtool")
def test_the_tests_of_other_peoples_files_pass_as_well(tmp_path: Path) -> None:
    written(tmp_path, rule_files(services_from(tmp_path, orders=ORDERS), Options(standalone=True, sloth_names=True)))
    for path in sorted(tmp_path.glob("*.tests.yml")):
        passed, said = promtool("test", "rules", path.name, folder=tmp_path)
        assert passed, f"{path.name}: {said[:3000]}"


@pytest.mark.needs("amtool")
@pytest.mark.parametrize("folder", ["agent", "standalone"])
def test_amtool_takes_alertmanagers_side(folder: str) -> None:
    done = subprocess.run(
        [program("amtool"), "check-config", f"{folder}/alertmanager.yml"],
        cwd=ALERTS, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "4 inhibit rules" in done.stdout


@pytest.mark.needs("amtool")
@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (["severity=page", "service=chat"], "figwatch-page"),
        (["severity=ticket", "service=chat"], "figwatch-ticket"),
        (["severity=page", "service=figwatch", "alertname=TelemetryLost"], "figwatch-page"),
        (["severity=surprising"], "figwatch-ticket"),
    ],
)
def test_alerts_reach_the_receiver_of_their_severity(labels: list[str], receiver: str) -> None:
    done = subprocess.run(
        [program("amtool"), "config", "routes", "test", "--config.file=agent/alertmanager.yml", *labels],
        cwd=ALERTS, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.split() == [receiver]
