"""Our own rules, and promtool, for the tests of what is generated."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import yaml

from figwatch_agent.files.load import load_slo_files
from figwatch_agent.model.slo import ServiceSlos
from support.parts import ROOT, program

ALERTS = ROOT / "alerts"
COMPACTS_AFTER = 55.0
"""Seconds after which promtool's storage may have begun to compact itself."""
OWN = tuple(sorted(str(file) for file in (ROOT / "slo").glob("*.yaml")))


def own_services() -> tuple[ServiceSlos, ...]:
    """What the project's own slo/*.yaml promise."""
    return load_slo_files(OWN)[0]


def services_from(folder: Path, **texts: str) -> tuple[ServiceSlos, ...]:
    """What these texts of slo files promise."""
    paths = []
    for name, text in texts.items():
        path = folder / f"{name}.yaml"
        path.write_text(text, "utf-8")
        paths.append(str(path))
    return load_slo_files(paths)[0]


def rules_of(text: str) -> list[dict[str, Any]]:
    """Every rule of a rule file."""
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def committed(pattern: str) -> dict[str, str]:
    """Committed files of this pattern, as {path: text}."""
    return {file.relative_to(ALERTS).as_posix(): file.read_text("utf-8") for file in sorted(ALERTS.glob(pattern))}


def promtool(*arguments: str, folder: Path = ALERTS, again: int = 2) -> tuple[bool, str]:
    """Whether promtool was content, and what it said.

    What it found wrong is looked at ``again``: version 2.42 loses an alert in one of fifteen runs of our longest test
    files, never the same one, on one core as well; a rule that is wrong fails every time. Its storage compacts itself
    after a minute, too, and refuses samples of the past from then on: a run that a busy machine made so slow says
    nothing.
    """
    while True:
        begun = time.monotonic()
        done = subprocess.run(
            [program("promtool"), *arguments], cwd=folder, capture_output=True, text=True, timeout=110, check=False
        )
        if done.returncode == 0:
            return True, done.stdout + done.stderr
        if time.monotonic() - begun < COMPACTS_AFTER:
            again -= 1
            if again < 0:
                return False, done.stdout + done.stderr


def written(folder: Path, files: dict[str, str]) -> Path:
    """The folder with these files in it."""
    for path, text in files.items():
        (folder / path).write_text(text, "utf-8")
    return folder
