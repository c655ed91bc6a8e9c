"""``figwatch`` without its extra names the extra and the line that installs it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from figwatch_agent import __main__ as entry
from support.parts import ROOT


def without(monkeypatch: pytest.MonkeyPatch, *absent: str) -> None:
    """Let the look-up find everything but ``absent``."""
    found = ModuleSpec("found", None)
    monkeypatch.setattr(entry, "find_spec", lambda name: None if name in absent else found)


def test_nothing_is_missing_when_every_part_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch)
    assert entry.complaint(["check"]) is None


def test_the_missing_extra_and_its_parts_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "numpy", "yaml")
    said = entry.complaint(["check", "slo"])
    assert said is not None
    assert "'agent' is not installed (missing: numpy, PyYAML)" in said
    assert "-m pip install 'figwatch[agent]'" in said


def test_the_demo_asks_for_the_demo_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "waitress")
    said = entry.complaint(["demo", "--fault", "none"])
    assert said is not None
    assert "pip install 'figwatch[demo]'" in said


def test_other_commands_do_without_the_demo_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "waitress")
    assert entry.complaint(["run"]) is None


def test_a_missing_extra_ends_with_2_and_one_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without(monkeypatch, "click")
    monkeypatch.setattr(sys, "argv", ["figwatch", "status"])
    assert entry.main() == 2
    assert capsys.readouterr().err.startswith("figwatch: the extra 'agent' is not installed (missing: click).")


def test_an_interpreter_without_packages_gets_the_message_and_no_traceback(tmp_path: Path) -> None:
    package = tmp_path / "figwatch_agent"
    package.mkdir()
    for name in ("__init__.py", "__main__.py"):
        shutil.copy(Path(str(entry.__file__)).with_name(name), package)
    start = (
        f"import sys, runpy; sys.path.insert(0, {str(tmp_path)!r}); "
        "runpy.run_module('figwatch_agent', run_name='__main__')"
    )
    command = [sys.executable, "-I", "-S", "-c", start]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "pip install 'figwatch[agent]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("extra", "table"), [("agent", entry.AGENT), ("demo", entry.DEMO)])
def test_the_table_names_exactly_what_the_extra_installs(extra: str, table: dict[str, str]) -> None:
    with ROOT.joinpath("pyproject.toml").open("rb") as file:
        wanted = tomllib.load(file)["project"]["optional-dependencies"][extra]
    names = {re.split(r"[<>=\[ ]", requirement)[0] for requirement in wanted}
    assert set(table.values()) == names - {"figwatch"}
