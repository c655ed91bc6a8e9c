"""The documentation builds as a site, and a link that leads nowhere stops the build."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.parts import ROOT


def built(checkout: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(checkout / "tools" / "site.py"), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The pages and the tool, to be changed at will."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in (
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "docs",
        "runbooks",
        "slo",
        "tools",
        "zensical.toml",
    ):
        folder.joinpath(name).symlink_to(ROOT / name)
    folder.joinpath("README.md").unlink()
    folder.joinpath("README.md").write_text(ROOT.joinpath("README.md").read_text("utf-8"), "utf-8")
    folder.joinpath("tools").unlink()
    folder.joinpath("tools").mkdir()
    folder.joinpath("tools", "site.py").write_text(ROOT.joinpath("tools", "site.py").read_text("utf-8"), "utf-8")
    return folder


def test_the_site_is_built_with_every_page(tmp_path: Path) -> None:
    done = built(ROOT, tmp_path / "site")
    assert done.returncode == 0, done.stdout + done.stderr
    pages = {page.stem for page in ROOT.joinpath("docs").glob("*.md")}
    assert {page.stem for page in tmp_path.joinpath("site", "docs").glob("*.html")} == pages
    assert tmp_path.joinpath("site", "index.html").stat().st_size > 1000


def test_every_page_is_reached_from_the_navigation() -> None:
    navigation = ROOT.joinpath("zensical.toml").read_text("utf-8")
    missing = [page.name for page in ROOT.joinpath("docs").glob("*.md") if f"docs/{page.name}" not in navigation]
    assert missing == []


@pytest.mark.parametrize("link", ["[x](docs/nowhere.md)", "[x](docs/why.md#no-such-heading)"])
def test_a_link_that_leads_nowhere_stops_the_build(link: str, checkout: Path, tmp_path: Path) -> None:
    with checkout.joinpath("README.md").open("a", encoding="utf-8") as readme:
        readme.write(f"\n{link}\n")
    done = built(checkout, tmp_path / "site")
    assert done.returncode != 0
    assert not tmp_path.joinpath("site").exists()
