"""Change evaluate/ and decide/ one operator at a time, and list the changes that no test notices.

    python tools/mutate.py [PATTERN...]

A pattern names mutants by their module, `figwatch_agent.evaluate.evidence.*`; none means all, which takes hours. What
was judged before is not judged again unless its code or its tests changed. The work lies in .artefacts/mutate.

A survivor that changes nothing anybody could see is explained in equivalent_mutants.toml. Exit code 1 where one of
another kind than text is left unexplained.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
STAGE: Final = ROOT / ".artefacts/mutate"
EQUIVALENT: Final = ROOT / "tools/equivalent_mutants.toml"
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
SURVIVED: Final = 0
UNTESTED: Final = (5, 33)
TIMEOUTS: Final = (24, 36, 152, 255)
"""How mutmut's exit codes read; every other one says that a test noticed."""
KINDS: Final = ("comparison", "number", "logic", "arithmetic", "text", "other")


@dataclass(frozen=True)
class Mutant:
    """What was judged: its function, the line as it was and as it became, and what came of it."""

    function: str  # figwatch_agent.evaluate.evidence.upper_tail, .Ring.edge
    before: str
    after: str
    kind: str
    fate: str


def stage() -> None:
    """Lay out code, tests and settings; what mutmut knows of earlier runs stays."""
    STAGE.mkdir(parents=True, exist_ok=True)
    for source, place in {**SOURCES, "tests": "tests", "docs": "docs"}.items():
        shutil.rmtree(STAGE / place, ignore_errors=True)
        shutil.copytree(ROOT / source, STAGE / place, ignore=shutil.ignore_patterns("__pycache__"))
    own = ROOT.joinpath("pyproject.toml").read_text("utf-8")
    STAGE.joinpath("pyproject.toml").write_text(own + SETTINGS, "utf-8")


def judge(patterns: list[str]) -> int:
    """Run mutmut in the stage; its exit code."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "mutmut", "run", *patterns]
    return subprocess.run(command, cwd=STAGE, env=environment, check=False).returncode


def judged() -> Iterator[Mutant]:
    """All mutants that were judged in this run or an earlier one."""
    for meta in sorted(STAGE.glob("mutants/src/figwatch_agent/*/*.meta")):
        codes = json.loads(meta.read_text("utf-8"))["exit_code_by_key"]
        tree = ast.parse(meta.with_suffix("").read_text("utf-8"))
        bodies = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        for name, code in codes.items():
            if code is None:
                continue
            module, _, own = name.rpartition(".")
            function = own.rpartition("__mutmut_")[0]
            before, after = bodies[f"{function}__mutmut_orig"], bodies[own]
            yield Mutant(f"{module}.{_plain(function)}", *_lines(before, after), kind_of(before, after), _fate(code))


def kind_of(before: ast.AST, after: ast.AST) -> str:
    """What was changed, by the first place at which two functions differ."""
    here = _difference(before, after)
    match here:
        case (ast.Compare(), _):
            return "comparison"
        case (ast.BoolOp() | ast.UnaryOp(), _) | (_, ast.BoolOp() | ast.UnaryOp()):
            return "logic"
        case (ast.Constant(value=bool()), _):
            return "logic"
        case (ast.Constant(value=int() | float()), _):
            return "number"
        case (ast.Constant(value=str() | bytes()), _) | (ast.JoinedStr(), _):
            return "text"
        case (ast.BinOp() | ast.AugAssign(), _):
            return "arithmetic"
    return "other"


def explained() -> set[tuple[str, str, str]]:
    """(function, line as it was, as it became) of what changes nothing that anybody could see."""
    entries = tomllib.loads(EQUIVALENT.read_text("utf-8"))["mutants"]
    return {(each["function"], each["before"], after) for each in entries for after in each["after"]}


def report(mutants: list[Mutant]) -> int:
    """Print an account by kind and what nobody noticed or explained; how many of these there are, texts aside."""
    known = explained()
    left: list[Mutant] = []
    counts: Counter[tuple[str, str]] = Counter()
    for mutant in mutants:
        fate = mutant.fate
        if fate == "survived" and (mutant.function, mutant.before, mutant.after) in known:
            fate = "equivalent"
        elif fate in ("survived", "untested"):
            left.append(mutant)
        counts[mutant.kind, fate] += 1
    fates = ("noticed", "too slow", "equivalent", "survived", "untested")
    print("\n" + f"{'changed':<12}" + "".join(f"{fate:>12}" for fate in fates))
    for kind in KINDS:
        print(f"{kind:<12}" + "".join(f"{counts[kind, fate]:>12}" for fate in fates))
    for mutant in left:
        print(f"\n{mutant.function}: {mutant.kind}, {mutant.fate}\n  - {mutant.before}\n  + {mutant.after}")
    return sum(mutant.kind != "text" for mutant in left)


def _lines(before: ast.FunctionDef, after: ast.FunctionDef) -> tuple[str, str]:
    """The first line that differs, without its indentation, as it was and as it became."""
    own = _plain(before.name.removesuffix("__mutmut_orig")).rpartition(".")[2]
    texts = [ast.unparse(each).replace(each.name, own).splitlines() for each in (before, after)]
    old, new = next((pair for pair in zip_longest(*texts, fillvalue="") if pair[0] != pair[1]), ("", ""))
    return old.strip(), new.strip()


def _plain(mangled: str) -> str:
    """`x_upper_tail` is upper_tail, `xǁRingǁedge` is Ring.edge."""
    return mangled[1:].replace("ǁ", ".").lstrip(".") if "ǁ" in mangled else mangled.removeprefix("x_")


def _fate(code: int) -> str:
    if code in TIMEOUTS or code < 0:
        return "too slow"
    return {SURVIVED: "survived", **dict.fromkeys(UNTESTED, "untested")}.get(code, "noticed")


def _difference(before: Any, after: Any) -> tuple[Any, Any] | None:
    """The innermost pair of nodes that differ; an operator belongs to the expression that it stands in."""
    if not isinstance(before, ast.AST) or type(before) is not type(after):
        return None if before == after else (before, after)
    for name in before._fields:
        if name == "name":  # mutmut numbers its functions
            continue
        old, new = (_listed(getattr(each, name, None)) for each in (before, after))
        if len(old) != len(new):
            return before, after
        for pair in zip(old, new, strict=True):
            found = _difference(*pair)
            if found is not None:
                nodes = all(isinstance(each, ast.expr | ast.stmt) for each in found)
                return found if nodes else (before, after)
    return None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def main(patterns: list[str]) -> int:
    """Judge, and tell what survived."""
    stage()
    return judge(patterns) or min(report(list(judged())), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
