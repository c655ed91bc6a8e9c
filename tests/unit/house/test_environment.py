"""tools/venv.sh on machines that lack something, played by small scripts on a PATH of their own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from support.parts import ROOT

NEEDED = ("sh", "dirname", "rm", "touch", "find", "id", "mkdir", "cat", "chmod", "true")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A project with the script, and a PATH with next to nothing on it."""
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools/venv.sh", tmp_path / "tools")
    for name in ("pyproject.toml", "constraints.txt"):
        tmp_path.joinpath(name).touch()
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in NEEDED:
        found = shutil.which(name)
        assert found is not None
        programs.joinpath(name).symlink_to(found)
    return tmp_path


def program(machine: Path, name: str, text: str) -> None:
    """Put a script on the machine's PATH."""
    file = machine / "bin" / name
    file.write_text("#!/bin/sh\n" + text, "utf-8")
    file.chmod(0o755)


def python(machine: Path, name: str, version: str, *, venv: str, new: bool = True) -> None:
    """A stand-in for an interpreter: its version, and what `-m venv FOLDER` does."""
    has_venv = "test -e venv-module" if venv == "missing" else "true"
    program(
        machine,
        name,
        f"""case "$*" in
*'sys.exit(sys.version_info'*) exit {0 if new else 1} ;;
*'import ensurepip'*) {has_venv} ;;
*'%d.%d.%d'*) echo {version} ;;
*'%d.%d'*) echo {version.rpartition(".")[0]} ;;
*'-m venv'*)
    mkdir -p "$3/bin"
    if [ {venv} = breaks ]; then echo 'no space left' >&2; exit 1; fi
    cat > "$3/bin/python" <<'INSIDE'
#!/bin/sh
echo "$*" >> calls.txt
case "$*" in *' install '*) test ! -e pip-breaks ;; esac
INSIDE
    chmod +x "$3/bin/python" ;;
esac
""",
    )


def make(machine: Path, extra: str = "dev") -> subprocess.CompletedProcess[str]:
    """Run the script as make does."""
    return subprocess.run(
        ["sh", "tools/venv.sh", ".venv", extra],  # noqa: S607 (the sh of the machine's own PATH)
        cwd=machine,
        env={"PATH": str(machine / "bin")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_machine_without_python_is_told_what_is_needed(machine: Path) -> None:
    done = make(machine)
    assert done.returncode == 1
    assert done.stderr == (
        "figwatch: needs Python 3.11 or newer; found no python3 at all. Install one and put it on the PATH.\n"
    )


def test_an_old_python_is_named_with_its_version(machine: Path) -> None:
    python(machine, "python3", "3.9.6", venv="works", new=False)
    done = make(machine)
    assert done.returncode == 1
    assert "found python3 (3.9.6)." in done.stderr


def test_a_shim_that_does_not_start_is_passed_over(machine: Path) -> None:
    program(machine, "python3.13", "exit 127\n")
    python(machine, "python3.12", "3.12.1", venv="works")
    done = make(machine)
    assert done.returncode == 0, done.stderr
    assert "creating .venv with python3.12 (3.12.1)" in done.stderr


def test_the_newest_python_that_can_make_environments_is_taken(machine: Path) -> None:
    python(machine, "python3.14", "3.14.0", venv="missing")
    python(machine, "python3.11", "3.11.2", venv="works")
    assert "creating .venv with python3.11 (3.11.2)" in make(machine).stderr


def test_a_missing_venv_module_is_explained_in_one_line(machine: Path) -> None:
    python(machine, "python3.11", "3.11.2", venv="missing")
    done = make(machine)
    assert done.returncode == 1
    assert done.stderr == (
        "figwatch: python3.11 cannot create virtual environments; run: sudo apt-get install -y python3.11-venv\n"
    )
    assert not machine.joinpath(".venv").exists()


@pytest.mark.parametrize("user", ["root", "somebody who may"])
def test_a_missing_venv_module_is_installed_where_that_needs_no_question(machine: Path, user: str) -> None:
    python(machine, "python3.11", "3.11.2", venv="missing")
    machine.joinpath("bin/id").unlink()
    program(machine, "id", f"echo {0 if user == 'root' else 1000}\n")
    program(machine, "sudo", 'test "$1" = -n || exit 1\nshift\nexec "$@"\n')
    program(machine, "apt-get", 'echo "$*" > apt-calls.txt\ntouch venv-module\n')
    done = make(machine)
    assert done.returncode == 0, done.stderr
    assert machine.joinpath("apt-calls.txt").read_text() == "install -y -qq python3.11-venv\n"


def test_a_half_made_environment_is_removed(machine: Path) -> None:
    python(machine, "python3.11", "3.11.2", venv="breaks")
    done = make(machine)
    assert done.returncode != 0
    assert "no space left" in done.stderr
    assert not machine.joinpath(".venv").exists()


def test_a_half_made_environment_of_an_earlier_run_is_made_anew(machine: Path) -> None:
    machine.joinpath(".venv/bin").mkdir(parents=True)
    machine.joinpath(".venv/leftover").touch()
    python(machine, "python3.11", "3.11.2", venv="works")
    assert make(machine).returncode == 0
    assert not machine.joinpath(".venv/leftover").exists()


def test_the_stamp_is_written_last(machine: Path) -> None:
    python(machine, "python3.11", "3.11.2", venv="works")
    machine.joinpath("pip-breaks").touch()
    assert make(machine).returncode != 0
    assert not machine.joinpath(".venv/.figwatch-dev").exists()
    machine.joinpath("pip-breaks").unlink()
    assert make(machine).returncode == 0
    assert machine.joinpath(".venv/.figwatch-dev").exists()


def test_the_constraints_decide_the_versions(machine: Path) -> None:
    python(machine, "python3.11", "3.11.2", venv="works")
    make(machine, "demo")
    installs = [line for line in machine.joinpath(".venv/../calls.txt").read_text().splitlines() if " install " in line]
    assert len(installs) == 1
    assert installs[0].endswith("-c constraints.txt -e .[demo]")


def test_the_demo_uses_what_the_developer_has_installed(machine: Path) -> None:
    python(machine, "python3.11", "3.11.2", venv="works")
    assert make(machine, "dev").returncode == 0
    machine.joinpath("calls.txt").unlink()
    assert make(machine, "demo").returncode == 0
    assert " install " not in machine.joinpath("calls.txt").read_text()
