"""tools/suite.py runs every part, hides no empty one and ends with one account. pytest is played by a stand-in."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.parts import ROOT

PYTEST = """
import json, pathlib, sys
wanted = sys.argv[sys.argv.index("-m") + 1]
part = json.loads(pathlib.Path("parts.json").read_text())[wanted]
account = next(option.partition("=")[2] for option in sys.argv if option.startswith("--not-run-to="))
pathlib.Path(account).write_text(json.dumps(part["not_run"]))
with open("calls.txt", "a") as calls:
    print(*sys.argv[1:], file=calls)
sys.exit(part["code"])
"""
BESIDE = "not slow and not alone and not paired"
PAIRED = "not slow and paired"
ALONE = "not slow and alone"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the runner and a stand-in for pytest."""
    tmp_path.joinpath("tools").mkdir()
    shutil.copy(ROOT / "tools/suite.py", tmp_path / "tools")
    tmp_path.joinpath("pytest.py").write_text(PYTEST, "utf-8")
    return tmp_path


def suite(project: Path, name: str, *extra: str, **codes: int) -> subprocess.CompletedProcess[str]:
    """Run the suite ``name``; each part ends with the code given, and misses promtool in as many tests as that."""
    parts = {
        expression: {"code": code, "not_run": {"promtool (missing)": code} if code else {}}
        for expression, code in codes.items()
    }
    project.joinpath("parts.json").write_text(json.dumps(parts), "utf-8")
    command = [sys.executable, "tools/suite.py", name, *extra]
    return subprocess.run(command, cwd=project, env={}, capture_output=True, text=True, timeout=60, check=False)


def calls(project: Path) -> list[str]:
    """How pytest was called."""
    return project.joinpath("calls.txt").read_text("utf-8").splitlines()


def test_a_suite_that_passes_says_that_all_of_it_ran(project: Path) -> None:
    done = suite(project, "fast", **{BESIDE: 0, PAIRED: 0, ALONE: 0})
    assert done.returncode == 0
    assert "not run on this machine: nothing, all of it ran" in done.stdout


def test_an_empty_part_is_said_and_does_not_fail(project: Path) -> None:
    done = suite(project, "fast", **{BESIDE: 0, PAIRED: 5, ALONE: 5})
    assert done.returncode == 0
    assert "fast, alone            no tests in this part" in done.stdout


def test_a_suite_without_any_test_fails(project: Path) -> None:
    done = suite(project, "slow", **{"slow and not alone and not paired": 5, "slow and paired": 5, "slow and alone": 5})
    assert done.returncode == 1
    assert "no test was found at all" in done.stderr


@pytest.mark.parametrize(
    "codes",
    [
        {BESIDE: 1, PAIRED: 0, ALONE: 0},
        {BESIDE: 0, PAIRED: 1, ALONE: 0},
        {BESIDE: 0, PAIRED: 0, ALONE: 1},
        {BESIDE: 5, PAIRED: 5, ALONE: 2},
        {BESIDE: 3, PAIRED: 0, ALONE: 5},
    ],
)
def test_a_failure_in_one_part_is_not_hidden_by_the_others(project: Path, codes: dict[str, int]) -> None:
    done = suite(project, "fast", **codes)
    assert done.returncode == 1
    assert "FAILED" in done.stdout
    assert len(calls(project)) == 3


def test_what_could_not_run_is_gathered_from_all_parts(project: Path) -> None:
    done = suite(project, "fast", **{BESIDE: 1, PAIRED: 0, ALONE: 2})
    assert "not run on this machine: \n  promtool (missing) (3 tests)\n" in done.stdout


def test_tests_that_run_alone_have_no_workers_beside_them(project: Path) -> None:
    suite(project, "fast", **{BESIDE: 0, PAIRED: 0, ALONE: 0})
    beside, paired, alone = calls(project)
    assert "-n 2" in beside
    assert "-n 2" in paired
    assert "-n" not in alone.split()


def test_the_wheel_is_tested_without_the_checkout_on_the_path(project: Path) -> None:
    for folder in ("tests/unit", "tests/contract"):
        project.joinpath(folder).mkdir(parents=True)
    suite(project, "wheel", **{BESIDE: 0})
    (call,) = calls(project)
    assert "-o pythonpath=tests --installed" in call
    assert call.endswith("tests/unit tests/contract")


def test_further_arguments_go_to_pytest(project: Path) -> None:
    suite(project, "fast", "-k", "outbox", **{BESIDE: 0, PAIRED: 0, ALONE: 0})
    assert [call.endswith("-k outbox") for call in calls(project)] == [True, True, True]


def test_an_unknown_suite_is_a_usage_error(project: Path) -> None:
    assert suite(project, "everything").returncode == 2
