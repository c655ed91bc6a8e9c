"""Every factor and every window of the committed rules is changed, and promtool's tests fail."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from figwatch_agent.generate.rule_files import rule_files
from figwatch_agent.generate.rules import Options
from support.generate import ALERTS, promtool, rules_of, services_from, written

SERVICE = "knowledge"
"""One service stands for all: their rules are made by the same hand, and each costs minutes."""
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")
TOKEN = re.compile(
    r'(?P<text>"(?:[^"\\]|\\.)*")'
    r"|(?P<name>(?<=increase)(?:5m|30m|1h|2h|6h|1d|3d|30d)\b)"
    r"|\[(?P<range>(?:\d+[dhms])+)\]"
    r"|offset (?P<offset>1m)\b"
    r"|(?<![\w.\"])(?P<number>\d+\.?\d*)(?![\w.\"])"
)


def mutants(expression: str) -> Iterator[str]:
    """The expression with one window or one number changed, upwards or downwards by what a slip would change."""
    for index, found in enumerate(TOKEN.finditer(expression)):
        before, after = expression[: found.start()], expression[found.end() :]
        if found["name"]:
            place = WINDOWS.index(found["name"])
            other = WINDOWS[place - 1 if index % 2 and place else min(place + 1, len(WINDOWS) - 2)]
            if other != found["name"]:
                yield f"{before}{other}{after}"
        elif found["range"]:
            other = _longer(found["range"])
            yield f"{before}[{other}]{after}"
        elif found["offset"]:
            yield f"{before}offset {_longer(found['offset'])}{after}"
        elif found["number"] and float(found["number"]) not in (0, 1):
            yield f"{before}{float(found['number']) * (1.01 if index % 2 else 0.99)!r}{after}"


def _longer(text: str) -> str:
    """A minute more: 59m59s is 1h59s."""
    units = {"d": 86400, "h": 3600, "m": 60, "s": 1}
    parts = re.findall(r"(\d+)([dhms])", text)
    return f"{sum(int(number) * units[unit] for number, unit in parts) + 60}s"


def judged(rule: dict[str, Any]) -> bool:
    """Whether the counts of whole windows, tiers, signals or budgets are at stake; what counts a minute is not."""
    return not rule.get("record", "").endswith("increase1m")


def a_minute(rule: dict[str, Any]) -> bool:
    """The others."""
    return not judged(rule)


Chosen = Callable[[dict[str, Any]], bool]
ALONE = Options(standalone=True)
LATENCY = """\
version: 1
migration: shop
service: orders
window: 30d
routes:
  - {route: /orders, stage: shadow}
slos:
  - name: orders-latency
    sli: {kind: latency, threshold: 250ms}
    objective: 95%
    tiers:
      - {share: 2%, long: 1h, short: 5m, severity: page}
      - {share: 10%, long: 3d, short: 6h, severity: ticket}
"""
FIRST_BYTE = LATENCY.replace("threshold: 250ms", "threshold: 250ms, of: first_byte").replace("95%", "99%")


def missed(folder: Path, rules: str, tests: Sequence[str], slo: str, chosen: Chosen) -> list[str]:
    """Mutants of the rules of one SLO that none of the test files in a folder notices."""
    text = (folder / rules).read_text("utf-8")
    found = []
    for number, (name, mutant) in enumerate(_files(text, slo, chosen)):
        (folder / rules).write_text(mutant, "utf-8")
        if all(promtool("test", "rules", path, folder=folder, again=0)[0] for path in tests):
            found.append(f"{number}: {name}")
    assert number > 1
    return found


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.needs("promtool")
def test_no_factor_and_no_window_of_an_availability_slo_can_be_changed_unseen(tmp_path: Path) -> None:
    rules, tests = f"{SERVICE}.rules.yml", f"{SERVICE}.windows.tests.yml"
    written(tmp_path, {path: (ALERTS / "standalone" / path).read_text("utf-8") for path in (rules, tests)})
    assert missed(tmp_path, rules, [tests], f"{SERVICE}-availability", judged) == []


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.needs("promtool")
@pytest.mark.parametrize(
    ("options", "kinds", "chosen"),
    [
        (ALONE, ["windows"], judged),
        (ALONE, [""], a_minute),
        (Options(), ["windows", ""], judged),
        (Options(), [""], a_minute),
        (replace(ALONE, sloth_names=True), ["sloth"], judged),
    ],
    ids=["windows that need no agent", "minutes that need no agent", "windows", "minutes", "Sloth's names"],
)
def test_no_factor_and_no_window_of_a_latency_slo_can_be_changed_unseen(
    tmp_path: Path, options: Options, kinds: list[str], chosen: Chosen
) -> None:
    written(tmp_path, rule_files(services_from(tmp_path, orders=LATENCY), options))
    rules = "orders.sloth.rules.yml" if kinds == ["sloth"] else "orders.rules.yml"
    tests = [f"orders.{kind}.tests.yml".replace("..", ".") for kind in kinds]
    assert missed(tmp_path, rules, tests, "orders-latency", chosen) == []


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.needs("promtool")
def test_no_window_of_the_minutes_of_time_to_first_byte_can_be_changed_unseen(tmp_path: Path) -> None:
    written(tmp_path, rule_files(services_from(tmp_path, orders=FIRST_BYTE), ALONE))
    assert missed(tmp_path, "orders.rules.yml", ["orders.tests.yml"], "orders-latency", a_minute) == []


def _files(text: str, slo: str, chosen: Chosen) -> Iterator[tuple[str, str]]:
    document = yaml.safe_load(text)
    for group in document["groups"]:
        for rule in group["rules"]:
            labels = rule.get("labels", {})
            about = labels.get("slo", labels.get("sloth_slo", slo))
            if not chosen(rule) or about != slo:
                continue
            whole = rule["expr"]
            for mutant in mutants(whole):
                rule["expr"] = mutant
                yield f"{rule.get('alert', rule.get('record'))}: {mutant}", yaml.safe_dump(document)
            rule["expr"] = whole


def test_the_mutants_are_many_and_all_different() -> None:
    rules = [rule for rule in rules_of((ALERTS / "standalone/chat.rules.yml").read_text("utf-8")) if judged(rule)]
    found = [mutant for rule in rules for mutant in mutants(rule["expr"])]
    assert len(found) > 150
    assert not {rule["expr"] for rule in rules} & set(found)
