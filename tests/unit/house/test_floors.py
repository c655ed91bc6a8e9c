"""Each contract about imports catches the import that it forbids, planted into a copy of the tree."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from support.parts import ROOT

BROKEN: Final = re.compile(r"^(\w[\w ]*): .* BROKEN", re.MULTILINE)


BY_NAME: Final = frozenset(("import_module", "__import__", "run_module", "run_path"))
KNOWN_PLACES: Final = frozenset(("cli.py", "commands/__init__.py", "demo/leash.py"))
"""The table of verbs loads a verb when it is called; the leash starts the demo's children."""


class Plant(NamedTuple):
    """A line planted into a room, and the first word of the contract that forbids it."""

    room: str
    line: str
    contract: str


PLANTS: Final = (
    Plant("model", "import figwatch_agent.evaluate", "Floors"),
    Plant("sources", "import figwatch_agent.store", "Floors"),
    Plant("clock", "import figwatch_agent.errors", "Floors"),
    Plant("wiring", "import figwatch_agent.demo", "Floors"),
    Plant("commands", "import figwatch_agent.cli", "Floors"),
    Plant("files", "def late():\n    import figwatch_agent.web", "Floors"),
    Plant("files", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import figwatch_agent.web", "Floors"),
    Plant("newcomer", "", "Floors"),
    Plant("loop", "import figwatch_agent.sources", "Ports only"),
    Plant("web", "import figwatch_agent.store", "Ports only"),
    Plant("engine", "import figwatch_agent.notify", "Ports only"),
    Plant("report", "import figwatch_agent.rollback", "Ports only"),
    Plant("loop", "import figwatch_agent.decide", "Judgement"),
    Plant("files", "from figwatch_agent import evaluate", "Judgement"),
    Plant("model", "from os import path", "Pure"),
    Plant("evaluate", "import random", "Pure"),
    Plant("decide", "import asyncio", "Pure"),
    Plant("engine", "from figwatch_agent import clock", "Pure"),
    Plant("engine", "def late():\n    import time", "Pure"),
    Plant("generate", "import zoneinfo", "Pure"),
    Plant("notify", "import figwatch.gateway", "Contract"),
    Plant("ports", "import figwatch", "Contract"),
    Plant("demo", "import figwatch_agent.model", "Demo"),
    Plant("demo", "from figwatch_agent import wiring", "Demo"),
    Plant("library", "import figwatch_agent.durations", "Library"),
    Plant("ring", "", "No cycles"),
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code and its contracts."""
    top = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "pyproject.toml", top)
    ignored = shutil.ignore_patterns("__pycache__")
    for source in ("instrumentation", "agent"):
        shutil.copytree(ROOT / source, top / source, ignore=ignored)
    return top


def contracts() -> list[dict[str, Any]]:
    """The contracts as pyproject.toml states them."""
    with ROOT.joinpath("pyproject.toml").open("rb") as file:
        found: list[dict[str, Any]] = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    return found


def lint(top: Path) -> subprocess.CompletedProcess[str]:
    """Run lint-imports over the copy, which stands before any installed figwatch on the path."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(top / "agent"), str(top / "instrumentation")))}
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--cache-dir", str(top / "cache")]
    return subprocess.run(command, cwd=top, env=environment, capture_output=True, text=True, timeout=60, check=False)


def plant(top: Path, seed: Plant) -> list[Path]:
    """Write the planted files and return them."""
    if seed.room == "ring":
        files = {top / "agent/figwatch_agent/web/ring_a.py": "import figwatch_agent.web.ring_b\n"}
        files[top / "agent/figwatch_agent/web/ring_b.py"] = "import figwatch_agent.web.ring_a\n"
    elif seed.room == "library":
        files = {top / "instrumentation/figwatch/planted.py": seed.line + "\n"}
    elif (top / "agent/figwatch_agent" / seed.room).is_dir():
        files = {top / "agent/figwatch_agent" / seed.room / "planted.py": seed.line + "\n"}
    else:
        file = top / "agent/figwatch_agent" / f"{seed.room}.py"
        files = {file: (file.read_text("utf-8") if file.exists() else "") + "\n" + seed.line + "\n"}
    for file, text in files.items():
        file.write_text(text, "utf-8")
    return list(files)


def uproot(top: Path, files: list[Path]) -> None:
    """Put the copy back as it was."""
    for file in files:
        original = ROOT / file.relative_to(top)
        if original.exists():
            shutil.copy(original, file)
        else:
            file.unlink()


def test_the_tree_as_it_stands_keeps_every_contract(tree: Path) -> None:
    done = lint(tree)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("seed", PLANTS, ids=lambda seed: f"{seed.contract}: {seed.room} {seed.line.split(' ')[-1]}")
def test_a_planted_import_breaks_its_contract(tree: Path, seed: Plant) -> None:
    files = plant(tree, seed)
    try:
        done = lint(tree)
    finally:
        uproot(tree, files)
    assert done.returncode == 1, done.stdout + done.stderr
    said = done.stdout + done.stderr
    assert seed.contract in BROKEN.findall(said) or (seed.room == "newcomer" and "newcomer" in said), said


def test_every_contract_has_a_planted_violation() -> None:
    assert {contract["name"].split(":")[0] for contract in contracts()} == {seed.contract for seed in PLANTS}


def test_imports_for_type_checking_are_counted() -> None:
    with ROOT.joinpath("pyproject.toml").open("rb") as file:
        settings = tomllib.load(file)["tool"]["importlinter"]
    assert settings["exclude_type_checking_imports"] is False
    assert settings["include_external_packages"] is True


def test_every_folder_with_code_is_a_package_so_that_the_floors_see_it() -> None:
    folders = {file.parent for source in ("agent", "instrumentation") for file in ROOT.joinpath(source).rglob("*.py")}
    assert sorted(str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").exists()) == []


def test_imports_by_name_which_the_floors_cannot_see_stand_in_known_places_only() -> None:
    package = ROOT / "agent/figwatch_agent"
    found = {
        file.relative_to(package).as_posix()
        for file in package.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr in BY_NAME)
        or (isinstance(node, ast.Name) and node.id in BY_NAME)
    }
    assert found <= KNOWN_PLACES


def test_scaffold_holds_data_only() -> None:
    code = [file for file in ROOT.joinpath("agent/figwatch_agent/scaffold").rglob("*.py") if file.name != "__init__.py"]
    assert code == []
