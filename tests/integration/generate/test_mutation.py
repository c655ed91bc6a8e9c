"""Every factor and every window of the committed rules is changed, and promtool's tests fail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.generate import ALERTS, promtool, rules_of

SERVICE = "knowledge"
"""One service stands for all: their rules are made by the same hand, and each costs minutes."""
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")
TOKEN = re.compile(
    r"(?P<name>(?<=increase)(?:5m|30m|1h|2h|6h|1d|3d|30d)\b)"
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


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.needs("promtool")
def test_no_factor_and_no_window_of_an_availability_slo_can_be_changed_unseen(tmp_path: Path) -> None:
    rules = (ALERTS / f"standalone/{SERVICE}.rules.yml").read_text("utf-8")
    tests = (ALERTS / f"standalone/{SERVICE}.windows.tests.yml").read_text("utf-8")
    (tmp_path / f"{SERVICE}.windows.tests.yml").write_text(tests, "utf-8")
    missed = []
    for number, (name, mutant) in enumerate(_files(rules, f"{SERVICE}-availability")):
        (tmp_path / f"{SERVICE}.rules.yml").write_text(mutant, "utf-8")
        passed, _ = promtool("test", "rules", f"{SERVICE}.windows.tests.yml", folder=tmp_path)
        if passed:
            missed.append(f"{number}: {name}")
    assert missed == []


def _files(text: str, slo: str) -> Iterator[tuple[str, str]]:
    document = yaml.safe_load(text)
    for group in document["groups"]:
        for rule in group["rules"]:
            about = rule.get("labels", {}).get("slo", slo)
            if not judged(rule) or about != slo:
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
