"""tools/pythons.py on machines with several Pythons, played by small scripts."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.parts import ROOT

OWN = ".".join(map(str, sys.version_info[:3]))


def python(folder: Path, name: str, version: str, *, pip: int = 0, tests: int = 0) -> None:
    """A stand-in for an interpreter; its environments install and test with these exit codes."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    for needed in ("mkdir", "chmod"):
        found = shutil.which(needed)
        assert found is not None
        if not (folder / needed).exists():
            (folder / needed).symlink_to(found)
    file.write_text(
        f"""#!/bin/sh
case "$*" in
*'sys.version_info'*) test -n '{version}' && echo {version.replace(".", " ")} ;;
*'-m venv'*)
    mkdir -p "$3/bin"
    printf '#!/bin/sh\\n%s\\n' \\
        'case "$*" in *install*) exit {pip} ;; *suite.py*) echo "{version} runs $*"; exit {tests} ;; esac' \\
        > "$3/bin/python"
    chmod +x "$3/bin/python" ;;
esac
""",
        "utf-8",
    )
    file.chmod(0o755)


def run(machine: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The tool with the machine's Pythons on its PATH and in its pyenv."""
    return subprocess.run(
        [sys.executable, ROOT / "tools/pythons.py", *arguments],
        env={"PATH": str(machine / "bin"), "PYENV_ROOT": str(machine / "pyenv")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A shim that starts nothing, one too old, the own one, several of one minor version, one that pyenv keeps."""
    programs = tmp_path / "bin"
    python(programs, "python3.13", "")
    python(programs, "python3.10", "3.10.9")
    python(programs, "python3", OWN)
    python(programs, "python3.12", "3.12.95")
    python(tmp_path / "pyenv/versions/3.12.91/bin", "python3", "3.12.91")
    python(tmp_path / "pyenv/versions/3.13.90/bin", "python3", "3.13.90")
    return tmp_path


def versions(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The stand-ins whose tests ran."""
    return [line.split(" runs ")[0] for line in done.stdout.splitlines() if " runs tools/suite.py wheel" in line]


def test_the_lowest_patch_of_each_minor_version_is_run(machine: Path) -> None:
    done = run(machine, "figwatch.whl", "-k", "rings")
    assert done.returncode == 0, done.stderr
    assert versions(done) == ["3.12.91", "3.13.90"]
    assert "3.13.90 runs tools/suite.py wheel -k rings" in done.stdout
    assert done.stdout.endswith("\nPython 3.12.91         passed\nPython 3.13.90         passed\n")


def test_only_the_newest_is_run_where_that_is_asked_for(machine: Path) -> None:
    assert versions(run(machine, "figwatch.whl", "--newest")) == ["3.13.90"]


def test_tests_that_fail_fail_and_the_others_run_all_the_same(machine: Path) -> None:
    python(machine / "pyenv/versions/3.12.91/bin", "python3", "3.12.91", tests=1)
    done = run(machine, "figwatch.whl")
    assert done.returncode == 1
    assert "Python 3.12.91         FAILED\nPython 3.13.90         passed\n" in done.stdout


def test_an_environment_that_cannot_be_made_is_said_aloud(machine: Path) -> None:
    python(machine / "pyenv/versions/3.13.90/bin", "python3", "3.13.90", pip=1)
    done = run(machine, "figwatch.whl", "--newest")
    assert done.returncode == 0
    assert "Python 3.13.90         not run: its environment could not be made here\n" in done.stdout


def test_a_machine_with_one_python_says_so(tmp_path: Path) -> None:
    python(tmp_path / "bin", "python3", OWN)
    done = run(tmp_path, "figwatch.whl")
    assert done.returncode == 0
    assert "no other Python of figwatch's versions is on this machine" in done.stdout


def test_a_call_without_a_wheel_is_explained(machine: Path) -> None:
    done = run(machine)
    assert done.returncode == 2
    assert "required: wheel" in done.stderr
