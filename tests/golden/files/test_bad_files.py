"""One bad file per mistake: what people are told about each, word by word."""

from pathlib import Path

import pytest

from figwatch_agent.files.diagnostics import render
from figwatch_agent.files.load import inspect, inspect_slo_files

HERE = Path(__file__).parent


def cases(folder: str) -> list[str]:
    return sorted(file.stem for file in HERE.joinpath(folder).glob("*.yaml"))


@pytest.mark.parametrize("mistake", cases("slo"))
def test_a_mistake_in_an_slo_file_is_told_like_this(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE / "slo")
    assert render(inspect_slo_files([f"{mistake}.yaml"]).diagnostics) == expected("slo", mistake)


@pytest.mark.parametrize("mistake", cases("settings"))
def test_a_mistake_in_the_settings_is_told_like_this(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE / "settings")
    assert render(inspect(f"{mistake}.yaml").diagnostics) == expected("settings", mistake)


@pytest.mark.parametrize("secret", ["R0UT1NGK3Y", "S3CR3T", "hunter2", "Bearer abc"])
def test_no_answer_repeats_a_secret_that_stands_in_a_file(secret: str) -> None:
    sources = [file for file in HERE.joinpath("settings").glob("*.yaml") if secret in file.read_text("utf-8")]
    assert sources
    assert not [file for file in sources if secret in file.with_suffix(".txt").read_text("utf-8")]


def expected(folder: str, mistake: str) -> str:
    return HERE.joinpath(folder, f"{mistake}.txt").read_text("utf-8")
