"""Secrets of calls are read when the call is made, and struck out of what it answers."""

import pytest

from figwatch_agent.errors import SecretUnreadable
from figwatch_agent.files.secrets import read_secret
from figwatch_agent.model.secret import Secret
from figwatch_agent.rollback.secrecy import all_resolved, shown


def test_a_bearer_token_is_struck_out_with_and_without_its_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY", "s3cret-value")
    values, secrets = all_resolved([("Authorization", Secret(env="GATEWAY", prefix="Bearer "))], read_secret)
    assert values == {"Authorization": "Bearer s3cret-value"}
    assert shown("echo: s3cret-value, Bearer s3cret-value", secrets) == "echo: ***, ***"


def test_a_secret_that_is_not_there_is_an_unreadable_secret_and_no_crash() -> None:
    with pytest.raises(SecretUnreadable, match="environment variable NOT_SET_ANYWHERE is not set"):
        all_resolved([("Authorization", Secret(env="NOT_SET_ANYWHERE"))], read_secret)
