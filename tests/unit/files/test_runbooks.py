"""A runbook per alert, filled, and the starter's copies the same."""

import re
from pathlib import Path

import pytest

from figwatch_agent.model.names import AlertName

ROOT = Path(__file__).parents[3]
RUNBOOKS = ROOT / "runbooks"
SCAFFOLD = ROOT / "agent" / "figwatch_agent" / "scaffold" / "runbooks"
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation", "Rollback"]
VERBS = re.compile(
    r"figwatch (?:status|check|ack ID|notify test RECEIVER"
    r"|silence (?:ROUTE|NAME) --for \d+[mhd] --why \"[^\"]+\""
    r"|rollback (?:list|show ID|approve ID|re-arm ROUTE))"
    r"|curl -s http://127\.0\.0\.1:9464(?:/healthz|/metrics|/api/v1/status)"
)


def sections(name: str) -> dict[str, str]:
    parts = re.split(r"^## (.+)$", RUNBOOKS.joinpath(f"{name}.md").read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_there_is_one_runbook_per_alert_and_no_other() -> None:
    assert {file.stem for file in RUNBOOKS.glob("*.md")} - {"README"} == {name.value for name in AlertName}


@pytest.mark.parametrize("name", list(AlertName))
def test_a_runbook_has_its_sections_in_order_and_none_is_empty(name: AlertName) -> None:
    found = sections(name.value)
    assert list(found) == SECTIONS
    assert all(len(text.split()) >= 10 for text in found.values())


@pytest.mark.parametrize("name", list(AlertName))
def test_a_runbook_names_only_commands_that_exist(name: AlertName) -> None:
    text = RUNBOOKS.joinpath(f"{name.value}.md").read_text("utf-8")
    blocks = re.findall(r"^ *```\n(.*?)^ *```$", text, flags=re.MULTILINE | re.DOTALL)
    commands = [line.strip() for block in blocks for line in block.splitlines()]
    commands += re.findall(r"`(figwatch [^`]+)`", re.sub(r"\s*\n\s*", " ", text))
    assert commands
    assert [command for command in commands if not VERBS.fullmatch(command)] == []


@pytest.mark.parametrize("name", list(AlertName))
def test_the_starter_brings_the_same_runbook(name: AlertName) -> None:
    file = f"{name.value}.md"
    assert SCAFFOLD.joinpath(file).read_bytes() == RUNBOOKS.joinpath(file).read_bytes()


def test_the_starter_brings_no_other_runbook() -> None:
    assert {file.stem for file in SCAFFOLD.iterdir()} == {name.value for name in AlertName}
