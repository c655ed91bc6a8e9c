"""Change evaluate/ and decide/ one operator at a time, and list the changes that no test notices.

    python tools/mutate.py [PATTERN...]

A pattern names mutants by their module, `figwatch_agent.evaluate.evidence.*`; none means all, which takes hours. What
was judged before is not judged again unless its code or its tests changed. The work lies in .artefacts/mutate.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
STAGE: Final = ROOT / ".artefacts/mutate"
SOURCES: Final = {"agent/figwatch_agent": "src/figwatch_agent", "instrumentation/figwatch": "src/figwatch"}
TESTS: Final = (
    "tests/unit/evaluate",
    "tests/unit/decide",
    "tests/property/evaluate",
    "tests/property/engine/test_tiers_oracle.py",
    "tests/property/engine/test_early_lane_oracle.py",
)
"""Those that stand closest: an oracle or a table for each, and two minutes for all of them."""
SETTINGS: Final = f"""

[tool.mutmut]
source_paths = ["src/figwatch_agent"]
only_mutate = ["src/figwatch_agent/evaluate/*", "src/figwatch_agent/decide/*"]
also_copy = ["src/figwatch", "docs"]
pytest_add_cli_args = ["-p", "no:randomly", "-m", "not slow", "-o", "pythonpath=src tests"]
pytest_add_cli_args_test_selection = {json.dumps(TESTS)}
"""
"""mutmut names a mutant by the path of its file, so the packages lie side by side here, as they are imported."""


def stage() -> None:
    """Lay out code, tests and settings; what mutmut knows of earlier runs stays."""
    STAGE.mkdir(parents=True, exist_ok=True)
    for source, place in {**SOURCES, "tests": "tests", "docs": "docs"}.items():
        shutil.rmtree(STAGE / place, ignore_errors=True)
        shutil.copytree(ROOT / source, STAGE / place, ignore=shutil.ignore_patterns("__pycache__"))
    own = ROOT.joinpath("pyproject.toml").read_text("utf-8")
    STAGE.joinpath("pyproject.toml").write_text(own + SETTINGS, "utf-8")


def mutmut(*arguments: str) -> int:
    """Run one of its commands in the stage; its exit code."""
    command = [sys.executable, "-m", "mutmut", *arguments]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=STAGE, env=environment, check=False).returncode


def main(patterns: list[str]) -> int:
    """Judge, and list the survivors."""
    stage()
    code = mutmut("run", *patterns)
    mutmut("results")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
