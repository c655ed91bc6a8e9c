"""Rules that hold for every test.

The environment is wiped, the network ends at loopback, and nothing is skipped in silence: a test whose part is missing
on this machine is listed at the end, and fails where FIGWATCH_CI=1 is set; any other skip is a failure.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, settings

from support.parts import NOT_HERE, why_missing

WIPED_PREFIXES: Final = ("OTEL_", "FIGWATCH_", "PROMETHEUS_", "PAGERDUTY_", "SLACK_", "DJANGO_", "FLASK_", "UVICORN_")
PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
TERMINAL: Final = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES")
WIPED: Final = frozenset((*TERMINAL, *PROXIES, *(name.lower() for name in PROXIES), "TZ", "WEB_CONCURRENCY"))
IN_CI: Final = os.environ.get("FIGWATCH_CI") == "1"
ACCEPTANCE: Final = Path(__file__).parent / "acceptance"
PAIRED: Final = tuple(ACCEPTANCE / folder for folder in ("faults", "runbooks", "web"))
"""Acceptance tests that mostly wait for the agent: one beside them does not disturb what they see."""
JUDGING: Final = "MUTANT_UNDER_TEST" in os.environ
"""Whether mutmut asks if a change is noticed at all: the smallest example that notices it would take a minute more."""
LOOPBACK_NAMES: Final = frozenset(("localhost", "", "0.0.0.0", "::", "::1"))  # noqa: S104 (compared, never bound)

for _name in list(os.environ):
    if _name != "FIGWATCH_CI" and (_name in WIPED or _name.startswith(WIPED_PREFIXES)):
        del os.environ[_name]

# A shell starts background jobs with SIGINT ignored, and every child would inherit that: Ctrl-C is tested, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Two shared cores make single examples slow without anything being wrong; a failure prints how to run it again.
settings.register_profile(
    "figwatch",
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=100,
    derandomize=JUDGING,
    phases=(Phase.explicit, Phase.generate) if JUDGING else tuple(Phase),
)
settings.load_profile("figwatch")


def _stay_on_loopback(event: str, arguments: tuple[object, ...]) -> None:
    """Answer what leaves this machine as a machine without a network would."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        if isinstance(name, str) and name not in LOOPBACK_NAMES and not name.startswith("127."):
            raise socket.gaierror(socket.EAI_NONAME, f"tests stay on loopback, {name} is elsewhere")
    elif event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
        if isinstance(host, str) and host not in LOOPBACK_NAMES and not host.startswith("127."):
            raise OSError(errno.ENETUNREACH, f"tests stay on loopback, {host} is elsewhere")


sys.addaudithook(_stay_on_loopback)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of tools/suite.py."""
    parser.addoption("--not-run-to", metavar="FILE", help="write what could not run on this machine to FILE, as JSON")
    parser.addoption("--installed", action="store_true", help="refuse to run unless figwatch is an installed wheel")


def pytest_configure(config: pytest.Config) -> None:
    """Without this, a run meant for the wheel would quietly test the checkout."""
    if config.getoption("--installed"):
        import figwatch
        import figwatch_agent

        for module in (figwatch, figwatch_agent):
            place = Path(str(module.__file__))
            if "site-packages" not in place.parts:
                raise pytest.UsageError(f"--installed: {module.__name__} comes from {place}, not from site-packages")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Acceptance tests time what they see: each runs alone, or with one other where it mostly waits."""
    for item in items:
        if item.path.is_relative_to(ACCEPTANCE) and item.get_closest_marker("alone") is None:
            paired = any(item.path.is_relative_to(folder) for folder in PAIRED)
            item.add_marker(pytest.mark.paired if paired else pytest.mark.alone)

    strays = [item.nodeid for item in items if item.get_closest_marker("alone") and ACCEPTANCE not in item.path.parents]
    if strays:
        raise pytest.UsageError(f"tests marked alone live in tests/acceptance, or no suite runs them: {strays}")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out a test that declares a missing part."""
    missing = [why for mark in item.iter_markers("needs") for part in mark.args if (why := why_missing(part))]
    if missing:
        pytest.skip(NOT_HERE + "; ".join(sorted(missing)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a silent skip, and in CI every skip, into a failure."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        _judge_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file that skips itself."""
    report = yield
    if report.skipped:
        _judge_skip(report)
    return report


def _judge_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    why = _reason(report)
    if not why.startswith(NOT_HERE):
        report.outcome = "failed"
        report.longrepr = f"skipped in silence ({why}): declare the part with @pytest.mark.needs, or call not_here()"
    elif IN_CI:
        report.outcome = "failed"
        report.longrepr = f"{why}: in CI everything runs"


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    longrepr = report.longrepr
    text = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
    return text.removeprefix("Skipped: ")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """List what could not run here, and hand the list on to tools/suite.py."""
    counts = Counter(_reason(report).removeprefix(NOT_HERE) for report in terminalreporter.getreports("skipped"))
    for reason, count in sorted(counts.items()):
        terminalreporter.write_line(f"{NOT_HERE}{reason} ({count} {'test' if count == 1 else 'tests'})", yellow=True)
    file = config.getoption("--not-run-to")
    if file:
        Path(file).write_text(json.dumps(counts), "utf-8")
