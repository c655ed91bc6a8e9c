"""Run the suite of the installed wheel on the other Pythons of this machine.

    python tools/pythons.py WHEEL [--newest | --constraints=FILE] [pytest options]

Of each minor version that figwatch supports the lowest patch is taken, which has the faults that later ones mended;
``--newest`` takes the highest minor version alone. Each gets an environment that is thrown away. A Python whose
environment cannot be made here is said aloud and fails nothing: tests that fail do. With ``--constraints`` it is the
Python that runs this, with other versions of what figwatch needs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
CONSTRAINTS: Final = ROOT / "constraints.txt"
OLDEST: Final = (3, 11)
ASK: Final = "import ensurepip, sys, venv; print(*sys.version_info[:3])"
"""Fails where Debian has split venv off."""
Version = tuple[int, ...]


def candidates() -> list[Path]:
    """What may be a Python: on the PATH, under usual names, and what pyenv keeps."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    named = [path for folder in folders for path in (folder / "python3", *sorted(folder.glob("python3.[0-9][0-9]")))]
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions").glob("*/bin/python3")
    return [path for path in (*named, *sorted(kept)) if os.access(path, os.X_OK)]


def version_of(python: Path) -> Version | None:
    """Its version, None where it does not start (as shims may) or can make no environment."""
    said = subprocess.run([python, "-c", ASK], capture_output=True, text=True, check=False)
    return tuple(map(int, said.stdout.split())) if said.returncode == 0 else None


def others() -> dict[Version, Path]:
    """The Pythons to run, by version: not the one that runs this, one of each minor version, the lowest."""
    found: dict[Version, Path] = {}
    for path in candidates():
        version = version_of(path)
        if version is not None and version[:2] >= OLDEST and version != sys.version_info[:3]:
            found.setdefault(version, path)
    minors = {version[:2] for version in found}
    lowest = {min(version for version in found if version[:2] == minor) for minor in minors}
    return {version: found[version] for version in sorted(lowest)}


def run(python: Path, wheel: Path, constraints: Path, options: list[str]) -> str:
    """Install the wheel for a Python and run its suite; how that ended, in words."""
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder, "venv")
        inside = str(environment / "bin" / "python")
        pip = [inside, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "-c", str(constraints)]
        if not (succeeds(str(python), "-m", "venv", str(environment)) and succeeds(*pip, f"{wheel}[test]")):
            return "not run: its environment could not be made here"
        return "passed" if succeeds(inside, "tools/suite.py", "wheel", *options) else "FAILED"


def succeeds(*command: str) -> bool:
    """Run a command that finds no checkout on its path; its output goes to the terminal."""
    safely = {**os.environ, "PYTHONSAFEPATH": "1"}
    return subprocess.run(command, cwd=ROOT, env=safely, check=False).returncode == 0


def main(arguments: list[str]) -> int:
    """Run them all and give one account; 1 where tests failed."""
    reader = argparse.ArgumentParser(description="Run the suite of the installed wheel on other Pythons.")
    reader.add_argument("wheel", type=Path)
    which = reader.add_mutually_exclusive_group()
    which.add_argument("--newest", action="store_true", help="the highest minor version alone")
    which.add_argument("--constraints", type=Path, help="this Python, with the versions that stand in a file")
    asked, options = reader.parse_known_args(arguments)
    chosen = others() if asked.constraints is None else {sys.version_info[:3]: Path(sys.executable)}
    account: dict[str, str] = {}
    for version, python in list(chosen.items())[-1 if asked.newest else 0 :]:
        name = ".".join(map(str, version))
        print(f"== Python {name}: {python}", flush=True)
        account[name] = run(python, asked.wheel.resolve(), (asked.constraints or CONSTRAINTS).resolve(), options)
    print()
    for name, ended in account.items():
        print(f"Python {name:<15} {ended}")
    if not account:
        print("no other Python of figwatch's versions is on this machine")
    return 1 if "FAILED" in account.values() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
