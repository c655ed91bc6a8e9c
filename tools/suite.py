"""Run the suite in its parts and end with one account of it.

    python tools/suite.py fast|slow|wheel [pytest options]

``fast`` is everything not marked slow, ``slow`` the rest. Tests marked ``paired`` mostly wait for an agent and run
after the others, two at a time; tests marked ``alone`` measure time and run last, with nothing beside them.
``wheel`` runs the unit and contract tests against an installed figwatch, not the checkout.
An empty part is said aloud, and a suite whose parts are all empty fails.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent
NO_TESTS: Final = 5
"""pytest's exit code for "nothing was collected"."""


class Part(NamedTuple):
    """One run of pytest."""

    name: str
    options: tuple[str, ...]


SIDE_BY_SIDE: Final = ("-n", "2", "--dist", "worksteal")
FOLDERS: Final = tuple(folder for folder in ("tests/unit", "tests/contract") if ROOT.joinpath(folder).is_dir())
INSTALLED: Final = ("-o", "pythonpath=tests", "--installed", "--ignore=tests/unit/house", *FOLDERS)
"""The house's own tests are about the checkout. With workers, a folder that is not there reads as "no tests"."""
ACCEPTANCE: Final = tuple(folder for folder in ("tests/acceptance",) if ROOT.joinpath(folder).is_dir())
"""Where all tests are that want little or no company: to collect the others takes longer than many a test."""


def parts(name: str, speed: str) -> tuple[Part, ...]:
    """The three parts of a suite, from the tests that bear company to those that bear none."""
    return (
        Part(f"{name}, side by side", (*SIDE_BY_SIDE, "-m", f"{speed} and not alone and not paired")),
        Part(f"{name}, in pairs", (*SIDE_BY_SIDE, "-m", f"{speed} and paired", *ACCEPTANCE)),
        Part(f"{name}, alone", ("-m", f"{speed} and alone", *ACCEPTANCE)),
    )


SUITES: Final = {
    "fast": parts("fast", "not slow"),
    "slow": parts("slow", "slow"),
    "wheel": (Part("installed wheel", (*SIDE_BY_SIDE, "-m", "not slow and not alone and not paired", *INSTALLED)),),
}


class Result(NamedTuple):
    """How one run of pytest ended."""

    part: Part
    code: int
    seconds: float
    not_run: dict[str, int]


def run(part: Part, extra: list[str]) -> Result:
    """Run one part, output going straight to the terminal."""
    with tempfile.TemporaryDirectory() as folder:
        account = Path(folder, "not-run.json")
        command = [sys.executable, "-m", "pytest", "-q", f"--not-run-to={account}", *part.options, *extra]
        print(f"== {part.name}: pytest {' '.join([*part.options, *extra])}", flush=True)
        started = time.monotonic()
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        not_run = json.loads(account.read_text()) if account.exists() else {}
        return Result(part, code, time.monotonic() - started, not_run)


def outcome(code: int) -> str:
    """The exit code of pytest in words."""
    return {0: "passed", NO_TESTS: "no tests in this part"}.get(code, f"FAILED (pytest ended with {code})")


def report(results: list[Result]) -> None:
    """Print what ran, for how long, and what could not run here."""
    print()
    for result in results:
        print(f"{result.part.name:<22} {outcome(result.code):<32} {result.seconds:6.1f} s")
    not_run: dict[str, int] = {}
    for result in results:
        for reason, count in result.not_run.items():
            not_run[reason] = not_run.get(reason, 0) + count
    print("not run on this machine: " + ("nothing, all of it ran" if not not_run else ""))
    for reason, count in sorted(not_run.items()):
        print(f"  {reason} ({count} {'test' if count == 1 else 'tests'})")


def main(arguments: list[str]) -> int:
    """Run the suite named first; further arguments go to pytest. Returns 0 only if tests ran and none failed."""
    if not arguments or arguments[0] not in SUITES:
        print(f"usage: python tools/suite.py {'|'.join(SUITES)} [pytest options]", file=sys.stderr)
        return 2
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    results = [run(part, arguments[1:]) for part in SUITES[arguments[0]]]
    report(results)
    codes = {result.code for result in results}
    if codes == {NO_TESTS}:
        print("no test was found at all", file=sys.stderr)
        return 1
    return 0 if codes <= {0, NO_TESTS} else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
