"""Provide the real programs that tests talk to, without installing anything that could be had otherwise.

Debian's packages start daemons when they are installed; downloaded and unpacked into the ignored folder ``.parts``
they are just programs. A browser needs its libraries and is installed where that is allowed without asking (as root,
or with ``sudo -n``). What is on the PATH already is taken from there. ``.parts/parts.json`` then says for each part
where it is, or why it is missing; a missing part is no error here: the tests that need it list themselves (and fail in
CI).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / ".parts"
SECONDS: Final = 240
"""Longest wait for one call of apt: prometheus is some 30 MB."""


class Part(NamedTuple):
    """A program and the Debian package that carries it."""

    program: str
    package: str
    others: tuple[str, ...] = ()  # other names under which the same thing may be on the PATH
    libraries: tuple[str, ...] = ()  # packages of libraries that a machine may lack; unpacked beside it
    whole: bool = False  # it must be installed with all that it needs; unpacking alone does not make it run


PARTS: Final = (
    Part("prometheus", "prometheus"),
    Part("promtool", "prometheus"),
    Part("wrk", "wrk", libraries=("libluajit-5.1-2",)),  # run with LD_LIBRARY_PATH: see tests/bench/uvicorn_wrk.py
    Part("prometheus-alertmanager", "prometheus-alertmanager", ("alertmanager",)),
    Part("amtool", "prometheus-alertmanager"),
    Part("victoria-metrics", "victoria-metrics"),
    Part("chromium", "chromium", ("chromium-browser", "google-chrome", "google-chrome-stable", "chrome"), whole=True),
)


class Missing(Exception):
    """A part could not be provided; the message says why."""


def call(command: list[str], folder: Path) -> None:
    """Run ``command`` quietly in ``folder``; raise Missing with its last line if it fails."""
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise Missing(f"{command[0]} could not run: {problem}") from problem
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise Missing(f"{' '.join(command[:2])}: {lines[-1]}")


def download(package: str) -> Path:
    """Download ``package`` and return the file; lists of our own are fetched where the machine has none."""
    debs = FOLDER / "debs"
    debs.mkdir(parents=True, exist_ok=True)
    try:
        call(["apt-get", "download", package], debs)
    except Missing:
        lists, cache = FOLDER / "apt" / "lists", FOLDER / "apt" / "cache"
        for folder in (lists / "partial", cache / "archives" / "partial"):
            folder.mkdir(parents=True, exist_ok=True)
        own = ["-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={cache}", "-o", "Acquire::Retries=2"]
        call(["apt-get", "update", *own], debs)
        call(["apt-get", "download", package, *own], debs)
    found = sorted(debs.glob(f"{package}_*.deb"), key=lambda file: file.stat().st_mtime)
    if not found:
        raise Missing(f"apt-get download {package} left no file")
    return found[-1]


def unpack(package: str) -> None:
    """Unpack ``package`` below ``.parts/root``."""
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise Missing(f"no {tool} here, and it is not on the PATH")
    print(f"figwatch: unpacking {package} into .parts", file=sys.stderr, flush=True)
    call(["dpkg-deb", "-x", str(download(package)), str(FOLDER / "root")], FOLDER)


def install(package: str) -> None:
    """Install ``package`` for the whole machine, if whoever runs this may do so without being asked."""
    if shutil.which("apt-get") is None:
        raise Missing("no apt-get here, and it is not on the PATH")
    root = os.geteuid() == 0
    if not root and shutil.which("sudo") is None:
        raise Missing(f"not on the PATH; install it: apt-get install {package}")
    rights = [] if root else ["sudo", "-n"]
    print(f"figwatch: installing {package}", file=sys.stderr, flush=True)
    command = [*rights, "apt-get", "install", "-y", "--no-install-recommends", package]
    try:
        call(command, FOLDER)
    except Missing:
        call([*rights, "apt-get", "update"], FOLDER)
        call(command, FOLDER)


def unpacked(program: str) -> Path | None:
    """Where ``program`` lies in the unpacked packages."""
    candidates = (FOLDER / "root" / "usr" / folder / program for folder in ("bin", "sbin"))
    return next((path for path in candidates if os.access(path, os.X_OK)), None)


def provide(part: Part) -> Path:
    """Return the program of ``part``, unpacked or installed if need be; raise Missing if that fails."""
    on_path = next((found for name in (part.program, *part.others) if (found := shutil.which(name))), None)
    if on_path is not None:
        return Path(on_path)
    if part.whole:
        install(part.package)
        installed = shutil.which(part.program)
        if installed is None:
            raise Missing(f"the package {part.package} put no program {part.program} on the PATH")
        return Path(installed)
    if unpacked(part.program) is None:
        for package in (*part.libraries, part.package):
            unpack(package)
    path = unpacked(part.program)
    if path is None:
        raise Missing(f"the package {part.package} holds no program {part.program}")
    return path


def main() -> int:
    """Provide what can be provided and write the account."""
    FOLDER.mkdir(exist_ok=True)
    account: dict[str, dict[str, str]] = {}
    failed: dict[str, str] = {}
    for part in PARTS:
        try:
            if part.package in failed:
                raise Missing(failed[part.package])
            account[part.program] = {"path": str(provide(part))}
        except Missing as problem:
            failed[part.package] = str(problem)
            account[part.program] = {"missing": str(problem)}
            print(f"figwatch: {part.program} is not available here: {problem}", file=sys.stderr)
    (FOLDER / "parts.json").write_text(json.dumps(account, indent=2, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
