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


def promtool(*arguments: str, folder: Path = ALERTS) -> tuple[bool, str]:
    """Whether promtool was content, and what it said.

    Its storage compacts itself after a minute, and refuses samples of the past from then on. Its tests take seconds;
    where a busy machine made one so slow, what it found wrong is looked at again.
    """
    while True:
        begun = time.monotonic()
        done = subprocess.run(
            [program("promtool"), *arguments], cwd=folder, capture_output=True, text=True, timeout=110, check=False
        )
        if done.returncode == 0 or time.monotonic() - begun < COMPACTS_AFTER:
            return done.returncode == 0, done.stdout + done.stderr


def written(folder: Path, files: dict[str, str]) -> Path:
    """The folder with these files in it."""
    for path, text in files.items():
        (folder / path).write_text(text, "utf-8")
    return folder
