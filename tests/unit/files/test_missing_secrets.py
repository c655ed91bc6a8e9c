"""Secrets that cannot be read are named before somebody needs them."""

from pathlib import Path

import pytest

from figwatch_agent.errors import FigwatchError
from figwatch_agent.files.secrets import SecretMissing, missing_secrets
from figwatch_agent.model.secret import Secret
from figwatch_agent.notify import secrecy as notify
from figwatch_agent.rollback import secrecy as rollback
from support.world import settings


def absent(secret: Secret) -> str:
    """A reader that finds nothing."""
    raise SecretMissing("the environment variable KEY is not set")


def test_every_secret_of_the_settings_that_is_missing_is_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KEY", "PAGERDUTY_KEY"):
        monkeypatch.delenv(name, raising=False)
    found = missing_secrets(settings())
    assert len(found) == 1
    assert "is not set" in found[0]


def test_a_secret_that_can_be_read_is_not_named(tmp_path: Path) -> None:
    tmp_path.joinpath("key").write_text("value\n", "utf-8")
    assert missing_secrets((Secret(file=str(tmp_path / "key")),)) == []


def test_a_receiver_whose_secret_is_missing_says_which() -> None:
    with pytest.raises(notify.SecretUnreadable, match="variable KEY is not set"):
        notify.resolve(Secret(env="KEY"), absent)


def test_a_step_whose_secret_is_missing_says_which() -> None:
    with pytest.raises(rollback.SecretUnreadable, match="variable KEY is not set"):
        rollback.resolved([("Authorization", Secret(env="KEY"))], absent)


def test_it_is_what_rooms_expect_that_know_of_no_files() -> None:
    assert issubclass(SecretMissing, FigwatchError)
    assert issubclass(SecretMissing, ValueError)
