"""Secrets that cannot be read are named before somebody needs them."""

from pathlib import Path

import pytest

from figwatch_agent.files.secrets import missing_secrets
from figwatch_agent.model.secret import Secret
from support.world import settings


def test_every_secret_of_the_settings_that_is_missing_is_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KEY", "PAGERDUTY_KEY"):
        monkeypatch.delenv(name, raising=False)
    found = missing_secrets(settings())
    assert len(found) == 1
    assert "is not set" in found[0]


def test_a_secret_that_can_be_read_is_not_named(tmp_path: Path) -> None:
    tmp_path.joinpath("key").write_text("value\n", "utf-8")
    assert missing_secrets((Secret(file=str(tmp_path / "key")),)) == []
