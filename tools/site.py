"""Build the documentation as a site, from the same files that are read in the repository: links are checked on the way.

    python tools/site.py FOLDER

The pages are laid out as they lie in the repository, so that every relative link means the same in both places.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PAGES: Final = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "docs", "runbooks", "slo")
"""What pages are, and what they link to."""

CONFIG: Final = "zensical.toml"


def lay_out(folder: Path) -> None:
    """Copy the pages and the configuration to ``folder``."""
    shutil.copy(ROOT / CONFIG, folder / CONFIG)
    pages = folder / "pages"
    pages.mkdir()
    for name in PAGES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, pages / name)
        else:
            shutil.copy(source, pages / name)


def build(folder: Path) -> int:
    """Build below ``folder``; the exit code of the builder, which refuses broken links."""
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    return subprocess.run(command, cwd=folder, check=False).returncode


def main(arguments: list[str]) -> int:
    """Build the site into the folder that is named; whatever stood there is replaced."""
    if len(arguments) != 1:
        print("usage: python tools/site.py FOLDER", file=sys.stderr)
        return 2
    wanted = Path(arguments[0]).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lay_out(folder)
        code = build(folder)
        if code == 0:
            shutil.rmtree(wanted, ignore_errors=True)
            shutil.copytree(folder / "site", wanted)
            print(f"wrote {wanted.relative_to(ROOT) if wanted.is_relative_to(ROOT) else wanted}")
        return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
