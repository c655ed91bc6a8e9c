"""tools/parts.py with a Debian that works, one whose lists are empty, and none at all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.parts import ROOT

DPKG = """mkdir -p "$3/usr/bin"
for name in prometheus promtool prometheus-alertmanager amtool victoria-metrics wrk; do
    : > "$3/usr/bin/$name"
    chmod +x "$3/usr/bin/$name"
done
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A project with the tool, and a PATH with only a shell's basics on it."""
    for folder in ("tools", "bin"):
        (tmp_path / folder).mkdir()
    shutil.copy(ROOT / "tools/parts.py", tmp_path / "tools")
    for name in ("sh", "mkdir", "chmod", "touch"):
        found = shutil.which(name)
        assert found is not None
        tmp_path.joinpath("bin", name).symlink_to(found)
    return tmp_path


def program(machine: Path, name: str, text: str) -> None:
    """Put a script on the machine's PATH."""
    file = machine / "bin" / name
    file.write_text("#!/bin/sh\n" + text, "utf-8")
    file.chmod(0o755)


def provide(machine: Path) -> tuple[dict[str, Any], str]:
    """Run the tool; return its account and what it said."""
    done = subprocess.run(
        [sys.executable, "tools/parts.py"],
        cwd=machine,
        env={"PATH": str(machine / "bin")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(machine.joinpath(".parts/parts.json").read_text()), done.stderr


def test_a_downloaded_package_gives_its_programs(machine: Path) -> None:
    program(machine, "apt-get", 'echo "$*" >> ../apt.txt\ntouch prometheus_1.deb\n')
    program(machine, "dpkg-deb", DPKG)
    account, _ = provide(machine)
    path = machine / ".parts/root/usr/bin/promtool"
    assert account["promtool"] == {"path": str(path)}
    assert os.access(path, os.X_OK)
    asked = machine.joinpath(".parts/apt.txt").read_text().splitlines()
    assert asked.count("download prometheus") == 1


def test_empty_package_lists_are_fetched_into_the_folder_without_root(machine: Path) -> None:
    program(
        machine,
        "apt-get",
        'case "$*" in\n'
        "update*Dir::State::Lists=*) touch updated ;;\n"
        "download*) test -e updated || { echo 'E: Unable to locate package' >&2; exit 100; }\n"
        "    touch prometheus_1.deb ;;\n"
        "esac\n",
    )
    program(machine, "dpkg-deb", DPKG)
    account, _ = provide(machine)
    assert set(account["prometheus"]) == {"path"}


def test_a_machine_without_apt_is_told_and_the_reason_is_kept(machine: Path) -> None:
    account, said = provide(machine)
    assert account["promtool"] == {"missing": "no apt-get here, and it is not on the PATH"}
    assert "figwatch: promtool is not available here: no apt-get" in said


def test_a_download_that_fails_gives_its_reason(machine: Path) -> None:
    program(machine, "apt-get", "echo 'E: Could not resolve' >&2\nexit 100\n")
    program(machine, "dpkg-deb", DPKG)
    account, _ = provide(machine)
    assert account["promtool"] == {"missing": "apt-get update: E: Could not resolve"}


def test_what_is_on_the_path_is_not_downloaded(machine: Path) -> None:
    program(machine, "promtool", "exit 0\n")
    program(machine, "prometheus", "exit 0\n")
    account, _ = provide(machine)
    assert account["promtool"] == {"path": str(machine / "bin/promtool")}


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_any_chromium_or_chrome_on_the_path_will_do(machine: Path, name: str) -> None:
    program(machine, name, "exit 0\n")
    account, _ = provide(machine)
    assert account["chromium"] == {"path": str(machine / "bin" / name)}


def test_a_browser_is_installed_with_what_it_needs_where_nobody_has_to_be_asked(machine: Path) -> None:
    program(
        machine,
        "apt-get",
        'case "$*" in\n'
        "update) touch updated ;;\n"
        "install*chromium) test -e updated || { echo 'E: Unable to locate package' >&2; exit 100; }\n"
        "    printf '#!/bin/sh\\n' >../bin/chromium; chmod +x ../bin/chromium ;;\n"
        "esac\n",
    )
    program(machine, "sudo", 'test "$1" = -n || exit 1\nshift\nexec "$@"\n')
    account, _ = provide(machine)
    assert account["chromium"] == {"path": str(machine / "bin/chromium")}


def test_a_second_run_downloads_nothing(machine: Path) -> None:
    program(machine, "chromium", "exit 0\n")
    program(machine, "apt-get", 'touch "${2}_1.deb"\n')
    program(machine, "dpkg-deb", DPKG)
    first, _ = provide(machine)
    machine.joinpath("bin/apt-get").unlink()
    assert provide(machine) == (first, "")
