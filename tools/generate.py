"""Write the generated files, or with ``--check`` say which of them are out of date and how they differ."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import Final

from figwatch_agent.commands.schema import GRAMMARS, schema_text
from figwatch_agent.files.load import load_slo_files
from figwatch_agent.generate.dashboards.files import dashboard_files
from figwatch_agent.generate.rule_files import rule_files
from figwatch_agent.generate.rules import Options
from figwatch_agent.generate.runbook_index import runbook_index
from figwatch_agent.generate.texts import Links
from figwatch_agent.notify.webhook_schema import webhook_schema_text

ROOT: Final = Path(__file__).resolve().parent.parent
ALERTS: Final = {
    "alerts/agent": Options(),
    "alerts/standalone": Options(standalone=True, sloth_names=True),
}
"""Folders of rules for our own slo/*.yaml."""
WEBHOOK_SCHEMA: Final = "agent/figwatch_agent/notify/webhook.schema.json"


def generated() -> dict[str, str]:
    """Every generated file of the project, as {path: text}."""
    schemas = {f"schemas/{name}.schema.json": schema_text(name) for name in GRAMMARS}
    runbooks = {
        file.relative_to(ROOT).as_posix(): file.read_text("utf-8")
        for file in ROOT.joinpath("runbooks").glob("*.md")
        if file.name != "README.md"
    }
    boards = {f"dashboards/{path}": text for path, text in dashboard_files(Links()).items()}
    return {**schemas, WEBHOOK_SCHEMA: webhook_schema_text(), **runbook_index(runbooks), **rules(), **boards}


def rules() -> dict[str, str]:
    """Rules for our own slo/*.yaml, beside an agent and without one."""
    services, _ = load_slo_files([str(file) for file in sorted(ROOT.joinpath("slo").glob("*.yaml"))])
    return {
        f"{folder}/{path}": text
        for folder, options in ALERTS.items()
        for path, text in rule_files(services, options).items()
    }


def difference(path: str, text: str) -> str:
    """What separates the file at ``path`` from ``text``, as a unified diff; empty if nothing does."""
    file = ROOT / path
    standing = file.read_text("utf-8") if file.is_file() else ""
    lines = difflib.unified_diff(standing.splitlines(True), text.splitlines(True), path, f"{path} (generated)")
    return "".join(lines)


def main(arguments: list[str]) -> int:
    """Write or check; returns 1 if a check found a difference."""
    if arguments not in ([], ["--check"]):
        print("usage: python tools/generate.py [--check]", file=sys.stderr)
        return 2
    try:
        files = generated()
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 1
    stale = {path: text for path, text in files.items() if difference(path, text)}
    if arguments:
        for path, text in stale.items():
            print(difference(path, text), end="")
        if stale:
            print(f"out of date: {', '.join(stale)}; run `make generate` and commit", file=sys.stderr)
        return 1 if stale else 0
    for path, text in stale.items():
        ROOT.joinpath(path).parent.mkdir(parents=True, exist_ok=True)
        ROOT.joinpath(path).write_text(text, "utf-8", newline="\n")
        print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
