"""The rules of tests/conftest.py, tried on a small suite that runs under it: by itself, side by side, and in CI."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from support.parts import ROOT

SUITE = {
    "tests/test_it.py": """
import os, socket
import pytest
from support.parts import not_here

def test_skips_itself():
    pytest.skip("not today")

@pytest.mark.skipif(True, reason="tired")
def test_is_marked_to_skip():
    pass

@pytest.mark.needs("no-such-program")
def test_needs_a_program():
    assert False

@pytest.mark.needs("shared:schemas")
def test_needs_shared_data():
    assert False

@pytest.mark.needs("sh")
def test_needs_what_is_there():
    pass

def test_finds_out_late():
    not_here("no right to mount")

def test_sees_a_clean_environment():
    stained = ["OTEL_SDK_DISABLED", "FIGWATCH_STATE", "PROMETHEUS_MULTIPROC_DIR", "NO_COLOR", "https_proxy", "TZ"]
    assert [name for name in stained if name in os.environ] == []

def test_stays_on_loopback():
    with pytest.raises(OSError, match="tests stay on loopback"):
        socket.create_connection(("192.0.2.1", 80), 1)
    with pytest.raises(socket.gaierror, match="tests stay on loopback"):
        socket.getaddrinfo("example.com", 80)
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
""",
    "tests/test_file_that_skips_itself.py": 'import pytest\npytest.importorskip("no_such_module")\n',
    "tests/acceptance/test_story.py": "def test_story(request):\n    assert request.node.get_closest_marker('alone')\n",
    "tests/acceptance/faults/test_fault.py": (
        "def test_fault(request):\n    assert request.node.get_closest_marker('paired')\n"
    ),
    "tests/test_plain.py": "def test_plain(request):\n    assert not request.node.get_closest_marker('alone')\n",
}
STAINED = dict.fromkeys(("OTEL_SDK_DISABLED", "FIGWATCH_STATE", "PROMETHEUS_MULTIPROC_DIR", "NO_COLOR", "TZ"), "1")

FAILURES = ("FAILED", "ERROR")
"""pytest says ERROR for what fails before the test itself begins; both fail the run."""


class Run(NamedTuple):
    """What a run of the small suite left behind."""

    code: int
    output: str
    account: dict[str, int]

    def ended(self, test: str) -> str:
        """How ``test`` ended, in pytest's word."""
        found = re.search(rf"^(PASSED|FAILED|SKIPPED|ERROR) \S*::{test}\b", self.output, re.MULTILINE)
        return found[1] if found else "not reported"


def suite(top: Path) -> Path:
    """Write the small suite, with our conftest, below ``top``."""
    for path, text in SUITE.items():
        top.joinpath(path).parent.mkdir(parents=True, exist_ok=True)
        top.joinpath(path).write_text(text, "utf-8")
    top.joinpath("tests/support").mkdir()
    for path in ("tests/conftest.py", "tests/support/parts.py", "pyproject.toml"):
        shutil.copy(ROOT / path, top / path)
    return top


def run(top: Path, *options: str, **environment: str) -> Run:
    """Run it as a person would."""
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "--continue-on-collection-errors", "-p", "no:cacheprovider"]
    inherited = {name: value for name, value in os.environ.items() if name != "FIGWATCH_CI"}
    done = subprocess.run(
        [*command, "--not-run-to=account.json", *options],
        cwd=top,
        env={**inherited, **STAINED, "https_proxy": "http://127.0.0.1:9", **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    account = top / "account.json"
    return Run(done.returncode, done.stdout + done.stderr, json.loads(account.read_text()) if account.exists() else {})


_RUNS: dict[str, Run] = {}


@pytest.fixture(scope="module", params=["by itself", "side by side"])
def here(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run on a stranger's machine; made once, although order is random."""
    if request.param not in _RUNS:
        options = ["-n", "2"] if request.param == "side by side" else []
        _RUNS[request.param] = run(suite(tmp_path_factory.mktemp("here")), *options)
    return _RUNS[request.param]


@pytest.fixture(scope="module")
def ci(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same run in CI."""
    return run(suite(tmp_path_factory.mktemp("ci")), FIGWATCH_CI="1")


@pytest.mark.parametrize(("test", "why"), [("test_skips_itself", "not today"), ("test_is_marked_to_skip", "tired")])
def test_a_silent_skip_is_a_failure(here: Run, test: str, why: str) -> None:
    assert here.code == 1
    assert here.ended(test) in FAILURES
    assert f"skipped in silence ({why})" in here.output


def test_a_file_that_skips_itself_is_a_failure(here: Run) -> None:
    assert "ERROR tests/test_file_that_skips_itself.py" in here.output
    assert "skipped in silence (could not import 'no_such_module'" in here.output


def test_what_cannot_run_here_is_listed_at_the_end_and_does_not_fail(here: Run) -> None:
    for test in ("test_needs_a_program", "test_needs_shared_data", "test_finds_out_late"):
        assert here.ended(test) not in FAILURES
    assert "not run on this machine: no-such-program (not on the PATH; " in here.output
    assert "not run on this machine: shared:schemas (no schemas in ../shared/data) (1 test)" in here.output
    assert "not run on this machine: no right to mount (1 test)" in here.output


def test_the_list_is_handed_on_to_the_runner(here: Run) -> None:
    assert [reason.split()[0] for reason in sorted(here.account)] == ["no", "no-such-program", "shared:schemas"]
    assert set(here.account.values()) == {1}


@pytest.mark.parametrize(
    "test",
    [
        "test_needs_what_is_there",
        "test_sees_a_clean_environment",
        "test_stays_on_loopback",
        "test_story",
        "test_fault",
        "test_plain",
    ],
)
def test_the_rest_runs(here: Run, ci: Run, test: str) -> None:
    assert (here.ended(test), ci.ended(test)) == ("PASSED", "PASSED")


@pytest.mark.parametrize("test", ["test_needs_a_program", "test_needs_shared_data", "test_finds_out_late"])
def test_what_cannot_run_is_a_failure_in_ci(ci: Run, test: str) -> None:
    assert ci.ended(test) in FAILURES
    assert "in CI everything runs" in ci.output


def test_a_run_meant_for_the_wheel_refuses_the_checkout(tmp_path: Path) -> None:
    top = suite(tmp_path)
    for name in ("figwatch", "figwatch_agent"):
        (top / "tests" / name).mkdir()
        (top / "tests" / name / "__init__.py").touch()
    refused = run(top, "-o", "pythonpath=tests", "--installed")
    assert refused.code == 4
    assert "--installed: figwatch comes from" in refused.output
