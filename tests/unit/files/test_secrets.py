"""Reading secrets where they are used."""

from pathlib import Path

import pytest

from figwatch_agent.errors import SecretUnreadable
from figwatch_agent.files.secrets import read_secret
from figwatch_agent.model.secret import Secret


def test_a_secret_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "abc")
    assert read_secret(Secret(env="SOME_KEY")) == "abc"


@pytest.mark.parametrize(
    ("content", "value"), [("abc", "abc"), ("abc\n", "abc"), ("abc\r\n", "abc"), ("abc\n\n", "abc\n")]
)
def test_one_newline_at_the_end_of_a_file_is_not_part_of_the_secret(tmp_path: Path, content: str, value: str) -> None:
    file = tmp_path / "key"
    file.write_bytes(content.encode())
    assert read_secret(Secret(file=str(file))) == value


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    with pytest.raises(SecretUnreadable, match="SOME_KEY is not set"):
        read_secret(Secret(env="SOME_KEY"))


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "cannot be read"), (b"", "is empty"), (b"\n", "is empty"), (b"\xff", "UTF-8"), (b"x" * 70_000, "64 KiB")],
)
def test_a_file_without_a_secret_is_named(tmp_path: Path, content: bytes | None, why: str) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SecretUnreadable, match=why):
        read_secret(Secret(file=str(file)))


def test_a_prefix_stands_before_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "abc")
    assert read_secret(Secret(env="SOME_KEY", prefix="Bearer ")) == "Bearer abc"
