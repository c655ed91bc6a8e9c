"""tools/mutate.py: how it names what was changed, and that what it excuses stands in the code."""

from __future__ import annotations

import ast
import importlib.util
import json
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from support.parts import ROOT

AGENT = ROOT / "agent"


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("mutate", ROOT / "tools/mutate.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "mutate", made)  # a dataclass asks for the module that it stands in
    spec.loader.exec_module(made)
    monkeypatch.setattr(made, "STAGE", tmp_path)
    return made


def excused() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = tomllib.loads((ROOT / "tools/equivalent_mutants.toml").read_text("utf-8"))[
        "mutants"
    ]
    return entries


def lines_of(function: str) -> list[str]:
    """The lines of a function or a method as the syntax tree gives them, without indentation."""
    parts = function.split(".")
    path = next(p for n in range(1, len(parts)) if (p := AGENT.joinpath(*parts[:-n]).with_suffix(".py")).exists())
    node: Any = ast.parse(path.read_text("utf-8"))
    for name in parts[len(path.relative_to(AGENT).parts) :]:
        node = next(each for each in node.body if getattr(each, "name", "") == name)
    return [line.strip() for line in ast.unparse(node).splitlines()]


@pytest.mark.parametrize("entry", excused(), ids=lambda entry: str(entry["function"]).removeprefix("figwatch_agent."))
def test_what_is_excused_stands_in_the_code(entry: dict[str, Any]) -> None:
    assert entry["before"] in lines_of(entry["function"])
    assert entry["reason"].endswith(".")
    assert entry["after"]
    assert entry["before"] not in entry["after"]


def test_nothing_is_excused_twice() -> None:
    every = [(entry["function"], entry["before"], after) for entry in excused() for after in entry["after"]]
    assert len(every) == len(set(every))


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("a < b", "a <= b", "comparison"),
        ("f(a < b)", "f(a > b)", "comparison"),
        ("a + 1", "a + 2", "number"),
        ("a + b", "a - b", "arithmetic"),
        ("a and b", "a or b", "logic"),
        ("not a", "a", "logic"),
        ("f(x=True)", "f(x=False)", "logic"),
        ("'word'", "'XXwordXX'", "text"),
        ("f(a, b)", "f(a)", "other"),
        ("f(a)", "f(None)", "other"),
    ],
)
def test_a_change_is_named_after_the_first_place_that_differs(
    tool: ModuleType, before: str, after: str, kind: str
) -> None:
    old, new = (ast.parse(f"def {name}(a, b):\n return {text}") for name, text in (("f", before), ("g", after)))
    assert tool.kind_of(old, new) == kind


SOURCE = """
def x_worse__mutmut_orig(a, b):
    return a < b
def x_worse__mutmut_1(a, b):
    return a <= b
def x_worse__mutmut_2(a, b):
    return a > b
class Ring:
    def xǁRingǁspan__mutmut_orig(self, least=1):
        return 'a'
    def xǁRingǁspan__mutmut_1(self, least=1):
        return 'XXaXX'
    def xǁRingǁspan__mutmut_2(self, least=2):
        return 'a'
"""


@pytest.mark.parametrize("reason", [True, False])
def test_a_survivor_is_told_unless_it_is_excused(
    tool: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    reason: bool,
) -> None:
    folder = tmp_path / "mutants/src/figwatch_agent/evaluate"
    folder.mkdir(parents=True)
    name = "figwatch_agent.evaluate.few."
    codes = {f"{name}x_worse__mutmut_1": 0, f"{name}x_worse__mutmut_2": 1, f"{name}gone": None}
    codes |= {f"{name}xǁRingǁspan__mutmut_1": 0, f"{name}xǁRingǁspan__mutmut_2": 36}
    (folder / "few.py").write_text(SOURCE, "utf-8")
    (folder / "few.py.meta").write_text(json.dumps({"exit_code_by_key": codes}), "utf-8")
    known = {(f"{name}worse", "return a < b", "return a <= b")} if reason else set()
    monkeypatch.setattr(tool, "explained", lambda: known)
    assert tool.report(list(tool.judged())) == (0 if reason else 1)
    assert [mutant.before for mutant in tool.judged()][-1] == "def span(self, least=1):"
    told = capsys.readouterr().out
    assert ("few.worse: comparison, survived\n  - return a < b\n  + return a <= b" in told) is not reason
    assert "few.Ring.span: text, survived\n  - return 'a'\n  + return 'XXaXX'" in told
    assert told.splitlines()[3].split() == ["number", "0", "1", "0", "0", "0"]
    assert told.splitlines()[2].split() == ["comparison", "1", "0", *("1 0" if reason else "0 1").split(), "0"]
