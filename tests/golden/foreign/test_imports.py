"""Files of other tools as teams write them: what becomes of each, and what is said about it, word by word."""

from pathlib import Path

import pytest

from figwatch_agent.durations import SECOND
from figwatch_agent.files.diagnostics import render
from figwatch_agent.files.foreign.imported import Options
from figwatch_agent.files.foreign.reading import Imported, import_files
from figwatch_agent.files.load import inspect_slo_files

HERE = Path(__file__).parent
GOOD = sorted(folder.name for folder in HERE.joinpath("good").iterdir() if folder.is_dir())
BAD = sorted(file.stem for file in HERE.joinpath("bad").glob("*.yaml"))


def imported(paths: list[str]) -> Imported:
    return import_files(paths, Options(window=None, interval=15 * SECOND), "imported")


@pytest.mark.parametrize("case", GOOD)
def test_a_good_file_becomes_these_files_and_this_is_said(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE / "good" / case)
    found = imported(sorted(file.name for file in Path().glob("*.yaml")))
    written = {file.name: file.text for file in found.files}
    assert render(found.diagnostics) == Path("said.txt").read_text("utf-8")
    assert written == {file.name: file.read_text("utf-8") for file in Path("slo").glob("*.yaml")}


@pytest.mark.parametrize("case", GOOD)
def test_what_was_written_passes_the_check(case: str) -> None:
    files = [str(file) for file in sorted(HERE.joinpath("good", case, "slo").glob("*.yaml"))]
    assert files
    assert inspect_slo_files(files).problems() == ()


@pytest.mark.parametrize("mistake", BAD)
def test_a_mistake_is_told_like_this_and_nothing_is_written(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE / "bad")
    found = imported([f"{mistake}.yaml"])
    assert found.files == ()
    assert render(found.problems()) == Path(f"{mistake}.txt").read_text("utf-8")
    assert found.problems()
