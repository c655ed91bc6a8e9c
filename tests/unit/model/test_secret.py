"""Secrets: read where they are used, and struck out wherever they come back."""

import pytest

from figwatch_agent.errors import SecretUnreadable
from figwatch_agent.model.secret import Secret, resolved, struck_out


def test_a_plain_text_is_used_as_it_is() -> None:
    assert resolved(" as written ", lambda secret: "never read") == " as written "


def test_a_secret_is_used_without_the_blanks_around_it() -> None:
    assert resolved(Secret(env="KEY"), lambda secret: f" {secret.env} \n") == "KEY"


def test_a_secret_of_blanks_is_none_and_the_error_names_its_place() -> None:
    with pytest.raises(SecretUnreadable, match="environment KEY> is empty"):
        resolved(Secret(env="KEY"), lambda secret: " \n")


def test_a_secret_that_holds_another_is_struck_out_whole() -> None:
    assert struck_out("token abc, Bearer abc", ["abc", "Bearer abc", ""]) == "token ***, ***"


def test_the_text_form_of_a_secret_names_its_place_alone() -> None:
    assert [str(Secret(env="KEY")), str(Secret(file="/run/key"))] == [
        "<secret from environment KEY>",
        "<secret from file /run/key>",
    ]
