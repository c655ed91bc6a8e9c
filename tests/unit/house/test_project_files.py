"""Constraints, changelog, Makefile and generated files hold together."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from support.parts import ROOT

PIN = re.compile(r"[a-z0-9][a-z0-9.-]*==[0-9][0-9a-z.+!]*( ; [^:]+)?")


def pyproject() -> dict[str, dict[str, list[str]]]:
    """The requirements of pyproject.toml, by extra."""
    with ROOT.joinpath("pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    return {"requirements": {"": project["dependencies"], **project["optional-dependencies"]}}


def test_the_constraints_are_pins_and_nothing_else() -> None:
    lines = ROOT.joinpath("constraints.txt").read_text("utf-8").splitlines()
    assert lines
    assert [line for line in lines if not PIN.fullmatch(line)] == []


def test_every_requirement_is_constrained() -> None:
    pinned = {line.split("==")[0] for line in ROOT.joinpath("constraints.txt").read_text("utf-8").splitlines()}
    wanted = {
        re.split(r"[<>=\[ ;]", requirement)[0].lower().replace("_", "-")
        for extra in pyproject()["requirements"].values()
        for requirement in extra
    }
    assert wanted - {"figwatch"} - pinned == set()


def test_the_makefile_keeps_to_what_make_3_81_knows() -> None:
    text = ROOT.joinpath("Makefile").read_text("utf-8")
    for newer in (".ONESHELL", "!=", "::=", "$(file ", "&:", ".EXTRA_PREREQS", ".RECIPEPREFIX"):
        assert newer not in text


def test_every_verb_of_the_makefile_is_phony_and_explained() -> None:
    text = ROOT.joinpath("Makefile").read_text("utf-8")
    verbs = set(re.findall(r"^([a-z][a-z-]*):", text, re.MULTILINE))
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert phony is not None
    assert verbs == set(phony[1].split())
    explained = set(re.findall(r'@echo "make ([a-z-]+) ', text))
    assert verbs - {"help", "install", "parts"} == explained


def release(folder: Path, version: str, changelog: str) -> subprocess.CompletedProcess[str]:
    """Run tools/release.py on a project of this version and changelog."""
    for path, text in {
        "tools/release.py": ROOT.joinpath("tools/release.py").read_text("utf-8"),
        "instrumentation/figwatch/contract.py": f'__version__ = "{version}"\n',
        "CHANGELOG.md": changelog,
    }.items():
        folder.joinpath(path).parent.mkdir(parents=True, exist_ok=True)
        folder.joinpath(path).write_text(text, "utf-8")
    command = [sys.executable, "tools/release.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("version", "changelog"),
    [
        ("0.1.0", "# Changelog\n\n## Unreleased\n\n- first\n"),
        ("0.2.0", "## Unreleased\n\n## 0.1.0 (2026-01-01)\n"),
        ("0.10.0", "## Unreleased\n\n## 0.9.0\n"),
        ("0.1.0", "## [0.1.0] 2026-01-01\n"),
    ],
)
def test_a_version_that_agrees_with_the_changelog_passes(tmp_path: Path, version: str, changelog: str) -> None:
    assert release(tmp_path, version, changelog).returncode == 0


@pytest.mark.parametrize(
    ("version", "changelog", "said"),
    [
        ("0.1.0", "## 0.2.0\n", "newest version is 0.2.0, but figwatch.contract says 0.1.0"),
        ("0.1.0", "## Unreleased\n\n## 0.2.0\n", "newest version is 0.2.0, but figwatch.contract says 0.1.0"),
        ("0.1.0", "# Changelog\n", "no heading"),
        ("0.1.0", "## 0.1.0\n\n## 0.1.0\n", "two headings"),
        ("one", "## 0.1.0\n", "no line __version__"),
    ],
)
def test_a_version_that_differs_from_the_changelog_is_named(
    tmp_path: Path, version: str, changelog: str, said: str
) -> None:
    done = release(tmp_path, version, changelog)
    assert done.returncode == 1
    assert said in done.stderr


@pytest.fixture
def generator(tmp_path: Path) -> Path:
    """A project with one runbook and the generator."""
    for path, text in {
        "tools/generate.py": ROOT.joinpath("tools/generate.py").read_text("utf-8"),
        "agent/figwatch_agent/notify/webhook.schema.json": "{}",
        "runbooks/TrafficLost.md": "# Traffic lost\n\n## Meaning\n\nNo request arrives. More.\n",
    }.items():
        tmp_path.joinpath(path).parent.mkdir(parents=True, exist_ok=True)
        tmp_path.joinpath(path).write_text(text, "utf-8")
    return tmp_path


def generate(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run tools/generate.py there, with the agent of the checkout."""
    return subprocess.run(
        [sys.executable, "tools/generate.py", *arguments],
        cwd=project,
        env={"PYTHONPATH": str(ROOT / "agent")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_stale_generated_file_is_shown_and_left_as_it_is(generator: Path) -> None:
    done = generate(generator, "--check")
    assert done.returncode == 1
    assert "+- [Traffic lost](TrafficLost.md): No request arrives.\n" in done.stdout
    assert "out of date: " in done.stderr
    assert "runbooks/README.md" in done.stderr
    assert "; run `make generate`" in done.stderr
    assert not generator.joinpath("runbooks/README.md").exists()


def test_generating_once_satisfies_the_check_and_generating_twice_changes_nothing(generator: Path) -> None:
    assert "wrote runbooks/README.md\n" in generate(generator).stdout
    assert generate(generator, "--check").returncode == 0
    assert generate(generator).stdout == ""
